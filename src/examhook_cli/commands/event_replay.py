"""``examhook events replay``: send events again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from time import time
from typing import Annotated

import typer

from examhook.delivery.endpoint import Endpoint
from examhook.events.build import Event
from examhook.events.catalogue import WEBHOOK_TYPES
from examhook.storage.events import AHEAD_DAYS
from examhook.workflows.administration.replay import Resent
from examhook_cli.options import since_time, split_list, type_patterns
from examhook_cli.commands.resending import enabled_endpoint, oldest_kept, print_resent, replay_of
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.output import hint, progress


def replay(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    event_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="Ids of events, as events list prints them.")
    ] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="All that was noticed since: 2026-05-03T14:02:00Z, a day, 2h."),
    ] = None,
    endpoints: Annotated[
        list[str] | None, typer.Option("--endpoint", metavar="ID,…", help="Only to these webhooks.")
    ] = None,
    undelivered: Annotated[bool, typer.Option("--undelivered", help="Only what never arrived.")] = False,
    exam: Annotated[str | None, typer.Option(metavar="ID", help="With --since: only what is about this exam.")] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE,…", help="With --since: only of these types.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Send events to webhooks again, under the same ids, to those whose filters let them through."""
    if bool(event_ids) == bool(since):
        raise typer.BadParameter("name events by their ids, or a time by --since")
    now = time()
    patterns = type_patterns(types, WEBHOOK_TYPES, "--type")
    from_time = since_time(since, now) if since else int(now)
    installation = installation_of(context)
    receivers = _receivers(installation, split_list(endpoints))
    if event_ids:
        found: Iterator[Event] = iter([_event(installation, each) for each in dict.fromkeys(event_ids)])
    else:
        from_time = max(from_time, oldest_kept(installation, now))
        found = installation.events.oldest_first(
            from_time, int(now), exam_id=exam, types=patterns, ahead_days=AHEAD_DAYS
        )
    counts: Counter[Resent] = Counter()
    events = 0
    with progress("Sending", len(event_ids) if event_ids else int(now) - from_time) as show:
        sent = replay_of(installation, dry_run=dry_run).send_again(found, receivers, undelivered_only=undelivered)
        for event, outcomes in sent:
            counts += outcomes
            events += 1
            show(events if event_ids else event.observed_at - from_time)
    print_resent(counts, as_json=as_json, dry_run=dry_run, events=events)


def _receivers(installation: Installation, endpoint_ids: tuple[str, ...]) -> list[Endpoint]:
    if endpoint_ids:
        return [enabled_endpoint(installation, each) for each in endpoint_ids]
    enabled = [each for each in installation.endpoints.list_all() if each.is_enabled]
    if not enabled:
        hint("No webhook is enabled: see examhook endpoints list.")
    return enabled


def _event(installation: Installation, event_id: str) -> Event:
    event = installation.events.get(event_id)
    if event is None:
        raise CommandError(f"There is no event {event_id}: see examhook events list (old events are forgotten).")
    return event
