"""``examhook listen``: receive webhooks here, verify them, and print each as it comes."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from examhook.delivery.signature import BadSecretError
from examhook_cli.errors import CommandError
from examhook_cli.listener.event_line import json_of, line_of
from examhook_cli.listener.server import Listener, Received, running_listener
from examhook_cli.output import complain, hint, say


def listen(  # noqa: PLR0913 - each option is a parameter
    *,
    secret: Annotated[
        list[str],
        typer.Option(
            envvar="EXAMHOOK_SECRET",
            metavar="SECRET",
            help="The endpoint's signing secret (whsec_…); several times where several endpoints send here. "
            "In the environment it stays out of the list of processes.",
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="The port to listen on, 0 for any.")] = 8200,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    status: Annotated[
        int,
        typer.Option(min=200, max=599, metavar="CODE", help="Answer with this HTTP status, to play a bad receiver."),
    ] = 204,
    fail_first: Annotated[
        int, typer.Option(min=0, metavar="N", help="Answer 500 to the first N requests, then as usual.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verified bodies instead, one on a line.")] = False,
) -> None:
    """Receive webhooks on this machine, verify their signatures, and print each event as one line.

    What is not signed by one of the secrets is answered with 401. Ctrl-C ends it.
    """
    stop = threading.Event()

    def show(received: Received) -> None:
        try:
            _print(received, as_json=as_json)
        except BrokenPipeError:
            stop.set()  # whoever read the output has gone

    try:
        with running_listener(secret, port, host, on_received=show) as listener:
            _play(listener, status, fail_first)
            hint(f"Listening on {listener.url} (Ctrl-C ends it).")
            stop.wait()
    except KeyboardInterrupt:
        hint("Stopped.")
    except BadSecretError as error:
        where = "examhook endpoints show ID --reveal-secret prints an endpoint's"
        raise typer.BadParameter(f"{error}; {where}", param_hint="--secret") from None
    except OSError as error:
        raise CommandError(
            f"Port {port} of {host} cannot be listened on ({error.strerror}): name another with --port."
        ) from error


def _play(listener: Listener, status: int, fail_first: int) -> None:
    listener.answer_with(status)
    if fail_first:
        listener.answer_with(500, next_requests=fail_first)


def _print(received: Received, *, as_json: bool) -> None:
    if received.problem is not None:
        complain(f"{line_of(received)}: {received.problem}")
    elif as_json:
        print(json_of(received), flush=True)
    else:
        say(line_of(received))
