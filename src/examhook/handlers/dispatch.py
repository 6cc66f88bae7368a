"""Dispatch: stored changes become events at every destination.

The Submissions table's stream invokes it with batches of changes. What else invokes it, see ``handlers.redrive``.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, TypedDict, cast

from examhook.handlers.redrive import (
    BatchAnswer,
    FailureEvent,
    RedriveAnswer,
    RedriveCommand,
    is_command,
    is_failure,
    obey,
    repair,
)
from examhook.metrics import Meter, Metric
from examhook.storage.submission_outbox import StreamRecord
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.dispatch import DispatchFunction, open_dispatch

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from examhook.workflows.dispatching.dispatch import Dispatch

logger = logger_for("dispatch")


class StreamEvent(TypedDict):
    """What the stream passes in: records of one shard, oldest first."""

    Records: list[StreamRecord]


@cache
def _function() -> DispatchFunction:
    return open_dispatch()


def handler(event: StreamEvent | FailureEvent | RedriveCommand, _context: LambdaContext) -> BatchAnswer | RedriveAnswer:
    """Answer the stream the first record that failed, a person what was redriven; raises what AWS raises.

    The failure queue is answered which messages are to come again; RedriveIncompleteError where all of them are.
    """
    function = _function()
    if is_command(event):
        return obey(event, function.redrive)
    if is_failure(event):
        return repair(event, function.redrive, function.failures)
    return _run(cast("StreamEvent", event), function.dispatch)


def _run(event: StreamEvent, dispatch: Dispatch) -> BatchAnswer:
    began_at = time.monotonic()
    report = dispatch.run(event["Records"])
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
    Meter.of(os.environ).write({Metric.EVENTS_DISPATCHED: report.dispatched, Metric.EVENTS_FAILED: report.failed})
    return {"batchItemFailures": [{"itemIdentifier": report.retry_from}] if report.retry_from else []}
