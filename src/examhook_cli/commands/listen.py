"""``examhook listen``."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from examhook.delivery.signature import BadSecretError
from examhook_cli.errors import CommandError
from examhook_cli.listener.event_line import event_json, event_line
from examhook_cli.listener.server import Received, running_listener
from examhook_cli.output import complain, hint, say


def listen(  # noqa: PLR0913 - each option is a parameter
    *,
    secret: Annotated[
        list[str],
        typer.Option(
            envvar="EXAMHOOK_SECRET",
            metavar="SECRET",
            help="Signing secret (repeatable); EXAMHOOK_SECRET keeps it out of the process list.",
        ),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0 selects a free port.")
    ] = 8200,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    status: Annotated[int, typer.Option(min=200, max=599, metavar="CODE", help="Respond with this HTTP status.")] = 204,
    fail_first: Annotated[int, typer.Option(min=0, metavar="N", help="Respond with 500 to the first N requests.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print each verified body on one line.")] = False,
) -> None:
    """Receive, verify and print webhooks on this machine.

    Responds with 401 to a request that none of the secrets signed. Ctrl-C stops it.

    Example: examhook listen --port 8200 --secret whsec_…
    """
    stop = threading.Event()

    def show(received: Received) -> None:
        try:
            _print(received, as_json=as_json)
        except BrokenPipeError:
            stop.set()  # the program that reads the output has exited

    try:
        with running_listener(secret, port, host, on_received=show) as listener:
            listener.answer_with(status)
            if fail_first:
                listener.answer_with(500, next_requests=fail_first)
            hint(f"Listening on {listener.url} (Ctrl-C stops it).")
            stop.wait()
    except KeyboardInterrupt:
        hint("Stopped.")
    except BadSecretError as error:
        advice = "examhook endpoints show ID --reveal-secret prints the secret of an endpoint"
        raise typer.BadParameter(f"{error}; {advice}", param_hint="--secret") from None
    except OSError as error:
        raise CommandError(
            f"Cannot listen on port {port} of {host} ({error.strerror}): choose another port with --port."
        ) from error


def _print(received: Received, *, as_json: bool) -> None:
    if received.problem is not None:
        complain(f"{event_line(received)}: {received.problem}")
    elif as_json:
        print(event_json(received), flush=True)
    else:
        say(event_line(received))
