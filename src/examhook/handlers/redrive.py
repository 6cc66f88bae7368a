"""What Dispatch is invoked with besides the stream: batches that the stream gave up on, and a person's command."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeGuard

from examhook.destinations.redrive_queue import RedriveOrder, order_of
from examhook.metrics import Meter, Metric
from examhook.telemetry import log_outcome, logger_for

if TYPE_CHECKING:
    from examhook.destinations.redrive_queue import RedriveQueue
    from examhook.workflows.redrive import Redrive, RedriveReport

logger = logger_for("dispatch")

BUDGET_S = 80.0
"""After this a redrive stops at the end of a page and says where to go on; the function is ended after 120 s."""


class FailureRecord(TypedDict):
    """A message on the failure queue; ``SentTimestamp`` is Unix milliseconds as text."""

    eventSource: str
    body: str
    attributes: Mapping[str, str]


class FailureEvent(TypedDict):
    """What the failure queue passes in."""

    Records: list[FailureRecord]


class RedriveWish(TypedDict):
    """Since when (Unix seconds), from where on, and whether only to count."""

    since: int
    place: NotRequired[Mapping[str, str] | None]
    dry_run: NotRequired[bool]


class RedriveCommand(TypedDict):
    """What a person passes in."""

    redrive: RedriveWish


class RedriveAnswer(TypedDict):
    """What a person is told."""

    scanned: int
    missing: int
    dispatched: int
    failed: int
    unreadable: int
    reason: str | None
    next_place: Mapping[str, str] | None


class RedriveIncompleteError(Exception):
    """Some events could not be sent; the queue brings the message again."""


def is_command(event: Mapping[str, object]) -> TypeGuard[RedriveCommand]:
    """Whether a person invoked the function."""
    return "redrive" in event


def is_failure(event: Mapping[str, object]) -> TypeGuard[FailureEvent]:
    """Whether the failure queue invoked the function."""
    records = event.get("Records")
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:sqs"


def obey(command: RedriveCommand, redrive: Redrive) -> RedriveAnswer:
    """Redrive what a person asks for, as far as the time goes."""
    wish = command["redrive"]
    order = RedriveOrder(wish["since"], wish.get("place"))
    report = _run(redrive, order, time.monotonic() + BUDGET_S, dry_run=wish.get("dry_run", False))
    return {
        "scanned": report.scanned,
        "missing": report.missing,
        "dispatched": report.dispatched,
        "failed": report.failed,
        "unreadable": report.unreadable,
        "reason": report.reason,
        "next_place": report.next_place,
    }


def repair(event: FailureEvent, redrive: Redrive, failures: RedriveQueue) -> None:
    """Redrive what the messages stand for: those that begin anew by one look through the table, the others each.

    Raises RedriveIncompleteError; then all the messages come again, and what was sent is left alone.
    """
    stop_at = time.monotonic() + BUDGET_S
    orders = [order_of(each["body"], int(each["attributes"]["SentTimestamp"]) // 1000) for each in event["Records"]]
    anew = [order.since for order in orders if order.place is None]
    going_on = [order for order in orders if order.place is not None]
    for order in [*([RedriveOrder(min(anew))] if anew else []), *going_on]:
        report = _run(redrive, order, stop_at, dry_run=False)
        if report.failed:
            raise RedriveIncompleteError(f"{report.failed} submission(s) wait for the next try: {report.reason}")
        if report.next_place is not None:
            failures.go_on(RedriveOrder(order.since, report.next_place))


def _run(redrive: Redrive, order: RedriveOrder, stop_at: float, *, dry_run: bool) -> RedriveReport:
    began_at = time.monotonic()
    report = redrive.run(order.since, order.place, stop_at=stop_at, dry_run=dry_run)
    log_outcome(
        logger,
        "redrive",
        outcome="retry" if report.failed else "done",
        complete=report.next_place is None,
        rows=report.scanned,
        dispatched=report.dispatched,
        failed=report.failed,
        skipped_rows=report.unreadable,
        reason=report.reason,
        duration_ms=round((time.monotonic() - began_at) * 1000),
    )
    Meter.of(os.environ).write({Metric.EVENTS_DISPATCHED: report.dispatched, Metric.EVENTS_FAILED: report.failed})
    return report
