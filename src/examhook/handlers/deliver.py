"""Deliver's entry point: a batch of messages from the delivery queue, all tried at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypedDict

from examhook.destinations.delivery_queue import parse_body
from examhook.metrics import Meter, Metric
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.deliver import deliver
from examhook.workflows.deliver import DeliverReport, DeliverWebhooks, MessageOutcome

logger = logger_for("deliver")

_LARGEST_BATCH = 10
_FAILED = (MessageOutcome.RETRY_LATER, MessageOutcome.FAILED, MessageOutcome.DISABLED)


class QueueRecord(TypedDict):
    """The parts of an SQS record that are read."""

    messageId: str
    body: str


class QueueBatch(TypedDict):
    """An SQS event."""

    Records: list[QueueRecord]


class ItemFailure(TypedDict):
    """One message that SQS is to deliver again."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """A partial batch response."""

    batchItemFailures: list[ItemFailure]


@cache
def _workflow() -> DeliverWebhooks:
    return deliver(os.environ)


def handler(event: QueueBatch, context: object) -> BatchAnswer:  # noqa: ARG001 - Lambda passes both
    """Try every message of the batch side by side, so that none waits for a slow receiver of another.

    Messages that could not be worked on are named in the answer, and SQS brings them again.
    """
    workflow = _workflow()
    with ThreadPoolExecutor(_LARGEST_BATCH) as pool:
        futures = [
            (record["messageId"], pool.submit(_try_one, workflow, record["body"])) for record in event["Records"]
        ]
    failures: list[ItemFailure] = [
        {"itemIdentifier": message_id} for message_id, future in futures if not _succeeded(future)
    ]
    _count([future.result().outcome for _, future in futures if future.exception() is None])
    return {"batchItemFailures": failures}


def _try_one(workflow: DeliverWebhooks, body: str) -> DeliverReport:
    return workflow.process(parse_body(body))


def _succeeded(future: Future[DeliverReport]) -> bool:
    error = future.exception()
    if error is not None:
        # The kind only: what an error says may hold what must not be logged.
        log_outcome(logger, "message failed", outcome="error", reason=type(error).__name__)
        return False
    _log(future.result())
    return True


def _count(outcomes: Sequence[MessageOutcome]) -> None:
    delivered = outcomes.count(MessageOutcome.DELIVERED)
    failed = sum(outcome in _FAILED for outcome in outcomes)
    Meter.of(os.environ).write({Metric.WEBHOOKS_DELIVERED: delivered, Metric.WEBHOOKS_FAILED: failed})


def _log(report: DeliverReport) -> None:
    log_outcome(
        logger,
        "delivery attempt",
        endpoint_id=report.message.endpoint_id,
        event_id=report.message.event_id,
        event_type=report.event_type,
        attempt=report.message.attempt,
        outcome=report.outcome.value,
        reason=report.reason,
        http_status=report.http_status,
        duration_ms=report.latency_ms,
        next_attempt_at=report.next_attempt_at,
    )
