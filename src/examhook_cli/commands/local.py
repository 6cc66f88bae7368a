"""``examhook local``."""

from __future__ import annotations

import os
import re
import signal
import sys
from datetime import datetime
from enum import StrEnum
from types import FrameType
from typing import Annotated, NoReturn

import typer

from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook_cli.local.environment import LocalPaths
from examhook_cli.local.local_stack import DEFAULT_PORT, running_stack, start_stack, stop_stack
from examhook_cli.local.logs import Function, follow_lines, log_groups, read_lines
from examhook_cli.local.parameters import LocalOptions, is_plain, schedule_parameters
from examhook_cli.output import hint, say, waiting
from examhook_cli.stack import DEFAULT_STACK_NAME

_BUS_NAME = re.compile(r"[A-Za-z0-9._-]{1,256}")

app = typer.Typer(help="Run the stack on this machine, without AWS.", no_args_is_help=True)


class DialectChoice(StrEnum):
    """APIs of the provider."""

    LEGACY = "legacy"
    V1 = "v1"


class InitialSyncChoice(StrEnum):
    """What to do with results from before the first poll."""

    SILENT = "silent"
    ANNOUNCE = "announce"


@app.command()
def up(  # noqa: PLR0913 - each option is a parameter
    *,
    base_url: Annotated[str, typer.Option(metavar="URL", help="URL of the provider, or of examhook simulate.")],
    code: Annotated[
        str, typer.Option(envvar="EXAMHOOK_ACCOUNT_CODE", metavar="CODE", help="Account code at the provider.")
    ],
    dialect: Annotated[DialectChoice, typer.Option(help="API of the provider.")] = DialectChoice.LEGACY,
    webhook_url: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="Send events to this webhook (repeatable).")
    ] = None,
    event_bus: Annotated[str, typer.Option(metavar="NAME", help="Also send events to this EventBridge bus.")] = "",
    poll_seconds: Annotated[
        str, typer.Option(metavar="N|off", help="Seconds between polls: 5 to 60, whole minutes, or off.")
    ] = "15",
    requests_per_second: Annotated[
        float, typer.Option(metavar="N", min=0.1, max=10, help="Maximum requests per second to the provider.")
    ] = 5,
    initial_sync: Annotated[
        InitialSyncChoice, typer.Option(help="Whether to announce results from before the first poll.")
    ] = InitialSyncChoice.SILENT,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="N", help=f"Port of the AWS emulator (default: {DEFAULT_PORT})."),
    ] = None,
) -> None:
    """Deploy the stack on this machine and wait until it is ready.

    Example: examhook local up --base-url http://127.0.0.1:8100 --code simulated-code
    """
    options = LocalOptions(
        base_url=_base_url(base_url),
        account_code=_code(code),
        webhook_urls=tuple(_webhook_url(url) for url in webhook_url or ()),
        event_bus=_event_bus(event_bus),
        poll_seconds=_poll_seconds(poll_seconds),
        requests_per_second=requests_per_second,
        initial_sync=initial_sync.value,
        dialect=dialect.value,
    )
    paths = LocalPaths.find(os.environ)
    # Exit normally on SIGTERM, so that an unfinished deployment stops the emulator.
    signal.signal(signal.SIGTERM, _exit)
    started = start_stack(paths, os.environ, options, port, waiting)
    state = "was up and is updated" if started.was_up else "is up"
    say(f"Stack {DEFAULT_STACK_NAME} {state} at {started.emulator.url}.")
    for endpoint in started.endpoints:
        say(f"Webhook {endpoint.endpoint_id}: {endpoint.url}")
    hint(f"To use it in this shell: source {paths.shell_file}")
    hint(f"Signing secrets of the webhooks: {paths.stack_file}")


@app.command()
def down() -> None:
    """Stop the local stack and delete its data.

    Example: examhook local down
    """
    paths = LocalPaths.find(os.environ)
    with waiting("Stopping …"):
        stopped = stop_stack(paths)
    say("The local stack is down." if stopped else "The local stack was not up.")


@app.command()
def logs(
    *,
    function: Annotated[
        list[Function] | None, typer.Option(help="Show only lines of this function (repeatable).")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines until Ctrl-C.")] = False,
) -> None:
    """Print the logs of the functions.

    Example: examhook local logs --follow --function poll
    """
    stack, clients = running_stack(LocalPaths.find(os.environ))
    groups = {
        name: group
        for name, group in log_groups(stack, clients.functions()).items()
        if not function or name in function
    }
    lines = follow_lines(groups, clients.logs()) if follow else read_lines(groups, clients.logs())
    try:
        for line in lines:
            at = datetime.fromtimestamp(line.at_ms / 1000).astimezone()
            say(f"{at:%H:%M:%S} {line.function:<8} {line.message}")
    except KeyboardInterrupt:
        return


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _base_url(text: str) -> str:
    if not text.startswith(("http://", "https://")) or not is_plain(text):
        raise typer.BadParameter("must be a URL that begins with http:// or https://", param_hint="--base-url")
    return text.rstrip("/")


def _code(text: str) -> str:
    if not is_plain(text):
        raise typer.BadParameter("must not be empty or contain spaces, quotes or backslashes", param_hint="--code")
    return text


def _webhook_url(text: str) -> str:
    try:
        check_endpoint_url(text, allow_http=True, allow_private=True)
    except EndpointUrlError as error:
        raise typer.BadParameter(str(error), param_hint="--webhook-url") from error
    if "," in text or not is_plain(text):
        raise typer.BadParameter("percent-encode commas and quotes, as %2C and %27", param_hint="--webhook-url")
    return text


def _event_bus(text: str) -> str:
    if text and not _BUS_NAME.fullmatch(text):
        raise typer.BadParameter("must be letters, digits, dots, hyphens and underscores", param_hint="--event-bus")
    return text


def _poll_seconds(text: str) -> int | None:
    if text == "off":
        return None
    try:
        seconds = int(text)
        schedule_parameters(seconds)
    except ValueError as error:
        raise typer.BadParameter(
            "must be 5 to 60 seconds, whole minutes up to a day (120, 180, …), or off", param_hint="--poll-seconds"
        ) from error
    return seconds
