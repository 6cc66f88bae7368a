"""``examhook deliveries``: what became of each event on its way to each endpoint."""

from __future__ import annotations

from typing import Annotated

import typer

from examhook.delivery.record import AttemptRecord, Delivery, DeliveryStatus
from examhook_cli.errors import CommandError
from examhook_cli.installation import installation_of
from examhook_cli.output import print_facts, print_json, print_table, time_text

app = typer.Typer(help="See what became of each event on its way to each webhook.", no_args_is_help=True)


@app.command("list")
def list_deliveries(
    context: typer.Context,
    *,
    endpoint: Annotated[str | None, typer.Option(metavar="ID", help="Only those to this endpoint.")] = None,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only those that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List deliveries, newest first."""
    found = installation_of(context).deliveries.list_for(endpoint, status, limit)
    if as_json:
        print_json([delivery_facts(delivery) for delivery in found])
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
            for delivery in found
        ],
        nothing="No deliveries.",
    )


@app.command()
def show(
    context: typer.Context,
    endpoint_id: Annotated[str, typer.Argument(metavar="ENDPOINT", help="The endpoint's id.")],
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print one delivery with each of its attempts."""
    delivery = installation_of(context).deliveries.get(endpoint_id, event_id)
    if delivery is None:
        raise CommandError(f"There is no delivery of {event_id} to {endpoint_id}: see examhook deliveries list.")
    if as_json:
        print_json(delivery_facts(delivery))
        return
    print_facts(
        {
            "endpoint": delivery.endpoint_id,
            "event": delivery.event_id,
            "type": delivery.event_type,
            "status": delivery.status.value,
            "created at": time_text(delivery.created_at),
            "next attempt at": time_text(_next_attempt_at(delivery)),
            "forgotten at": time_text(delivery.expires_at),
        }
    )
    print_table(
        ("attempt", "at", "status", "took ms", "what became of it", "answer"),
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
        nothing="No attempt has ended yet.",
    )


def delivery_facts(delivery: Delivery) -> dict[str, object]:
    """A delivery as ``--json`` prints it; times are RFC 3339 in UTC or null."""
    return {
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "created_at": time_text(delivery.created_at),
        "next_attempt_at": time_text(_next_attempt_at(delivery)) or None,
        "expires_at": time_text(delivery.expires_at),
        "attempt_log": [_record_facts(record) for record in delivery.attempt_log],
    }


def _record_facts(record: AttemptRecord) -> dict[str, object]:
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
    """When the next attempt is due; not of a pending one, where the time only says when a lost message is repeated."""
    return delivery.next_attempt_at if delivery.status is DeliveryStatus.WAITING else None
