"""``examhook local``: the same template, deployed into an emulator of AWS on this machine."""

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
from examhook_cli.local.environment import LocalEnvironment
from examhook_cli.local.logs import Function, LogLine, follow_lines, log_groups, read_lines
from examhook_cli.local.parameters import LocalOptions, is_plain, schedule_parameters
from examhook_cli.local.local_stack import DEFAULT_PORT, LocalStack, running_stack
from examhook_cli.local.local_stack import down as stop
from examhook_cli.local.local_stack import up as start
from examhook_cli.output import hint, say, waiting
from examhook_cli.stack import DEFAULT_STACK_NAME

_BUS_NAME = re.compile(r"[A-Za-z0-9._-]{1,256}")

app = typer.Typer(help="Run the stack on this machine, without AWS.", no_args_is_help=True)


class DialectChoice(StrEnum):
    """The provider's APIs."""

    LEGACY = "legacy"
    V1 = "v1"


class InitialSyncChoice(StrEnum):
    """What to do with what had ended before the watch began."""

    SILENT = "silent"
    ANNOUNCE = "announce"


@app.command()
def up(  # noqa: PLR0913 - one argument for each option
    *,
    base_url: Annotated[str, typer.Option(metavar="URL", help="Where the provider is; see also: examhook simulate.")],
    code: Annotated[
        str, typer.Option(envvar="EXAMHOOK_ACCOUNT_CODE", metavar="CODE", help="The account's code at the provider.")
    ],
    dialect: Annotated[DialectChoice, typer.Option(help="Which of the provider's APIs.")] = DialectChoice.LEGACY,
    webhook_url: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="A webhook to send events to; may be given several times.")
    ] = None,
    event_bus: Annotated[
        str, typer.Option(metavar="NAME", help="An EventBridge bus that gets every event too, such as default.")
    ] = "",
    poll_seconds: Annotated[
        str, typer.Option(metavar="N|off", help="Seconds between polls (5 to 60, or whole minutes), or off.")
    ] = "15",
    requests_per_second: Annotated[
        float, typer.Option(metavar="N", min=0.1, max=10, help="At most this many requests to the provider.")
    ] = 5,
    initial_sync: Annotated[
        InitialSyncChoice, typer.Option(help="Whether what had ended before the first poll is announced.")
    ] = InitialSyncChoice.SILENT,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="N", help=f"Where AWS is played; {DEFAULT_PORT} if not given."),
    ] = None,
) -> None:
    """Deploy the stack on this machine and return when it is ready."""
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
    environment = LocalEnvironment.find(os.environ)
    # Whoever ends this command before it is done must not leave an emulator behind.
    signal.signal(signal.SIGTERM, _leave)
    ready = start(environment, os.environ, options, port, waiting)
    _tell(environment, ready)


@app.command()
def down() -> None:
    """Stop the local stack and remove all that it kept."""
    environment = LocalEnvironment.find(os.environ)
    with waiting("Stopping …"):
        stopped = stop(environment)
    say("The local stack is down." if stopped else "The local stack was not up.")


@app.command()
def logs(
    *,
    function: Annotated[list[Function] | None, typer.Option(help="Only this function; may be repeated.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what comes, until Ctrl-C.")] = False,
) -> None:
    """Print what the functions logged."""
    stack, clients = running_stack(LocalEnvironment.find(os.environ))
    groups = {
        name: group
        for name, group in log_groups(stack, clients.functions()).items()
        if not function or name in function
    }
    lines = follow_lines(groups, clients.logs()) if follow else read_lines(groups, clients.logs())
    try:
        for line in lines:
            say(_line_text(line))
    except KeyboardInterrupt:
        return


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _tell(environment: LocalEnvironment, ready: LocalStack) -> None:
    what = "was up and is deployed anew" if ready.was_up else "is up"
    say(f"Stack {DEFAULT_STACK_NAME} {what} at {ready.emulator.url}.")
    for endpoint in ready.endpoints:
        say(f"Webhook {endpoint.endpoint_id}: {endpoint.url}")
    hint(f"Speak to it:  source {environment.shell_file}")
    hint(f"Secrets of the webhooks are in {environment.stack_file}")


def _line_text(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at_ms / 1000).astimezone()
    return f"{at:%H:%M:%S} {line.function:<8} {line.message}"


def _base_url(text: str) -> str:
    if not text.startswith(("http://", "https://")) or not is_plain(text):
        raise typer.BadParameter("must be an address that begins with http:// or https://", param_hint="--base-url")
    return text.rstrip("/")


def _code(text: str) -> str:
    if not is_plain(text):
        raise typer.BadParameter("must not be empty or hold spaces, quotes or backslashes", param_hint="--code")
    return text


def _webhook_url(text: str) -> str:
    try:
        check_endpoint_url(text, allow_http=True, allow_private=True)
    except EndpointUrlError as error:
        raise typer.BadParameter(str(error), param_hint="--webhook-url") from error
    if "," in text or not is_plain(text):
        raise typer.BadParameter("write commas and quotes %-encoded, as %2C or %27", param_hint="--webhook-url")
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
            "must be 5 to 60 seconds, or whole minutes up to a day (120, 180, …), or off", param_hint="--poll-seconds"
        ) from error
    return seconds
