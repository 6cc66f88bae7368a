"""Where the local run keeps its things, and the environments of the programs that it starts."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import examhook_cli
from examhook_cli.errors import NotInstalledError
from examhook_cli.stack import DEFAULT_STACK_NAME

REGION = "us-east-1"
ACCESS_KEY_ID = "test"
"""The emulator's own root user; it may do everything, as the person who deploys a stack may."""
SECRET_ACCESS_KEY = "test"  # noqa: S105 - the emulator's fixed password, worth nothing anywhere else

_HOST = "127.0.0.1"
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
"""What the emulator and the functions that it runs see of the person's own environment."""


@dataclass(frozen=True, slots=True)
class LocalEnvironment:
    """The project's checkout and the folder that holds the state of its local run (``.local``)."""

    project: Path
    state: Path

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> LocalEnvironment:
        """The checkout that this package runs from; ``EXAMHOOK_LOCAL_DIR`` moves the state elsewhere.

        Raises NotInstalledError where the package was installed without its checkout.
        """
        project = Path(examhook_cli.__file__).resolve().parents[2]
        if not (project / "template.yaml").is_file():
            raise NotInstalledError("The local run needs the project's checkout: clone it and run make install there.")
        override = environ.get("EXAMHOOK_LOCAL_DIR")
        return cls(project, Path(override).resolve() if override else project / ".local")

    @property
    def shell_file(self) -> Path:
        """What a shell sources to speak to the local stack."""
        return self.state / "env"

    @property
    def stack_file(self) -> Path:
        """The stack's outputs and its endpoints with their secrets, as JSON."""
        return self.state / "stack.json"

    @property
    def process_file(self) -> Path:
        """Which process the emulator is."""
        return self.state / "emulator.json"

    @property
    def emulator_log(self) -> Path:
        """What the emulator says."""
        return self.state / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """What building and deploying said, the last time."""
        return self.state / "deploy.log"

    @property
    def temporary(self) -> Path:
        """Where the emulator unpacks functions."""
        return self.state / "tmp"

    @property
    def build(self) -> Path:
        """The packed functions and the template that names them."""
        return self.state / "build"

    @property
    def build_cache(self) -> Path:
        """What makes the next build quicker."""
        return self.state / ".aws-sam" / "cache"

    @property
    def parameters_file(self) -> Path:
        """The template's parameters, the account code among them, while a deployment reads them."""
        return self.state / "parameters.yaml"

    def kept(self) -> tuple[Path, ...]:
        """Everything that the local run may leave in its folder."""
        return (
            self.shell_file,
            self.stack_file,
            self.process_file,
            self.emulator_log,
            self.deploy_log,
            self.temporary,
            self.build,
            # Left by sam where it runs and beside the folder that it builds into.
            self.state / ".aws-sam",
            self.state / "build.toml",
            self.parameters_file,
        )

    def program(self, environment: str, name: str) -> Path:
        """A program of one of the project's environments (``.venv-sam``, ``.venv-emulator``).

        Raises NotInstalledError.
        """
        path = self.project / environment / "bin" / name
        if not path.exists():
            raise NotInstalledError(f"{environment} is not set up: run make install in {self.project}.")
        return path


def endpoint_url(port: int) -> str:
    """Address of the emulator."""
    return f"http://{_HOST}:{port}"


def shell_variables(port: int) -> dict[str, str]:
    """What lets any AWS client, ``examhook`` included, speak to the local stack."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "EXAMHOOK_STACK": DEFAULT_STACK_NAME,
    }


def shell_text(port: int) -> str:
    """``shell_variables`` as lines that a shell sources."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in shell_variables(port).items())


def emulator_variables(environ: Mapping[str, str], port: int, temporary: Path) -> dict[str, str]:
    """The whole environment of the emulator, and so of the functions: nothing of the person's AWS set-up leaks in."""
    return {
        **{name: environ[name] for name in _KEPT if name in environ},
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Each function has its own role's rights and no others.
        "AUTH": "true",
        "BIND_HOST": _HOST,
        "MINISTACK_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(temporary),
        # Listeners of services that the stack does not use.
        "IOT_MTLS_ENABLED": "false",
        "SFTP_ENABLED": "false",
    }


def sam_variables(environ: Mapping[str, str], port: int, programs: Path) -> dict[str, str]:
    """The environment of ``sam``: the person's own (package mirrors, proxies), pointed at the emulator."""
    own = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "SAM_CLI_"))}
    bypass = ",".join(filter(None, (environ.get("NO_PROXY") or environ.get("no_proxy"), _HOST)))
    return {
        **own,
        **shell_variables(port),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": bypass,
        "no_proxy": bypass,
        # Its Python has the version of the runtime, and pip, which the build needs.
        "PATH": os.pathsep.join((str(programs), environ.get("PATH", os.defpath))),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "1",
    }


def architecture() -> str:
    """This machine's processor, as Lambda calls it."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
