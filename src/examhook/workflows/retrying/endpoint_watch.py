"""Monitors the health of endpoints: warns about failing endpoints, disables them, and reports recoveries.

The state of an endpoint and the notice about it are stored in one write. The notice is then published and deleted::

    decide ──▶ write state and notice ──▶ publish ──▶ delete the notice
                     │                      │
                     │                      └ if this fails, the next tick publishes the same event id again
                     └ conditional: a delivery that succeeds meanwhile takes precedence
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

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
from examhook.destinations.sns import TopicPublisher
from examhook.events.build import operations_event
from examhook.events.catalogue import OperationsEventType
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable


@dataclass(frozen=True, slots=True)
class EndpointWatch:
    """Checks one endpoint per call."""

    endpoints: EndpointsTable
    deliveries: DeliveriesTable
    operations: TopicPublisher
    operations_topic_arn: str
    disable_after_s: int
    """Time without a successful attempt after which a failing endpoint is disabled."""
    now: Callable[[], float]

    def check(self, endpoint: Endpoint) -> tuple[bool, tuple[OperationsEventType, ...]]:
        """Act on the endpoint's health, and publish its pending notices.

        Returns whether the endpoint is enabled, and the types of the published events. Raises NotPublishedError and
        botocore's errors; unpublished notices then wait for the next tick.
        """
        now = int(self.now())
        endpoint_id = endpoint.endpoint_id
        action = health_action(endpoint, now, self.disable_after_s)
        notices = endpoint.notices
        is_enabled = endpoint.is_enabled
        match action:
            case NoAction():
                pass
            case Warn():
                notice = failing_notice(endpoint, action, self.deliveries.backlog_summary(endpoint_id), now)
                if self.endpoints.warn(endpoint, now, notice) is not None:
                    notices += (notice,)
            case Recovered():
                notice = recovered_notice(endpoint_id, action, self.deliveries.backlog_summary(endpoint_id))
                if self.endpoints.end_warning(endpoint, notice) is not None:
                    notices += (notice,)
            case Disable(failing_since=since, reason=reason):
                notice = disabled_notice(endpoint_id, reason, self.deliveries.backlog_summary(endpoint_id), now)
                before = self.endpoints.disable(endpoint_id, reason, now, notice, only_if_failing_since=since)
                if before is not None:
                    notices += (notice,)
                is_enabled = before is None
            case _:
                assert_never(action)
        self._publish(endpoint_id, notices)
        return is_enabled, tuple(notice.event_type for notice in notices)

    def _publish(self, endpoint_id: str, notices: tuple[Notice, ...]) -> None:
        for notice in notices:
            event = operations_event(notice.event_type, None, notice.at, notice.message, notice.details)
            self.operations.publish_operations(self.operations_topic_arn, event)
        self.endpoints.drop_notices(endpoint_id, notices)
