"""Deploying the project's template into the emulator, with ``sam build`` and ``sam deploy`` as they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from examhook_cli.local.environment import REGION, LocalEnvironment, sam_variables
from examhook_cli.errors import DeployError
from examhook_cli.local.parameters import LocalOptions, parameters_file
from examhook_cli.stack import DEFAULT_STACK_NAME

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_FAILED = ("CREATE_FAILED", "UPDATE_FAILED", "ROLLBACK_FAILED")
_LAST_LINES = 12
# The samconfig.toml of the checkout holds what the operator answered for AWS.
_OURS = (f"--config-file={Path(__file__).with_name('samconfig.toml')}", f"--region={REGION}")


def build(environment: LocalEnvironment, environ: Mapping[str, str], port: int, options: LocalOptions) -> None:
    """Pack the functions with what they need; raises DeployError, NotInstalledError."""
    chosen = options.parameters()
    _sam(
        environment,
        environ,
        port,
        [
            "build",
            *_OURS,
            f"--template-file={environment.project / 'template.yaml'}",
            f"--build-dir={environment.build}",
            "--cached",
            f"--cache-dir={environment.build_cache}",
            "--parameter-overrides",
            *(f"{name}={chosen[name]}" for name in ("PythonRuntime", "Architecture")),
        ],
        "The functions could not be packed",
    )


def deploy(
    environment: LocalEnvironment,
    environ: Mapping[str, str],
    port: int,
    options: LocalOptions,
    client: CloudFormationClient,
) -> None:
    """Deploy what was packed; raises DeployError with CloudFormation's own reasons, NotInstalledError."""
    parameters = environment.parameters_file
    # In a file that only this person may read, and not among the arguments, which every process may see.
    write_private(parameters, parameters_file(options.parameters()))
    try:
        _sam(
            environment,
            environ,
            port,
            [
                "deploy",
                *_OURS,
                f"--template-file={environment.build / 'template.yaml'}",
                f"--stack-name={DEFAULT_STACK_NAME}",
                "--parameter-overrides",
                f"file://{parameters}",
            ],
            "The stack could not be deployed",
        )
    except DeployError as error:
        reasons = failure_reasons(client)
        if not reasons:
            raise
        raise DeployError(f"The stack could not be deployed: {'; '.join(reasons)}") from error
    finally:
        parameters.unlink()


def failure_reasons(client: CloudFormationClient) -> list[str]:
    """Which resources failed and why, as CloudFormation tells it; empty where it says nothing."""
    with suppress(client.exceptions.ClientError):
        events = client.describe_stack_events(StackName=DEFAULT_STACK_NAME)["StackEvents"]
        return [
            f"{event.get('LogicalResourceId')}: {event['ResourceStatusReason']}"
            for event in events
            if event.get("ResourceStatus") in _FAILED and event.get("ResourceStatusReason")
        ]
    return []


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but its owner may read, at no moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _sam(
    environment: LocalEnvironment, environ: Mapping[str, str], port: int, arguments: Sequence[str], failure: str
) -> None:
    sam = environment.program(".venv-sam", "sam")
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [str(sam), *arguments],
        cwd=environment.state,
        env=sam_variables(environ, port, sam.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with environment.deploy_log.open("a", encoding="utf-8") as log:
        log.write(done.stdout)
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.strip()]
        last = "\n".join(said[-_LAST_LINES:])
        raise DeployError(f"{failure}; {environment.deploy_log} has it all:\n{last}")
