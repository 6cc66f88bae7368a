"""Entry point of Deliver: the delivery queue invokes it with a batch of messages."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypedDict

from examhook.handlers.batch_response import BatchResponse, batch_response
from examhook.metrics import Metric, write_metrics
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.deliver import build_deliver
from examhook.workflows.delivering.batch_runner import MAX_ATTEMPTS_AT_ONCE, BatchRunner, QueuedMessage
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome

logger = logger_for("deliver")

_FAILED_OUTCOMES = (MessageOutcome.RETRY_LATER, MessageOutcome.FAILED, MessageOutcome.DISABLED)


class QueueRecord(TypedDict):
    """The fields of an SQS record that Deliver reads."""

    messageId: str
    body: str


class QueueBatch(TypedDict):
    """An SQS event."""

    Records: list[QueueRecord]


@cache
def _workflow() -> DeliverWebhooks:
    return build_deliver(os.environ)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_ATTEMPTS_AT_ONCE + 1, thread_name_prefix="deliver")


def handler(event: QueueBatch, context: object) -> BatchResponse:  # noqa: ARG001 - Lambda passes both
    """Process the messages of the batch in parallel, and further messages while slow receivers delay the batch.

    Return the messages of the batch that failed; SQS delivers them again.
    """
    failed_ids: list[str] = []
    outcomes: list[MessageOutcome] = []

    def on_done(message: QueuedMessage, outcome: DeliverReport | BaseException) -> None:
        if isinstance(outcome, DeliverReport):
            _log(outcome)
            outcomes.append(outcome.outcome)
            return
        # Log only the type: the text may contain data that must not be logged.
        log_outcome(logger, "message failed", outcome="error", reason=type(outcome).__name__)
        if message.received is None:
            failed_ids.append(message.message_id)

    workflow = _workflow()
    batch = [QueuedMessage(record["messageId"], record["body"]) for record in event["Records"]]
    BatchRunner(workflow, workflow.queue, time.monotonic, on_done, _pool()).run(batch)
    write_metrics(
        os.environ,
        {
            Metric.WEBHOOKS_DELIVERED: outcomes.count(MessageOutcome.DELIVERED),
            Metric.WEBHOOKS_FAILED: sum(outcome in _FAILED_OUTCOMES for outcome in outcomes),
        },
    )
    return batch_response(failed_ids)


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
