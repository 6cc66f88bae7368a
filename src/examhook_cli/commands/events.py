"""``examhook events``."""

from __future__ import annotations

import json
from time import time
from typing import Annotated

import typer

from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST, WEBHOOK_TYPES
from examhook.storage.events import AHEAD_DAYS
from examhook_cli.commands import event_redrive, event_replay
from examhook_cli.installation import installation_of
from examhook_cli.options import TIME_FORMATS, AsJsonArray, Limit, parse_since, parse_types
from examhook_cli.output import print_json, print_table, time_text

app = typer.Typer(help="List, show and resend events.", no_args_is_help=True)

_STORED_TYPES = (*WEBHOOK_TYPES, ENDPOINT_TEST)


@app.command("list")
def list_events(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help=f"Show only events observed since {TIME_FORMATS}.")] = "7d",
    exam: Annotated[str | None, typer.Option(metavar="ID", help="Show only events of this exam.")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE,…", help="Show only these types (submission.forced, submission.*)."),
    ] = None,
    limit: Limit = 100,
    as_json: AsJsonArray = False,
) -> None:
    """List events, newest first, without names and scores.

    Example: examhook events list --since 2h --type 'submission.*'
    """
    now = int(time())
    from_time = parse_since(since, now)
    patterns = parse_types(types, _STORED_TYPES, "--type")
    installation = installation_of(context)
    events = installation.events.list_events(
        since=max(from_time, installation.oldest_event_at(now)),
        until=now,
        exam_id=exam,
        types=patterns,
        limit=limit,
        ahead_days=AHEAD_DAYS,
    )
    if as_json:
        print_json([_summary(event) for event in events])
        return
    print_table(
        ("observed at", "type", "exam", "candidate", "status", "id"),
        [
            (
                time_text(event.observed_at),
                event.event_type,
                event.exam_id or "",
                _body_field(event, "candidate", "id") or "",
                event.status or "",
                event.event_id,
            )
            for event in events
        ],
        empty=f"No events since {time_text(from_time)}.",
    )


@app.command()
def show(
    context: typer.Context,
    event_id: Annotated[str, typer.Argument(metavar="ID", help="Event id, from events list.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON document on one line in a pipe.")] = False,
) -> None:
    """Print one event, including names and the result link.

    Example: examhook events show evt_1
    """
    event = installation_of(context).event(event_id)
    print_json(json.loads(event.body), indent=None if as_json else 2)


app.command()(event_replay.replay)
app.command()(event_redrive.redrive)


def _summary(event: Event) -> dict[str, object]:
    return {
        "id": event.event_id,
        "type": event.event_type,
        "account": event.account,
        "exam_id": event.exam_id,
        "candidate_id": _body_field(event, "candidate", "id"),
        "started_at": _body_field(event, "submission", "started_at"),
        "status": event.status,
        "occurred_at": time_text(event.occurred_at),
        "observed_at": time_text(event.observed_at),
        "revision": event.sequence,
        "previous_id": event.previous_id,
    }


def _body_field(event: Event, part: str, name: str) -> str | None:
    value = json.loads(event.body)["data"].get(part, {}).get(name)
    return None if value is None else str(value)
