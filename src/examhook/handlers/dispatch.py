"""Dispatch: a batch of the Submissions table's stream becomes events at every destination."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, TypedDict

from examhook.storage.submission_stream import StreamRecord
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.dispatch import open_dispatch
from examhook.workflows.dispatch import Dispatch

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = logger_for("dispatch")


class StreamEvent(TypedDict):
    """What Lambda passes in: records of one shard, oldest first."""

    Records: list[StreamRecord]


class BatchItemFailure(TypedDict):
    """The sequence number from which the stream is to send the batch again."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What Lambda wants back (``ReportBatchItemFailures``)."""

    batchItemFailures: list[BatchItemFailure]


@cache
def _dispatch() -> Dispatch:
    return open_dispatch()


def handler(event: StreamEvent, _context: LambdaContext) -> BatchAnswer:
    """Dispatch one batch; answers the first record that failed, raises what AWS raises before anything was sent."""
    began_at = time.monotonic()
    report = _dispatch().run(event["Records"])
    log_outcome(
        logger,
        "dispatch",
        outcome="retry" if report.retry_from else "done",
        records=report.records,
        dispatched=report.dispatched,
        enqueued=report.enqueued,
        failed=report.failed,
        reason=report.reason,
        duration_ms=round((time.monotonic() - began_at) * 1000),
    )
    return {"batchItemFailures": [{"itemIdentifier": report.retry_from}] if report.retry_from else []}
