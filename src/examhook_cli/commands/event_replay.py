"""``examhook events replay``."""

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
from examhook_cli.commands.resending import enabled_endpoint, print_resent, replay_of
from examhook_cli.installation import Installation, installation_of
from examhook_cli.options import AsJson, parse_since, parse_types, split_list
from examhook_cli.output import hint, progress


def replay(  # noqa: PLR0913 - each option is a parameter
    context: typer.Context,
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Event ids, from events list.")] = None,
    *,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Send all events observed since 2026-05-03T14:02:00Z, 2h, 3d.")
    ] = None,
    endpoints: Annotated[
        list[str] | None, typer.Option("--endpoint", metavar="ID,…", help="Send only to these webhooks.")
    ] = None,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="Send only events that were never delivered.")
    ] = False,
    exam: Annotated[str | None, typer.Option(metavar="ID", help="With --since: send only events of this exam.")] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE,…", help="With --since: send only these event types.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count deliveries without sending them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send events to webhooks again, under the same ids.

    Sends to each enabled webhook whose filters match.

    Example: examhook events replay --since 2h --undelivered
    """
    if bool(event_ids) == bool(since):
        raise typer.BadParameter("pass either event ids or --since")
    now = int(time())
    patterns = parse_types(types, WEBHOOK_TYPES, "--type")
    from_time = parse_since(since, now) if since else now
    installation = installation_of(context)
    receivers = _receivers(installation, split_list(endpoints))
    if event_ids:
        selected: Iterator[Event] = iter([installation.event(each) for each in dict.fromkeys(event_ids)])
    else:
        from_time = max(from_time, installation.oldest_event_at(now))
        selected = installation.events.oldest_first(from_time, now, exam_id=exam, types=patterns, ahead_days=AHEAD_DAYS)
    counts: Counter[Resent] = Counter()
    events = 0
    with progress("Sending", len(event_ids) if event_ids else now - from_time) as show:
        sent = replay_of(installation, dry_run=dry_run).send_again(selected, receivers, undelivered_only=undelivered)
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
