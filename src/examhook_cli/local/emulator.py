"""Starting and stopping the AWS emulator, a background process that outlives the command that started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from examhook_cli.local.environment import LocalEnvironment, emulator_variables, endpoint_url
from examhook_cli.errors import EmulatorError, PortInUseError

_MODULE = "ministack"
_START_S = 60
_STOP_S = 3
_GLANCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return endpoint_url(self.port)


def running_emulator(environment: LocalEnvironment) -> Emulator | None:
    """The emulator that an earlier command started, if it still runs; what a dead one left is forgotten."""
    try:
        noted = json.loads(environment.process_file.read_text())
        emulator = Emulator(pid=int(noted["pid"]), port=int(noted["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # After a restart of the machine the number may belong to another program, which is not ours to touch.
    if _is_alive(emulator.pid) and _MODULE in _command_line(emulator.pid):
        return emulator
    environment.process_file.unlink(missing_ok=True)
    return None


def start_emulator(environment: LocalEnvironment, environ: Mapping[str, str], port: int) -> Emulator:
    """Start one on ``port`` and wait until it answers; raises PortInUseError, EmulatorError, NotInstalledError."""
    _check_port(port)
    python = environment.program(".venv-emulator", "python")
    environment.temporary.mkdir(parents=True, exist_ok=True)
    with environment.emulator_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program with fixed arguments
            [str(python), "-m", _MODULE],
            cwd=environment.state,
            env=emulator_variables(environ, port, environment.temporary),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(pid=process.pid, port=port)
    environment.process_file.write_text(json.dumps({"pid": emulator.pid, "port": emulator.port}))
    if not _wait(_START_S, lambda: _answers(emulator) or process.poll() is not None) or process.poll() is not None:
        stop_emulator(environment, emulator)
        raise EmulatorError(f"The emulator did not start; {environment.emulator_log} says why.")
    # It is meant to outlive this command; Popen would warn that nobody waited for it.
    process.returncode = 0
    return emulator


def stop_emulator(environment: LocalEnvironment, emulator: Emulator) -> None:
    """Stop it and the functions that it runs; raises EmulatorError."""
    # It leads a process group of its own, and the functions belong to that. Nothing of theirs has to be saved.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(emulator.pid, number)
        if _wait(_STOP_S, lambda: not _is_alive(emulator.pid)):
            break
    else:
        raise EmulatorError(f"The emulator (process {emulator.pid}) does not stop.")
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(emulator.pid, signal.SIGKILL)
    environment.process_file.unlink(missing_ok=True)


def _check_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUseError(
                f"Port {port} is in use: stop what listens there, or choose another by --port."
            ) from error


def _answers(emulator: Emulator) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{emulator.url}/_ministack/health", timeout=2).ok
        except requests.RequestException:
            return False


def _is_alive(pid: int) -> bool:
    # A child of this very process stays in the table until it is waited for.
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _command_line(pid: int) -> str:
    listed = Path(f"/proc/{pid}/cmdline")
    if listed.exists():
        return listed.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    asked = subprocess.run(  # noqa: S603 - a system program with a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout


def _wait(timeout_s: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_GLANCE_S)
    return True
