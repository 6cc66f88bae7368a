"""Tables that answer at once, so that what is timed is the worker and not an emulator of DynamoDB.

They keep what ``DeliverWebhooks`` reads and writes on the way of a delivery that arrives at the first
attempt; anything else fails for want of a method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import AttemptRecord, Delivery, DeliveryStatus
from examhook.events.build import Event
from examhook.storage.event_links import LinkedEvent


@dataclass(frozen=True, slots=True)
class OneEndpoint:
    """In place of EndpointsTable."""

    endpoint: Endpoint

    def get(self, endpoint_id: str) -> Endpoint | None:
        """The endpoint."""
        return self.endpoint if endpoint_id == self.endpoint.endpoint_id else None

    def record_outcome(
        self,
        endpoint_id: str,  # noqa: ARG002 - as the table has it
        at: int,  # noqa: ARG002
        error: str | None,  # noqa: ARG002
        slowed_until: int | None = None,  # noqa: ARG002
    ) -> Endpoint | None:
        """Keep nothing: the endpoint is well."""
        return self.endpoint


@dataclass(frozen=True, slots=True)
class Events:
    """In place of EventLinks."""

    by_id: Mapping[str, Event]

    def get(self, event_id: str) -> LinkedEvent | None:
        """One event, whose link works."""
        event = self.by_id.get(event_id)
        return None if event is None else LinkedEvent(event)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """In place of DeliveriesTable."""

    by_event: dict[str, Delivery]
    delivered: set[str] = field(default_factory=set)

    def claim(self, endpoint_id: str, event_id: str, attempt: int, until: int) -> Delivery | None:  # noqa: ARG002
        """Take an attempt, once."""
        found = self.by_event[event_id]
        if found.attempts != attempt - 1:
            return None
        claimed = self.by_event[event_id] = replace(found, attempts=attempt, next_attempt_at=until)
        return claimed

    def record(
        self,
        claimed: Delivery,
        record: AttemptRecord,  # noqa: ARG002 - as the table has it
        status: DeliveryStatus,
        not_before: int | None = None,  # noqa: ARG002
    ) -> bool:
        """Remember what was delivered."""
        if status is DeliveryStatus.DELIVERED:
            self.delivered.add(claimed.event_id)
        return True
