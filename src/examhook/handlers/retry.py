"""Entry point of Retry: the schedule invokes it every minute, and operators may invoke it."""

from __future__ import annotations

import os
from functools import cache
from typing import TypedDict

from examhook.metrics import Metric, write_metrics
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.retry import build_retry
from examhook.workflows.retrying.retry import RetryDeliveries

logger = logger_for("retry")


class RetryCommand(TypedDict):
    """Input of Retry; ``trigger`` is ``schedule`` or ``manual``."""

    trigger: str


class RetryResponse(TypedDict):
    """Output of Retry."""

    endpoints: int
    enqueued: int


class RetryIncompleteError(Exception):
    """Retry could not process some endpoints; the next tick tries again."""


@cache
def _workflow() -> RetryDeliveries:
    return build_retry(os.environ)


def handler(event: RetryCommand, context: object) -> RetryResponse:  # noqa: ARG001 - Lambda passes both
    """Enqueue due deliveries; raises RetryIncompleteError after trying every endpoint."""
    report = _workflow().run()
    log_outcome(
        logger,
        "retry",
        trigger=event["trigger"],
        enqueued=report.enqueued,
        errors=len(report.errors),
        outcome="incomplete" if report.errors else "done",
        reason=", ".join(sorted(set(report.errors))) or None,
    )
    write_metrics(os.environ, {Metric.DELIVERIES_OVERDUE: report.overdue_s, Metric.ENDPOINTS_DISABLED: report.disabled})
    if report.errors:
        raise RetryIncompleteError(f"{len(report.errors)} endpoint(s) wait for the next tick: {report.errors[0]}")
    return {"endpoints": report.endpoints, "enqueued": report.enqueued}
