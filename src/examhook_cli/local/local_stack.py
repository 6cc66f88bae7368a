"""The local run: the project's own template, deployed into an emulator of AWS on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass

from examhook_cli.local.batch_permissions import allow_batches
from examhook_cli.local.clients import LocalClients
from examhook_cli.local.deploy import build, deploy
from examhook_cli.local.emulator import Emulator, running_emulator, start_emulator, stop_emulator
from examhook_cli.local.environment import LocalEnvironment
from examhook_cli.errors import NotUpError, PortInUseError
from examhook_cli.local.local_stack import wake
from examhook_cli.local.parameters import LocalOptions
from examhook_cli.local.local_stack import OpenEndpoint, open_endpoints, write_status
from examhook_cli.stack import DEFAULT_STACK_NAME, Stack, read_stack

DEFAULT_PORT = 4566

Progress = Callable[[str], AbstractContextManager[None]]
"""Shows that something is under way while its context lasts."""


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A local stack that is ready."""

    emulator: Emulator
    stack: Stack
    endpoints: Sequence[OpenEndpoint]
    was_up: bool
    """Whether it ran already and was deployed anew."""


def up(
    environment: LocalEnvironment,
    environ: Mapping[str, str],
    options: LocalOptions,
    port: int | None,
    progress: Progress,
) -> LocalStack:
    """Start the emulator if none runs, deploy, and return when all is ready; raises LocalError.

    A stack that is up keeps its data and is deployed anew with these options. What was started
    here is stopped again if a later step fails; its logs stay.
    """
    environment.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment.deploy_log.unlink(missing_ok=True)
    running = running_emulator(environment)
    if running and port not in {None, running.port}:
        raise PortInUseError(f"The local stack is up on port {running.port}: examhook local down stops it.")
    with ExitStack() as undo:
        if running:
            emulator = running
        else:
            with progress("Starting the emulator …"):
                emulator = start_emulator(environment, environ, port or DEFAULT_PORT)
            undo.callback(stop_emulator, environment, emulator)
        clients = LocalClients(emulator.port)
        with progress("Packing the functions …"):
            build(environment, environ, emulator.port, options)
        with progress("Deploying the stack …"):
            deploy(environment, environ, emulator.port, options, clients.cloudformation())
            allow_batches(DEFAULT_STACK_NAME, clients.cloudformation(), clients.iam())
        stack = read_stack(clients.cloudformation(), DEFAULT_STACK_NAME)
        with progress("Waking the functions …"):
            wake(stack, clients.functions())
        endpoints = open_endpoints(stack, clients.dynamodb(), clients.kms())
        write_status(environment, emulator.port, stack, endpoints)
        undo.pop_all()
    return LocalStack(emulator, stack, endpoints, was_up=running is not None)


def down(environment: LocalEnvironment) -> bool:
    """Stop the emulator and remove all that the local run keeps; False if there was nothing. Raises EmulatorError."""
    running = running_emulator(environment)
    if running:
        stop_emulator(environment, running)
    kept = [path for path in environment.kept() if path.exists()]
    for path in kept:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    # The folder may be one that the person chose and keeps other things in.
    with suppress(OSError):
        environment.state.rmdir()
    return bool(running or kept)


def running_stack(environment: LocalEnvironment) -> tuple[Stack, LocalClients]:
    """The local stack that is up, and clients for it; raises NotUpError, StackError."""
    running = running_emulator(environment)
    if not running:
        raise NotUpError("The local stack is not up: start it with examhook local up.")
    clients = LocalClients(running.port)
    return read_stack(clients.cloudformation(), DEFAULT_STACK_NAME), clients
