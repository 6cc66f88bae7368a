"""CloudWatch metrics of the functions, written to the log in Embedded Metric Format (EMF).

CloudWatch extracts the metrics from the log lines, so writing them needs no call and no permission. Each metric
costs money for every hour in which it is written. Therefore there are few metrics, the stack is their only dimension,
and most of them are written only if they are not 0. ``docs/metrics.md`` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "Examhook"
DIMENSION = "stack"

_COUNT, _SECONDS = MetricUnit.Count, MetricUnit.Seconds


class Metric(StrEnum):
    """Every metric, by its name in CloudWatch."""

    POLL_AGE = "PollAge"
    POLLS_REFUSED = "PollsRefused"
    POLLS_FAILED = "PollsFailed"
    POLLS_OUT_OF_TIME = "PollsOutOfTime"
    ROWS_SKIPPED = "RowsSkipped"
    UNSENT_AGE = "UnsentAge"
    EVENTS_DISPATCHED = "EventsDispatched"
    EVENTS_FAILED = "EventsFailed"
    WEBHOOKS_DELIVERED = "WebhooksDelivered"
    WEBHOOKS_FAILED = "WebhooksFailed"
    DELIVERIES_OVERDUE = "DeliveriesOverdue"
    ENDPOINTS_DISABLED = "EndpointsDisabled"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """Source, unit and meaning of a metric."""

    function: str
    unit: MetricUnit
    meaning: str


DEFINITIONS: Mapping[Metric, MetricDefinition] = {
    Metric.POLL_AGE: MetricDefinition(
        "Poll",
        _SECONDS,
        "0 after a complete poll that read the exam list, otherwise the time since the account's last such poll",
    ),
    Metric.POLLS_REFUSED: MetricDefinition(
        "Poll",
        _COUNT,
        "polls whose account code the provider rejected, or that made no requests because of an earlier rejection",
    ),
    Metric.POLLS_FAILED: MetricDefinition(
        "Poll",
        _COUNT,
        "polls in which the provider gave no usable answer to a request, or that made no requests because the provider "
        "failed or asked for a pause",
    ),
    Metric.POLLS_OUT_OF_TIME: MetricDefinition(
        "Poll", _COUNT, "polls that ran out of time before all due exams were read"
    ),
    Metric.ROWS_SKIPPED: MetricDefinition("Poll", _COUNT, "rows of an account that cannot currently be announced"),
    Metric.UNSENT_AGE: MetricDefinition(
        "Poll", _SECONDS, "age of a stored change whose event Dispatch has not sent, if a minute or more"
    ),
    Metric.EVENTS_DISPATCHED: MetricDefinition(
        "Dispatch", _COUNT, "events sent to the topic and to the delivery queue"
    ),
    Metric.EVENTS_FAILED: MetricDefinition("Dispatch", _COUNT, "events that could not be sent and are retried"),
    Metric.WEBHOOKS_DELIVERED: MetricDefinition("Deliver", _COUNT, "attempts that the receiver answered with 2xx"),
    Metric.WEBHOOKS_FAILED: MetricDefinition("Deliver", _COUNT, "attempts that failed"),
    Metric.DELIVERIES_OVERDUE: MetricDefinition(
        "Retry",
        _SECONDS,
        "delay of the most overdue delivery to an endpoint that is neither down nor disabled",
    ),
    Metric.ENDPOINTS_DISABLED: MetricDefinition(
        "Retry", _COUNT, "endpoints disabled because all attempts failed or because they answered 410"
    ),
}

ALWAYS_WRITTEN = frozenset({Metric.POLL_AGE, Metric.DELIVERIES_OVERDUE})
"""Metrics that are written even if they are 0. Missing values then mean that the function does not run."""


def write_metrics(
    environ: Mapping[str, str], values: Mapping[Metric, float | None], *, account: str | None = None
) -> None:
    """Write one log line with the values that are not None; leave out zeros, except of ALWAYS_WRITTEN metrics.

    ``environ`` names the stack. ``account`` is only a field of the line; as a dimension it would multiply the cost.
    """
    written = {
        metric: value for metric, value in values.items() if value is not None and (value or metric in ALWAYS_WRITTEN)
    }
    if not written:
        return
    line = EphemeralMetrics(namespace=NAMESPACE)
    line.add_dimension(name=DIMENSION, value=environ.get("STACK_NAME", "").strip() or "unnamed")
    for metric, value in written.items():
        line.add_metric(name=metric.value, unit=DEFINITIONS[metric].unit, value=value)
    if account is not None:
        line.add_metadata(key="account", value=account)
    line.flush_metrics()
