"""``examhook deliveries``."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from examhook.delivery.record import AttemptRecord, Delivery, DeliveryStatus
from examhook.workflows.administration.replay import Resent
from examhook_cli.commands.resending import enabled_endpoint, print_resent, replay_of
from examhook_cli.errors import CommandError
from examhook_cli.installation import Installation, installation_of
from examhook_cli.options import AsJson, AsJsonArray, Limit
from examhook_cli.output import print_facts, print_json, print_table, progress, time_text

_RETRIED = frozenset({DeliveryStatus.FAILED, DeliveryStatus.WAITING})
EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Endpoint id.")]

app = typer.Typer(help="List, show and retry webhook deliveries.", no_args_is_help=True)


@app.command("list")
def list_deliveries(
    context: typer.Context,
    *,
    endpoint: Annotated[str | None, typer.Option(metavar="ID", help="Show only deliveries to this endpoint.")] = None,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Show only deliveries with this status.")] = None,
    limit: Limit = 100,
    as_json: AsJsonArray = False,
) -> None:
    """List deliveries, newest first.

    Example: examhook deliveries list --status failed
    """
    deliveries = installation_of(context).deliveries.list_for(endpoint, status, limit)
    if as_json:
        print_json([_facts(delivery) for delivery in deliveries])
        return
    print_table(
        ("created at", "status", "attempts", "next attempt at", "type", "endpoint", "event"),
        [
            (
                time_text(delivery.created_at),
                delivery.status.value,
                str(delivery.attempts),
                time_text(_next_attempt_at(delivery)),
                delivery.event_type,
                delivery.endpoint_id,
                delivery.event_id,
            )
            for delivery in deliveries
        ],
        empty="No deliveries.",
    )


@app.command()
def show(
    context: typer.Context,
    endpoint_id: EndpointId,
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="Event id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Print one delivery and its attempts.

    Example: examhook deliveries show ep_1 evt_1
    """
    delivery = _delivery(installation_of(context), endpoint_id, event_id)
    if as_json:
        print_json(_facts(delivery))
        return
    print_facts(
        {
            "endpoint": delivery.endpoint_id,
            "event": delivery.event_id,
            "type": delivery.event_type,
            "status": delivery.status.value,
            "cancelled because": delivery.cancelled_reason or "",
            "created at": time_text(delivery.created_at),
            "next attempt at": time_text(_next_attempt_at(delivery)),
            "deleted at": time_text(delivery.expires_at),
        }
    )
    print_table(
        ("attempt", "at", "status", "duration ms", "result", "response"),
        [
            (
                str(record.attempt),
                time_text(record.at),
                "" if record.http_status is None else str(record.http_status),
                str(record.latency_ms),
                record.reason,
                record.answer_excerpt,
            )
            for record in delivery.attempt_log
        ],
        empty="No attempt has completed yet.",
    )


@app.command()
def retry(
    context: typer.Context,
    endpoint_id: EndpointId,
    event_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[EVENT]…", help="Event ids (default: all failed and waiting deliveries)."),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count deliveries without sending them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Retry failed and waiting deliveries now.

    Example: examhook deliveries retry ep_1
    """
    installation = installation_of(context)
    enabled_endpoint(installation, endpoint_id)
    replay = replay_of(installation, dry_run=dry_run)
    if event_ids:
        deliveries = [_delivery(installation, endpoint_id, event_id) for event_id in dict.fromkeys(event_ids)]
    else:
        deliveries = [each for each in installation.deliveries.every(endpoint_id) if each.status in _RETRIED]
    counts: Counter[Resent] = Counter()
    with progress("Sending", len(deliveries)) as show_progress:
        for delivery in sorted(deliveries, key=lambda each: each.created_at):
            # If the endpoint is down, send all deliveries that the user names; if the user names none, send one.
            counts[replay.retry_now(delivery, probe=bool(event_ids))] += 1
            show_progress(counts.total())
    print_resent(counts, as_json=as_json, dry_run=dry_run)


def _delivery(installation: Installation, endpoint_id: str, event_id: str) -> Delivery:
    delivery = installation.deliveries.get(endpoint_id, event_id)
    if delivery is None:
        raise CommandError(f"Event {event_id} has no delivery to {endpoint_id}: see examhook deliveries list.")
    return delivery


def _facts(delivery: Delivery) -> dict[str, object]:
    """A delivery as ``--json`` prints it; times are RFC 3339 in UTC or null."""
    return {
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "status": delivery.status.value,
        "cancelled_reason": delivery.cancelled_reason,
        "attempts": delivery.attempts,
        "created_at": time_text(delivery.created_at),
        "next_attempt_at": time_text(_next_attempt_at(delivery)) or None,
        "expires_at": time_text(delivery.expires_at),
        "attempt_log": [_attempt_facts(record) for record in delivery.attempt_log],
    }


def _attempt_facts(record: AttemptRecord) -> dict[str, object]:
    return {
        "attempt": record.attempt,
        "at": time_text(record.at),
        "outcome": record.outcome.value,
        "reason": record.reason,
        "http_status": record.http_status,
        "latency_ms": record.latency_ms,
        "answer_excerpt": record.answer_excerpt,
        "next_attempt_at": time_text(record.next_attempt_at) or None,
    }


def _next_attempt_at(delivery: Delivery) -> int | None:
    """When the next attempt is due; None unless the delivery waits.

    The stored time of a pending delivery is the timeout after which its message counts as lost.
    """
    return delivery.next_attempt_at if delivery.status is DeliveryStatus.WAITING else None
