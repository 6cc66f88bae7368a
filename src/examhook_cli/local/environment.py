"""Paths of the local stack, and the environment variables of its programs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import examhook_cli
from examhook_cli.errors import NotInstalledError
from examhook_cli.stack import DEFAULT_STACK_NAME

REGION = "us-east-1"
ACCESS_KEY_ID = "test"
"""The emulator's root user, which may do everything, like the user who deploys a stack."""
SECRET_ACCESS_KEY = "test"  # noqa: S105 - the emulator's fixed password, useless elsewhere

_HOST = "127.0.0.1"
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
"""Variables of the user that the emulator and its functions see."""


class LocalPaths:
    """Files of the project's checkout and of the state folder (``.local``)."""

    def __init__(self, project: Path, state: Path) -> None:
        self.project = project
        self.state = state
        self.shell_file = state / "env"
        """A shell sources it to use the local stack."""
        self.stack_file = state / "stack.json"
        """The stack's outputs, and its endpoints with their secrets."""
        self.process_file = state / "emulator.json"
        """Process id and port of the emulator."""
        self.emulator_log = state / "emulator.log"
        self.deploy_log = state / "deploy.log"
        self.temporary = state / "tmp"
        """The emulator extracts functions here."""
        self.build = state / "build"
        self.build_cache = state / ".aws-sam" / "cache"
        self.parameters_file = state / "parameters.yaml"
        """Template parameters with the account code; exists only during a deployment."""

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> LocalPaths:
        """The checkout that this package runs from; ``EXAMHOOK_LOCAL_DIR`` selects another state folder.

        Raises NotInstalledError if the package was installed without a checkout.
        """
        project = Path(examhook_cli.__file__).resolve().parents[2]
        if not (project / "template.yaml").is_file():
            raise NotInstalledError("The local stack needs a checkout of the project: clone it and run make install.")
        override = environ.get("EXAMHOOK_LOCAL_DIR")
        return cls(project, Path(override).resolve() if override else project / ".local")

    def created(self) -> tuple[Path, ...]:
        """All files and folders that the local stack may create in the state folder."""
        return (
            self.shell_file,
            self.stack_file,
            self.process_file,
            self.emulator_log,
            self.deploy_log,
            self.temporary,
            self.build,
            # sam creates these two.
            self.state / ".aws-sam",
            self.state / "build.toml",
            self.parameters_file,
        )

    def program(self, environment: str, name: str) -> Path:
        """A program of a virtual environment (``.venv-sam``, ``.venv-emulator``); raises NotInstalledError."""
        path = self.project / environment / "bin" / name
        if not path.exists():
            raise NotInstalledError(f"{environment} is not set up: run make install in {self.project}.")
        return path


def endpoint_url(port: int) -> str:
    """URL of the emulator."""
    return f"http://{_HOST}:{port}"


def shell_variables(port: int) -> dict[str, str]:
    """Variables that point ``examhook`` and other AWS clients to the local stack."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "EXAMHOOK_STACK": DEFAULT_STACK_NAME,
    }


def shell_text(port: int) -> str:
    """``shell_variables`` as a file to source."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in shell_variables(port).items())


def emulator_variables(environ: Mapping[str, str], port: int, temporary: Path) -> dict[str, str]:
    """All variables of the emulator and its functions; none of the user's AWS settings."""
    return {
        **{name: environ[name] for name in _PASSED_ON if name in environ},
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Enforces the IAM permissions of each function's role.
        "AUTH": "true",
        "BIND_HOST": _HOST,
        "MINISTACK_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(temporary),
        # Disables listeners of unused services.
        "IOT_MTLS_ENABLED": "false",
        "SFTP_ENABLED": "false",
    }


def sam_variables(environ: Mapping[str, str], port: int, programs: Path) -> dict[str, str]:
    """All variables of ``sam``: the user's own (package mirrors, proxies), but with the emulator as AWS."""
    own = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "SAM_CLI_"))}
    no_proxy = ",".join(filter(None, (environ.get("NO_PROXY") or environ.get("no_proxy"), _HOST)))
    return {
        **own,
        **shell_variables(port),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        # The build needs the Python of the runtime and its pip, which are here.
        "PATH": os.pathsep.join((str(programs), environ.get("PATH", os.defpath))),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "1",
    }
