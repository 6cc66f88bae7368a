"""``examhook events``: what was announced, as it was sent."""

from __future__ import annotations

import json
from time import time
from typing import Annotated

import typer

from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST, WEBHOOK_TYPES
from examhook.storage.events import AHEAD_DAYS
from examhook_cli.options import since_time, type_patterns
from examhook_cli.commands import event_redrive, event_replay
from examhook_cli.commands.resending import oldest_kept
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.output import print_json, print_table, time_text

app = typer.Typer(help="See what was announced.", no_args_is_help=True)

_STORED_TYPES = (*WEBHOOK_TYPES, ENDPOINT_TEST)


@app.command("list")
def list_events(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    *,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Only what was noticed since: 2026-05-03T14:02:00Z, 2026-05-03, 90m, 2h, 3d."
        ),
    ] = "7d",
    exam: Annotated[str | None, typer.Option(metavar="ID", help="Only what is about this exam.")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only this type, or these: submission.forced, submission.*"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List events, newest first, without names and scores."""
    now = time()
    from_time = since_time(since, now)
    patterns = type_patterns(types, _STORED_TYPES, "--type")
    installation = installation_of(context)
    found = installation.events.list_events(
        since=max(from_time, oldest_kept(installation, now)),
        until=int(now),
        exam_id=exam,
        types=patterns,
        limit=limit,
        ahead_days=AHEAD_DAYS,
    )
    if as_json:
        print_json([_summary(event) for event in found])
        return
    print_table(
        ("observed at", "type", "exam", "candidate", "status", "id"),
        [
            (
                time_text(event.observed_at),
                event.event_type,
                event.exam_id or "",
                _candidate_id(event) or "",
                event.status or "",
                event.event_id,
            )
            for event in found
        ],
        nothing=f"No events since {time_text(from_time)}.",
    )


@app.command()
def show(
    context: typer.Context,
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id, as events list prints it.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print it on one line in a pipe.")] = False,
) -> None:
    """Print one event whole, with the candidate's name and the link to the result."""
    event = installation_of(context).events.get(event_id)
    if event is None:
        raise CommandError(f"There is no event {event_id}: see examhook events list (old events are forgotten).")
    print_json(json.loads(event.body), indent=None if as_json else 2)


app.command()(event_replay.replay)
app.command()(event_redrive.redrive)


def _summary(event: Event) -> dict[str, object]:
    return {
        "id": event.event_id,
        "type": event.event_type,
        "account": event.account,
        "exam_id": event.exam_id,
        "candidate_id": _candidate_id(event),
        "started_at": _started_at(event),
        "status": event.status,
        "occurred_at": time_text(event.occurred_at),
        "observed_at": time_text(event.observed_at),
        "revision": event.sequence,
        "previous_id": event.previous_id,
    }


def _candidate_id(event: Event) -> str | None:
    return _fact(event, "candidate", "id")


def _started_at(event: Event) -> str | None:
    return _fact(event, "submission", "started_at")


def _fact(event: Event, part: str, name: str) -> str | None:
    """One fact out of the event's body; None where it has none."""
    fact = json.loads(event.body)["data"].get(part, {}).get(name)
    return None if fact is None else str(fact)
