"""Retry's entry point: each minute, and when a person asks for it."""

from __future__ import annotations

import os
from functools import cache
from typing import TypedDict

from examhook.metrics import Meter, Metric
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.retry import retry
from examhook.workflows.retrying.retry import RetryDeliveries

logger = logger_for("retry")


class Tick(TypedDict):
    """What Retry is invoked with."""

    trigger: str


class RetryAnswer(TypedDict):
    """What a person who invoked it is told."""

    endpoints: int
    enqueued: int


class RetryIncompleteError(Exception):
    """Some endpoints could not be served; the next tick tries again."""


@cache
def _workflow() -> RetryDeliveries:
    return retry(os.environ)


def handler(event: Tick, context: object) -> RetryAnswer:  # noqa: ARG001 - Lambda passes both
    """Enqueue what is due; raises RetryIncompleteError after all endpoints were visited."""
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
    Meter.of(os.environ).write(
        {Metric.DELIVERIES_OVERDUE: report.overdue_s, Metric.ENDPOINTS_DISABLED: report.disabled}
    )
    if report.errors:
        raise RetryIncompleteError(f"{len(report.errors)} endpoint(s) wait for the next tick: {report.errors[0]}")
    return {"endpoints": report.endpoints, "enqueued": report.enqueued}
