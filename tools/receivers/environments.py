"""Where the receivers run: interpreters, packages, versions and commands.

::

    RuntimeMissingError    an interpreter or a package is not installed; the message says which
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from tools.processes import PROJECT
from tools.receivers.receivers import VERIFIER, Receiver, Runtime

_NODE_FOLDERS = (PROJECT / "tools/receivers/node", PROJECT / "tests/node")
_PYTHONS = (str(PROJECT / ".venv-receivers/bin/python"), sys.executable)
_PYTHON_VERSIONS = """import sys
from importlib.metadata import version
print(*(version(name) for name in sys.argv[1:]), sep="\\n")"""


class RuntimeMissingError(RuntimeError):
    """What a receiver needs is not installed."""


@dataclass(frozen=True, slots=True)
class Command:
    """A receiver that is ready to start."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    version: str
    """Version of the framework or library, or of the runtime."""


def command_for(receiver: Receiver, port: int, folder: Path) -> Command:
    """Prepare ``receiver`` to listen on ``port``; ``folder`` is empty and its own. Raises RuntimeMissingError."""
    match receiver.runtime:
        case Runtime.NODE:
            return _node(receiver, folder)
        case Runtime.PYTHON:
            return _python(receiver, port)
        case Runtime.GO:
            return _go(receiver, folder)
        case Runtime.PHP:
            php = _program("php", "php-cli")
            argv = (php, "-S", f"127.0.0.1:{port}", str(PROJECT / receiver.source))
            return Command(argv, {"TMPDIR": str(folder)}, f"PHP {_output(php, '-r', 'echo PHP_VERSION;')}")
        case Runtime.RUBY:
            ruby = _program("ruby", "ruby-sinatra and ruby-webrick")
            version = _output(ruby, "-e", 'require "webrick"; require "sinatra/version"; print Sinatra::VERSION')
            return Command((ruby, str(PROJECT / receiver.source)), {}, f"sinatra {version}")
        case _:
            assert_never(receiver.runtime)


def _node(receiver: Receiver, folder: Path) -> Command:
    node = _program("node", "Node.js")
    modules = next(
        (
            one / "node_modules"
            for one in _NODE_FOLDERS
            if all((one / "node_modules" / package).exists() for package in receiver.packages)
        ),
        None,
    )
    if modules is None:
        raise RuntimeMissingError("The packages of tools/receivers/node are not installed.")
    # A module finds its packages beside itself first, then in the folders above.
    (folder / "node_modules").symlink_to(modules)
    own = folder / "receiver"
    (own / "node_modules").mkdir(parents=True)
    if receiver.replaced_package:
        (own / "node_modules" / receiver.replaced_package).symlink_to(modules / receiver.packages[0])
    script = Path(shutil.copy(PROJECT / receiver.source, own))
    loader: tuple[str, ...] = ()
    if script.suffix == ".ts":
        loader = ("--import", str(modules / "tsx/dist/loader.mjs"))
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(PROJECT / "tools/receivers/node" / name, own)
    first = receiver.packages[0]
    if first == VERIFIER:
        version = f"Node.js {_output(node, '--version').removeprefix('v')}"
    else:
        package = json.loads((modules / first / "package.json").read_text())
        version = f"{package['name']} {package['version']}"
    return Command(
        (node, *loader, str(script), *receiver.arguments), {"TSX_TSCONFIG_PATH": str(own / "tsconfig.json")}, version
    )


def _python(receiver: Receiver, port: int) -> Command:
    python, first_version = _interpreter(receiver.packages)
    name = receiver.packages[0]
    version = f"Python {sys.version.split()[0]}" if name == VERIFIER else f"{name} {first_version}"
    source = PROJECT / receiver.source
    environ = {
        name: str(PROJECT / value) if name == "PYTHONPATH" else value for name, value in receiver.environ.items()
    }
    match receiver.module:
        case "flask":
            start: tuple[str, ...] = ("-m", "flask", "--app", str(source), "run", "--port", str(port))
        case "uvicorn":
            app = ("--app-dir", str(source.parent), f"{source.stem}:app")
            start = ("-m", "uvicorn", *app, "--port", str(port), "--log-level", "warning")
        case _:
            start = (str(source), *receiver.arguments)
    return Command((python, *start), environ, version)


def _interpreter(packages: Sequence[str]) -> tuple[str, str]:
    """Return the first interpreter that has all ``packages``, and the version of the first package."""
    for python in _PYTHONS:
        if Path(python).exists():
            done = subprocess.run(  # noqa: S603 - an interpreter of this project
                [python, "-c", _PYTHON_VERSIONS, *packages], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return python, done.stdout.split()[0]
    raise RuntimeMissingError("The packages of tools/requirements/receivers.txt are not installed.")


def _go(receiver: Receiver, folder: Path) -> Command:
    go = _program("go", "golang-go")
    binary = folder / "receiver"
    built = subprocess.run(  # noqa: S603 - a file of this project
        [go, "build", "-o", str(binary), str(PROJECT / receiver.source)], capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        raise RuntimeError(built.stderr)
    return Command((str(binary),), {}, f"Go {_output(go, 'env', 'GOVERSION').removeprefix('go')}")


def _program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeMissingError(f"`{name}` is not installed (package {package}).")
    return path


def _output(program: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - the version of an installed program
        [program, *arguments], capture_output=True, text=True, check=False, env={**os.environ, "GOTOOLCHAIN": "local"}
    )
    if done.returncode != 0:
        raise RuntimeMissingError(f"`{program} {' '.join(arguments)}` fails: {done.stderr.strip()}")
    return done.stdout.strip()
