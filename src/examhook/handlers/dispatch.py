"""Entry point of Dispatch: the stream of the Submissions table invokes it with batches of changes.

``handlers.redrive`` handles the failure queue and the redrive command, which invoke the same function.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, TypedDict, cast

from examhook.handlers.batch_response import BatchResponse, batch_response
from examhook.handlers.redrive import (
    FailureEvent,
    RedriveCommand,
    is_failure_event,
    is_redrive_command,
    process_failures,
    run_redrive_command,
)
from examhook.metrics import Metric, write_metrics
from examhook.storage.submission_outbox import StreamRecord
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.dispatch import DispatchFunction, build_dispatch

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from examhook.workflows.dispatching.dispatch import Dispatch

logger = logger_for("dispatch")


class StreamEvent(TypedDict):
    """Records of one shard of the stream, oldest first."""

    Records: list[StreamRecord]


@cache
def _function() -> DispatchFunction:
    return build_dispatch(os.environ)


def handler(
    event: StreamEvent | FailureEvent | RedriveCommand, _context: LambdaContext
) -> BatchResponse | dict[str, object]:
    """Process a batch of the stream, a batch of the failure queue, or a redrive command.

    Raises RedriveIncompleteError if all messages of the failure queue failed, and the errors of the workflows.
    """
    function = _function()
    if is_redrive_command(event):
        return run_redrive_command(event, function.redrive)
    if is_failure_event(event):
        return process_failures(event, function.redrive, function.failures)
    return _run(cast("StreamEvent", event), function.dispatch)


def _run(event: StreamEvent, dispatch: Dispatch) -> BatchResponse:
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
    write_metrics(os.environ, {Metric.EVENTS_DISPATCHED: report.dispatched, Metric.EVENTS_FAILED: report.failed})
    return batch_response([report.retry_from] if report.retry_from else [])
