"""What Dispatch is invoked with besides the stream: batches that the stream gave up on, and a person's command."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeGuard

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.redrive_queue import RedriveRequest, parse_redrive
from examhook.metrics import Meter, Metric
from examhook.telemetry import log_outcome, logger_for

if TYPE_CHECKING:
    from examhook.destinations.redrive_queue import RedriveQueue
    from examhook.workflows.administration.redrive import Redrive, RedriveReport

logger = logger_for("dispatch")

BUDGET_S = 80.0
"""After this a redrive stops at the end of a page and says where to go on; the function is ended after 120 s."""


class FailureRecord(TypedDict):
    """A message on the failure queue; ``SentTimestamp`` is Unix milliseconds as text."""

    messageId: str
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


class BatchItemFailure(TypedDict):
    """A message that the queue is to bring again, or the record from which on the stream is to."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What a queue or the stream wants back (``ReportBatchItemFailures``)."""

    batchItemFailures: list[BatchItemFailure]


class RedriveIncompleteError(Exception):
    """Of no message all events could be sent; the queue brings all of them again."""


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
    order = RedriveRequest(wish["since"], wish.get("place"))
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


def repair(event: FailureEvent, redrive: Redrive, failures: RedriveQueue) -> BatchAnswer:
    """Redrive what the messages stand for, each part of the table once; answers with those that are to come again.

    Each message stands for a part of the table, and no part has more than one however often something in it fails::

        went through it: nothing failed ──▶ done      something failed ──▶ the message comes again
        out of time ──▶ a message for the rest, and, if something failed, one for what it went through; done itself

    Raises RedriveIncompleteError where all of them are to come again, so that it counts as an error of the function.
    """
    stop_at = time.monotonic() + BUDGET_S
    failed: list[str] = []
    reasons: set[str] = set()
    for number, (order, message_ids) in enumerate(_parts(event["Records"])):
        reason = None
        try:
            if number and time.monotonic() >= stop_at:
                failures.send(order)
            else:
                reason = _settle(order, redrive, failures, stop_at)
        except (ClientError, BotoCoreError) as error:
            reason = type(error).__name__
            log_outcome(logger, "redrive", outcome="error", reason=reason)
        if reason is not None:
            failed += message_ids
            reasons.add(reason)
    if len(failed) == len(event["Records"]):
        raise RedriveIncompleteError("; ".join(sorted(reasons)))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _parts(records: Sequence[FailureRecord]) -> list[tuple[RedriveRequest, list[str]]]:
    """Which parts of the table are asked for, each since the earliest time, and by which messages.

    The whole table comes first, so that it is never put off: most messages ask for it.
    """
    orders: dict[tuple[object, ...], RedriveRequest] = {}
    asked_by: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for record in records:
        order = parse_redrive(record["body"], int(record["attributes"]["SentTimestamp"]) // 1000)
        part = tuple(key and (key["pk"], key["sk"]) for key in (order.start_key, order.end_key))
        asked_by[part].append(record["messageId"])
        orders[part] = replace(order, since=min(order.since, orders.get(part, order).since))
    return sorted(((orders[part], asked_by[part]) for part in orders), key=lambda each: not _is_whole(each[0]))


def _is_whole(order: RedriveRequest) -> bool:
    return order.start_key is None and order.end_key is None


def _settle(order: RedriveRequest, redrive: Redrive, failures: RedriveQueue, stop_at: float) -> str | None:
    """Redrive a part of the table; why its message is to come again, None where it need not."""
    report = _run(redrive, order, stop_at, dry_run=False)
    if report.next_place is not None:
        failures.send(replace(order, start_key=report.next_place))
        if report.failed:
            failures.send(replace(order, end_key=report.next_place))
        return None
    return f"{report.failed} submission(s) wait for the next try: {report.reason}" if report.failed else None


def _run(redrive: Redrive, order: RedriveRequest, stop_at: float, *, dry_run: bool) -> RedriveReport:
    began_at = time.monotonic()
    report = redrive.run(order.since, order.start_key, order.end_key, stop_at=stop_at, dry_run=dry_run)
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
