"""Deliver's entry point: a batch of messages from the delivery queue, all tried at once."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypedDict

from examhook.metrics import Meter, Metric
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.deliver import deliver
from examhook.workflows.delivering.batch_runner import MOST, DeliverRound, Message
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome

logger = logger_for("deliver")

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


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST + 1, thread_name_prefix="deliver")


def handler(event: QueueBatch, context: object) -> BatchAnswer:  # noqa: ARG001 - Lambda passes both
    """Try every message of the batch side by side, and more of the queue's while a slow receiver is waited for.

    Messages of the batch that could not be worked on are named in the answer, and SQS brings them again.
    """
    failures: list[ItemFailure] = []
    outcomes: list[MessageOutcome] = []

    def done(message: Message, outcome: DeliverReport | BaseException) -> None:
        if isinstance(outcome, DeliverReport):
            _log(outcome)
            outcomes.append(outcome.outcome)
            return
        # The kind only: what an error says may hold what must not be logged.
        log_outcome(logger, "message failed", outcome="error", reason=type(outcome).__name__)
        if message.taken is None:
            failures.append({"itemIdentifier": message.message_id})

    workflow = _workflow()
    batch = [Message(record["messageId"], record["body"]) for record in event["Records"]]
    DeliverRound(workflow, workflow.queue, time.monotonic, done, _pool()).run(batch)
    _count(outcomes)
    return {"batchItemFailures": failures}


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
