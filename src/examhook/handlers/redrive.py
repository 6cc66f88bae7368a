"""Redrive requests to Dispatch: messages of the failure queue, and the redrive command."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeGuard

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.redrive_queue import RedriveRequest, parse_redrive
from examhook.handlers.batch_response import BatchResponse, batch_response
from examhook.metrics import Metric, write_metrics
from examhook.telemetry import log_outcome, logger_for

if TYPE_CHECKING:
    from examhook.destinations.redrive_queue import RedriveQueue
    from examhook.workflows.administration.redrive import Redrive, RedriveReport

logger = logger_for("dispatch")

BUDGET_S = 80.0
"""Time after which a redrive stops at the end of a page. Lambda ends the function after 120 s."""


class FailureRecord(TypedDict):
    """A message of the failure queue; ``SentTimestamp`` is Unix milliseconds as text."""

    messageId: str
    eventSource: str
    body: str
    attributes: Mapping[str, str]


class FailureEvent(TypedDict):
    """A batch of the failure queue."""

    Records: list[FailureRecord]


class RedriveParameters(TypedDict):
    """Start time (Unix seconds), key of the table to continue after, and whether to count only."""

    since: int
    place: NotRequired[Mapping[str, str] | None]
    dry_run: NotRequired[bool]


class RedriveCommand(TypedDict):
    """Input of the redrive command."""

    redrive: RedriveParameters


class RedriveIncompleteError(Exception):
    """All messages of a batch failed; the queue delivers them again."""


def is_redrive_command(event: Mapping[str, object]) -> TypeGuard[RedriveCommand]:
    """Whether an operator requested a redrive."""
    return "redrive" in event


def is_failure_event(event: Mapping[str, object]) -> TypeGuard[FailureEvent]:
    """Whether the failure queue invoked the function."""
    records = event.get("Records")
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:sqs"


def run_redrive_command(command: RedriveCommand, redrive: Redrive) -> dict[str, object]:
    """Redrive until the time budget is used up; return the fields of ``RedriveReport``."""
    parameters = command["redrive"]
    order = RedriveRequest(parameters["since"], parameters.get("place"))
    report = _run(redrive, order, time.monotonic() + BUDGET_S, dry_run=parameters.get("dry_run", False))
    return asdict(report)


def process_failures(event: FailureEvent, redrive: Redrive, failures: RedriveQueue) -> BatchResponse:
    """Redrive the key range of each message, and return the messages that the queue must deliver again.

    Messages for the same range are processed together::

        range complete, no failure ──▶ done
        range complete, failures   ──▶ the queue delivers the message again
        out of time                ──▶ done; new messages for the rest, and for the processed part if it had failures

    Raises RedriveIncompleteError if all messages failed, so that Lambda counts an error.
    """
    stop_at = time.monotonic() + BUDGET_S
    failed_ids: list[str] = []
    reasons: set[str] = set()
    for number, (order, message_ids) in enumerate(_by_range(event["Records"])):
        reason = None
        try:
            if number and time.monotonic() >= stop_at:
                failures.send(order)
            else:
                reason = _redrive_range(order, redrive, failures, stop_at)
        except (ClientError, BotoCoreError) as error:
            reason = type(error).__name__
            log_outcome(logger, "redrive", outcome="error", reason=reason)
        if reason is not None:
            failed_ids += message_ids
            reasons.add(reason)
    if len(failed_ids) == len(event["Records"]):
        raise RedriveIncompleteError("; ".join(sorted(reasons)))
    return batch_response(failed_ids)


def _by_range(records: Sequence[FailureRecord]) -> list[tuple[RedriveRequest, list[str]]]:
    """Return one request for each key range, with the earliest start time, and the ids of its messages.

    The whole table comes first: most messages request it, so it must never be postponed.
    """
    orders: dict[tuple[object, ...], RedriveRequest] = {}
    message_ids: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for record in records:
        order = parse_redrive(record["body"], int(record["attributes"]["SentTimestamp"]) // 1000)
        bounds = tuple(key and (key["pk"], key["sk"]) for key in (order.start_key, order.end_key))
        message_ids[bounds].append(record["messageId"])
        orders[bounds] = replace(order, since=min(order.since, orders.get(bounds, order).since))
    whole_table = (None, None)
    return [(orders[bounds], message_ids[bounds]) for bounds in sorted(orders, key=lambda each: each != whole_table)]


def _redrive_range(order: RedriveRequest, redrive: Redrive, failures: RedriveQueue, stop_at: float) -> str | None:
    """Redrive a key range; return why its messages must be delivered again, or None."""
    report = _run(redrive, order, stop_at, dry_run=False)
    if report.next_place is not None:
        failures.send(replace(order, start_key=report.next_place))
        if report.failed:
            failures.send(replace(order, end_key=report.next_place))
        return None
    return f"{report.failed} submission(s) wait for the next attempt: {report.reason}" if report.failed else None


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
    write_metrics(os.environ, {Metric.EVENTS_DISPATCHED: report.dispatched, Metric.EVENTS_FAILED: report.failed})
    return report
