"""Looks after endpoints that fail: warns, disables, tells that one is well again.

What is true and the notice of it are written at once; the notice is then published and taken away::

    health_action ──▶ write state and notice ──▶ publish ──▶ take the notice away
                     │                      │
                     │                      └ refused, or a crash: the next tick publishes it again, same id
                     └ conditional: an event that got through meanwhile wins
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from examhook.delivery.endpoint import Endpoint, Notice
from examhook.delivery.health_policy import (
    Disable,
    NoAction,
    Recovered,
    Warn,
    disabled_notice,
    failing_notice,
    health_action,
    recovered_notice,
)
from examhook.events.build import Event, operations_event
from examhook.events.catalogue import OperationsEventType
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable


class OperationsPublisher(Protocol):
    """Where notices for the operators go."""

    def publish_operations(self, topic_arn: str, event: Event) -> None:
        """Publish one event."""


@dataclass(frozen=True, slots=True)
class EndpointWatch:
    """What Retry does about one endpoint at each tick, besides its deliveries."""

    endpoints: EndpointsTable
    deliveries: DeliveriesTable
    operations: OperationsPublisher
    operations_topic_arn: str
    disable_after_s: int
    """Nothing but failures for so long disables an endpoint."""
    now: Callable[[], float]

    def look_after(self, endpoint: Endpoint) -> tuple[bool, tuple[OperationsEventType, ...]]:
        """Do what the endpoint's health calls for, and publish what the operators are still to be told.

        Returns whether events are to be sent to it, and the types of what was published. Raises NotPublishedError and
        botocore's errors; what was not published then waits for the next tick.
        """
        now = int(self.now())
        judgement = health_action(endpoint, now, self.disable_after_s)
        notices = endpoint.notices
        enabled = endpoint.is_enabled
        match judgement:
            case NoAction():
                pass
            case Warn():
                notice = failing_notice(endpoint, judgement, self.deliveries.backlog_summary(endpoint.endpoint_id), now)
                notices += _if_written(self.endpoints.warn(endpoint, now, notice), notice)
            case Recovered():
                backlog_summary = self.deliveries.backlog_summary(endpoint.endpoint_id)
                notice = recovered_notice(endpoint.endpoint_id, judgement, backlog_summary)
                notices += _if_written(self.endpoints.end_warning(endpoint, notice), notice)
            case Disable(failing_since=since, reason=reason):
                backlog_summary = self.deliveries.backlog_summary(endpoint.endpoint_id)
                notice = disabled_notice(endpoint.endpoint_id, reason, backlog_summary, now)
                before = self.endpoints.disable(endpoint.endpoint_id, reason, now, notice, only_if_failing_since=since)
                notices += _if_written(before, notice)
                enabled = before is None
            case _:
                assert_never(judgement)
        self._publish(endpoint.endpoint_id, notices)
        return enabled, tuple(notice.event_type for notice in notices)

    def _publish(self, endpoint_id: str, notices: tuple[Notice, ...]) -> None:
        for notice in notices:
            event = operations_event(notice.event_type, None, notice.at, notice.message, notice.details)
            self.operations.publish_operations(self.operations_topic_arn, event)
        self.endpoints.drop_notices(endpoint_id, notices)


def _if_written(before: Endpoint | None, notice: Notice) -> tuple[Notice, ...]:
    return () if before is None else (notice,)
