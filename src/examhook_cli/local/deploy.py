"""Deploys the template into the emulator with ``sam build`` and ``sam deploy``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from examhook_cli.errors import DeployError
from examhook_cli.local.environment import REGION, LocalPaths, sam_variables
from examhook_cli.local.parameters import LocalOptions, parameters_file
from examhook_cli.stack import DEFAULT_STACK_NAME

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_FAILED = ("CREATE_FAILED", "UPDATE_FAILED", "ROLLBACK_FAILED")
_PRINTED_LINES = 12
# The checkout's samconfig.toml contains the operator's settings for AWS.
_LOCAL_CONFIG = (f"--config-file={Path(__file__).with_name('samconfig.toml')}", f"--region={REGION}")


def build(paths: LocalPaths, environ: Mapping[str, str], port: int, options: LocalOptions) -> None:
    """Package the functions; raises DeployError, NotInstalledError."""
    parameters = options.parameters()
    arguments = [
        "build",
        *_LOCAL_CONFIG,
        f"--template-file={paths.project / 'template.yaml'}",
        f"--build-dir={paths.build}",
        "--cached",
        f"--cache-dir={paths.build_cache}",
        "--parameter-overrides",
        *(f"{name}={parameters[name]}" for name in ("PythonRuntime", "Architecture")),
    ]
    _sam(paths, environ, port, arguments, "The functions could not be packaged")


def deploy(
    paths: LocalPaths,
    environ: Mapping[str, str],
    port: int,
    options: LocalOptions,
    client: CloudFormationClient,
) -> None:
    """Deploy the packaged functions; raises DeployError with CloudFormation's reasons, and NotInstalledError."""
    parameters = paths.parameters_file
    arguments = [
        "deploy",
        *_LOCAL_CONFIG,
        f"--template-file={paths.build / 'template.yaml'}",
        f"--stack-name={DEFAULT_STACK_NAME}",
        "--parameter-overrides",
        f"file://{parameters}",
    ]
    # Other users can read the arguments of a process, so the account code is passed in a private file.
    write_private(parameters, parameters_file(options.parameters()))
    try:
        _sam(paths, environ, port, arguments, "The stack could not be deployed")
    except DeployError as error:
        reasons = failure_reasons(client)
        if not reasons:
            raise
        raise DeployError(f"The stack could not be deployed: {'; '.join(reasons)}") from error
    finally:
        parameters.unlink()


def failure_reasons(client: CloudFormationClient) -> list[str]:
    """Failed resources and reasons from CloudFormation's events."""
    with suppress(client.exceptions.ClientError):
        events = client.describe_stack_events(StackName=DEFAULT_STACK_NAME)["StackEvents"]
        return [
            f"{event.get('LogicalResourceId')}: {event['ResourceStatusReason']}"
            for event in events
            if event.get("ResourceStatus") in _FAILED and event.get("ResourceStatusReason")
        ]
    return []


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can ever read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _sam(paths: LocalPaths, environ: Mapping[str, str], port: int, arguments: Sequence[str], failure: str) -> None:
    sam = paths.program(".venv-sam", "sam")
    result = subprocess.run(  # noqa: S603 - our own program and arguments
        [str(sam), *arguments],
        cwd=paths.state,
        env=sam_variables(environ, port, sam.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with paths.deploy_log.open("a", encoding="utf-8") as log:
        log.write(result.stdout)
    if result.returncode:
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        tail = "\n".join(lines[-_PRINTED_LINES:])
        raise DeployError(f"{failure}; see {paths.deploy_log}, which ends with:\n{tail}")
