"""Starts and stops the local stack."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.destinations.secrets import SecretsKey
from examhook.storage.endpoints import EndpointsTable
from examhook_cli.errors import DeployError, NotUpError, PortInUseError
from examhook_cli.local.batch_permissions import allow_batches
from examhook_cli.local.clients import LocalClients
from examhook_cli.local.deploy import build, deploy, write_private
from examhook_cli.local.emulator import Emulator, running_emulator, start_emulator, stop_emulator
from examhook_cli.local.environment import LocalPaths, shell_text
from examhook_cli.local.parameters import LocalOptions
from examhook_cli.stack import DEFAULT_STACK_NAME, Stack, read_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient

DEFAULT_PORT = 4566

ShowTask = Callable[[str], AbstractContextManager[None]]
"""Shows a task to the user while the returned context lasts."""

_WARM_UP_PAYLOADS = {
    # Retry creates the endpoints of the WebhookUrls parameter.
    "RetryFunctionName": {"trigger": "manual"},
    # Without records there is nothing to do. Poll is left out because it would send requests to the provider.
    "DispatchFunctionName": {"Records": []},
    "DeliverFunctionName": {"Records": []},
}


@dataclass(frozen=True, slots=True)
class OpenEndpoint:
    """An endpoint with its decrypted signing secret (``whsec_…``)."""

    endpoint_id: str
    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A running local stack."""

    emulator: Emulator
    stack: Stack
    endpoints: Sequence[OpenEndpoint]
    was_up: bool
    """Whether it was already running and was updated."""


def start_stack(
    paths: LocalPaths,
    environ: Mapping[str, str],
    options: LocalOptions,
    port: int | None,
    show_task: ShowTask,
) -> LocalStack:
    """Start or update the local stack and wait until it is ready; raises CommandError.

    An update keeps the stored data. After a failure, an emulator that this call started is stopped; its logs remain.
    """
    paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.deploy_log.unlink(missing_ok=True)
    running = running_emulator(paths)
    if running and port not in {None, running.port}:
        raise PortInUseError(f"The local stack is up on port {running.port}: stop it with examhook local down.")
    with ExitStack() as on_failure:
        if running:
            emulator = running
        else:
            with show_task("Starting the emulator …"):
                emulator = start_emulator(paths, environ, port or DEFAULT_PORT)
            on_failure.callback(stop_emulator, paths, emulator)
        clients = LocalClients(emulator.port)
        with show_task("Packaging the functions …"):
            build(paths, environ, emulator.port, options)
        with show_task("Deploying the stack …"):
            deploy(paths, environ, emulator.port, options, clients.cloudformation())
            allow_batches(DEFAULT_STACK_NAME, clients.cloudformation(), clients.iam())
        stack = read_stack(clients.cloudformation(), DEFAULT_STACK_NAME)
        with show_task("Starting the functions …"):
            warm_up(stack, clients.functions())
        endpoints = open_endpoints(stack, clients.dynamodb(), clients.kms())
        _write_stack_files(paths, emulator.port, stack, endpoints)
        on_failure.pop_all()
    return LocalStack(emulator, stack, endpoints, was_up=running is not None)


def stop_stack(paths: LocalPaths) -> bool:
    """Stop the emulator and remove its files; False if there was nothing to do. Raises EmulatorError."""
    running = running_emulator(paths)
    if running:
        stop_emulator(paths, running)
    created = [path for path in paths.created() if path.exists()]
    for path in created:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    # The user may have chosen a folder that contains other files.
    with suppress(OSError):
        paths.state.rmdir()
    return bool(running or created)


def running_stack(paths: LocalPaths) -> tuple[Stack, LocalClients]:
    """The running stack and its clients; raises NotUpError, StackError."""
    running = running_emulator(paths)
    if not running:
        raise NotUpError("The local stack is not up: start it with examhook local up.")
    clients = LocalClients(running.port)
    return read_stack(clients.cloudformation(), DEFAULT_STACK_NAME), clients


def warm_up(stack: Stack, client: LambdaClient) -> None:
    """Run each function once, so that the first event does not wait for it; raises DeployError if one fails."""
    for output, payload in _WARM_UP_PAYLOADS.items():
        response = client.invoke(FunctionName=stack.output(output), Payload=json.dumps(payload).encode())
        if response.get("FunctionError"):
            result = json.loads(response["Payload"].read())
            reason = result.get("errorMessage") if isinstance(result, dict) else None
            name = output.removesuffix("FunctionName")
            raise DeployError(f"{name} does not work: {reason or 'no reason given'}. See examhook local logs.")


def open_endpoints(stack: Stack, dynamodb: DynamoDBClient, kms: KMSClient) -> list[OpenEndpoint]:
    """The enabled endpoints, oldest first."""
    key = SecretsKey(kms, stack.output("SecretsKeyArn"))
    return [
        OpenEndpoint(endpoint.endpoint_id, endpoint.url, key.open(endpoint.endpoint_id, endpoint.sealed_secret))
        for endpoint in EndpointsTable(dynamodb, stack.output("EndpointsTableName")).list_all()
        if endpoint.is_enabled
    ]


def _write_stack_files(paths: LocalPaths, port: int, stack: Stack, endpoints: Sequence[OpenEndpoint]) -> None:
    write_private(paths.shell_file, shell_text(port))
    document = {
        "outputs": dict(stack.outputs),
        "endpoints": [{"id": each.endpoint_id, "url": each.url, "secret": each.secret} for each in endpoints],
    }
    write_private(paths.stack_file, json.dumps(document, indent=2) + "\n")
