"""What the functions count: a few figures for the alarms and the dashboard, written as EMF lines to the log.

CloudWatch makes metrics of such lines by itself; no call and no right is needed. Each metric of each
stack costs its share for every hour in which it is written, so there are few, none has a dimension
but the stack, and those that count trouble are written only when there is some. ``docs/metrics.md``
lists them.
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
    """Everything that is counted, by its name in CloudWatch."""

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
class Facts:
    """What a metric is."""

    function: str
    """The function that writes it."""
    unit: MetricUnit
    even_zero: bool
    """Whether it is written also where it is 0: because no figure at all means that nothing runs."""
    meaning: str


FACTS: Mapping[Metric, Facts] = {
    Metric.POLL_AGE: Facts(
        "Poll",
        _SECONDS,
        even_zero=True,
        meaning="0 after a poll that read the list of exams and completed, otherwise the time since the last such poll "
        "of that account",
    ),
    Metric.POLLS_REFUSED: Facts(
        "Poll",
        _COUNT,
        even_zero=False,
        meaning="polls whose account code the provider refused, or that made no requests because of that",
    ),
    Metric.POLLS_FAILED: Facts(
        "Poll",
        _COUNT,
        even_zero=False,
        meaning="polls in which the provider gave no usable answer to some request, or that made no requests because "
        "it failed or asked for a pause",
    ),
    Metric.POLLS_OUT_OF_TIME: Facts(
        "Poll",
        _COUNT,
        even_zero=False,
        meaning="polls that ran out of time before all due exams were read",
    ),
    Metric.ROWS_SKIPPED: Facts(
        "Poll", _COUNT, even_zero=False, meaning="rows of all exams of an account that cannot be announced now"
    ),
    Metric.UNSENT_AGE: Facts(
        "Poll",
        _SECONDS,
        even_zero=False,
        meaning="how long ago a change was stored whose event Dispatch has not sent, where that is a minute or more",
    ),
    Metric.EVENTS_DISPATCHED: Facts(
        "Dispatch", _COUNT, even_zero=False, meaning="events that went to the topic and to the delivery queue"
    ),
    Metric.EVENTS_FAILED: Facts(
        "Dispatch", _COUNT, even_zero=False, meaning="events that could not be sent and are tried again"
    ),
    Metric.WEBHOOKS_DELIVERED: Facts(
        "Deliver", _COUNT, even_zero=False, meaning="attempts that a receiver answered with 2xx"
    ),
    Metric.WEBHOOKS_FAILED: Facts("Deliver", _COUNT, even_zero=False, meaning="attempts that failed in any way"),
    Metric.DELIVERIES_OVERDUE: Facts(
        "Retry",
        _SECONDS,
        even_zero=True,
        meaning="how long the delivery has been due that has been due longest, endpoints that are down or disabled "
        "not counted",
    ),
    Metric.ENDPOINTS_DISABLED: Facts(
        "Retry",
        _COUNT,
        even_zero=False,
        meaning="endpoints that were turned off because they only failed, or answered 410",
    ),
}


@dataclass(frozen=True, slots=True)
class Meter:
    """Writes the figures of one stack."""

    stack: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Meter:
        """The meter of the stack that ``environ`` names; a function that nobody counts still does its work."""
        return cls(environ.get("STACK_NAME", "").strip() or "unnamed")

    def write(self, figures: Mapping[Metric, float | None], *, account: str | None = None) -> None:
        """Write one line with those figures that say something; None stands for a figure that is not known.

        ``account`` is written beside them, to search by; it is no dimension, which would multiply the price.
        """
        said = {
            metric: value
            for metric, value in figures.items()
            if value is not None and (value or FACTS[metric].even_zero)
        }
        if not said:
            return
        line = EphemeralMetrics(namespace=NAMESPACE)
        line.add_dimension(name=DIMENSION, value=self.stack)
        for metric, value in said.items():
            line.add_metric(name=metric.value, unit=FACTS[metric].unit, value=value)
        if account is not None:
            line.add_metadata(key="account", value=account)
        line.flush_metrics()
