"""Tables and a queue in memory, so that a measurement times Examhook and not an AWS emulator.

``tests/contract/test_delivery_stand_ins.py`` runs the same cases against these and the real classes. Only the methods
that a delivery needs exist.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from examhook.delivery.endpoint import Endpoint, Health, Notice
from examhook.delivery.link_renewal import LinkRequest
from examhook.delivery.record import KEPT_ATTEMPTS, OPEN_STATUSES, AttemptRecord, Delivery, DeliveryStatus
from examhook.destinations.delivery_queue import DeliveryMessage, ReceivedMessage, body_of
from examhook.events.build import Event
from examhook.storage.batch_loader import LoadedBatch
from examhook.storage.deliveries import DueDelivery
from examhook.storage.events import DispatchProgress, LinkedEvent


@dataclass(slots=True)
class MemoryEvents:
    """Replaces EventsTable."""

    by_id: dict[str, Event] = field(default_factory=dict)
    dispatched: set[str] = field(default_factory=set)

    def add(self, event: Event, expires_at: int) -> bool:  # noqa: ARG002 - nothing expires
        """Store an event; False if it exists."""
        return self.by_id.setdefault(event.event_id, event) is event

    def get(self, event_id: str) -> Event | None:
        """Return an event."""
        return self.by_id.get(event_id)

    def dispatch_progress(self, event_id: str) -> DispatchProgress:
        """Return whether the event is stored or dispatched."""
        if event_id in self.dispatched:
            return DispatchProgress(is_dispatched=True)
        return DispatchProgress(self.by_id.get(event_id))

    def is_dispatched(self, event_id: str) -> bool:
        """Whether ``mark_dispatched`` was called."""
        return event_id in self.dispatched

    def mark_dispatched(self, event_id: str, at: int) -> None:  # noqa: ARG002 - signature of the table
        """Record that Dispatch finished the event."""
        self.dispatched.add(event_id)


_CLOSED = LinkRequest(2**40, is_open=False)
"""A request that was answered without a link and never expires."""


@dataclass(frozen=True, slots=True)
class MemoryLinks:
    """Replaces EventLinks; no delivery waits for a fresh link."""

    events: MemoryEvents

    def get(self, event_id: str) -> LinkedEvent | None:
        """Return an event with its link."""
        event = self.events.get(event_id)
        return None if event is None else LinkedEvent(event, request=_CLOSED)


@dataclass(slots=True)
class MemoryDeliveries:
    """Replaces DeliveriesTable."""

    items: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, delivery: Delivery) -> bool:
        """Store a delivery; False if it exists."""
        return self.items.setdefault((delivery.endpoint_id, delivery.event_id), delivery) is delivery

    def get(self, endpoint_id: str, event_id: str) -> Delivery | None:
        """Return a delivery."""
        return self.items.get((endpoint_id, event_id))

    def claim(self, endpoint_id: str, event_id: str, attempt: int, until: int) -> Delivery | None:
        """Claim an attempt."""
        return self._change(
            endpoint_id,
            event_id,
            lambda seen: seen.attempts == attempt - 1 and seen.status in OPEN_STATUSES,
            lambda seen: replace(seen, attempts=attempt, status=DeliveryStatus.PENDING, next_attempt_at=until),
        )

    def record(
        self, claimed: Delivery, record: AttemptRecord, status: DeliveryStatus, not_before: int | None = None
    ) -> bool:
        """Record the outcome of an attempt."""
        changed = self._change(
            claimed.endpoint_id,
            claimed.event_id,
            lambda seen: seen.attempts == claimed.attempts,
            lambda seen: replace(
                seen,
                status=status,
                attempt_log=(*claimed.attempt_log, record)[-KEPT_ATTEMPTS:],
                next_attempt_at=record.next_attempt_at,
                not_before=not_before,
            ),
        )
        return changed is not None

    def hold(self, endpoint_id: str, event_id: str, attempt: int) -> bool:
        """Let the delivery wait."""
        held = self._change(
            endpoint_id,
            event_id,
            lambda seen: seen.attempts == attempt - 1 and seen.status in OPEN_STATUSES,
            lambda seen: replace(seen, status=DeliveryStatus.WAITING, next_attempt_at=seen.created_at),
        )
        return held is not None

    def postpone(self, due: DueDelivery, until: int) -> Delivery | None:
        """Claim a due delivery for the queue."""
        return self._change(
            due.endpoint_id,
            due.event_id,
            lambda seen: seen.next_attempt_at == due.next_attempt_at,
            lambda seen: replace(seen, status=DeliveryStatus.PENDING, next_attempt_at=until),
        )

    def bring_forward(self, waiting: DueDelivery, now: int, until: int) -> Delivery | None:
        """Claim a waiting delivery before it is due."""
        return self._change(
            waiting.endpoint_id,
            waiting.event_id,
            lambda seen: (
                seen.next_attempt_at == waiting.next_attempt_at
                and seen.status is DeliveryStatus.WAITING
                and (seen.not_before or 0) <= now
            ),
            lambda seen: replace(seen, status=DeliveryStatus.PENDING, next_attempt_at=until),
        )

    def due(self, endpoint_id: str, now: int, limit: int, after: DueDelivery | None = None) -> list[DueDelivery]:
        """Return due deliveries, the oldest first."""
        waiting = self.waiting(endpoint_id, len(self.items), after)
        return [each for each in waiting if each.next_attempt_at <= now][:limit]

    def due_within(self, endpoint_id: str, begin: int, end: int, most: int) -> int:
        """Return how many deliveries are due within a time span."""
        times = [each.next_attempt_at for each in self.waiting(endpoint_id, len(self.items))]
        return min(most, sum(begin <= each <= end for each in times))

    def waiting(self, endpoint_id: str, limit: int, after: DueDelivery | None = None) -> list[DueDelivery]:
        """Return open deliveries after ``after``."""
        seen = (0, "") if after is None else (after.next_attempt_at, after.event_id)
        with self._lock:
            found = [
                DueDelivery(each.endpoint_id, each.event_id, each.next_attempt_at)
                for each in self.items.values()
                if each.endpoint_id == endpoint_id and each.next_attempt_at is not None
            ]
        found.sort(key=lambda each: (each.next_attempt_at, each.event_id))
        return [each for each in found if (each.next_attempt_at, each.event_id) > seen][:limit]

    def _change(
        self,
        endpoint_id: str,
        event_id: str,
        condition: Callable[[Delivery], bool],
        change: Callable[[Delivery], Delivery],
    ) -> Delivery | None:
        with self._lock:
            seen = self.items.get((endpoint_id, event_id))
            if seen is None or not condition(seen):
                return None
            changed = self.items[endpoint_id, event_id] = change(seen)
            return changed


@dataclass(slots=True)
class MemoryEndpoints:
    """Replaces EndpointsTable."""

    by_id: dict[str, Endpoint]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        return self.by_id.get(endpoint_id)

    def list_all(self) -> list[Endpoint]:
        """Return all endpoints, oldest first."""
        return sorted(self.by_id.values(), key=lambda each: (each.created_at, each.endpoint_id))

    def record_outcome(
        self, endpoint_id: str, at: int, error: str | None, slowed_until: int | None = None
    ) -> Endpoint | None:
        """Record the outcome of an attempt."""

        def change(health: Health) -> Health:
            if error is None:
                return replace(health, last_success_at=at, failing_since=None, consecutive_failures=0, probe_until=None)
            return replace(
                health,
                last_failure_at=at,
                last_error=error,
                failing_since=health.failing_since if health.failing_since is not None else at,
                consecutive_failures=health.consecutive_failures + 1,
                slowed_until=health.slowed_until if slowed_until is None else slowed_until,
            )

        return self._change(endpoint_id, lambda _: True, change)

    def claim_probe(self, endpoint_id: str, now: int, until: int) -> bool:
        """Claim the probe."""
        claimed = self._change(
            endpoint_id,
            lambda health: (health.probe_until or 0) <= now,
            lambda health: replace(health, probe_until=until),
        )
        return claimed is not None

    def take_rate_slot(self, seen: Endpoint, now: float, step_s: float, ahead_s: float) -> float | None:
        """Reserve the next slot of the rate limit."""
        before = self._change(
            seen.endpoint_id,
            lambda health: (health.paced_until or 0) <= now + ahead_s,
            lambda health: replace(health, paced_until=round(max(now, health.paced_until or 0) + step_s, 3)),
        )
        return None if before is None else max(now, before.health.paced_until or 0)

    def set_draining(self, endpoint_id: str, *, draining: bool) -> None:
        """Record whether deliveries wait."""
        self._change(endpoint_id, lambda _: True, lambda health: replace(health, draining=draining))

    def drop_notices(self, endpoint_id: str, published: tuple[Notice, ...]) -> None:
        """Do nothing; there are no notices."""

    def _change(
        self, endpoint_id: str, condition: Callable[[Health], bool], change: Callable[[Health], Health]
    ) -> Endpoint | None:
        """Return the endpoint as it was before the change."""
        with self._lock:
            seen = self.by_id.get(endpoint_id)
            if seen is None or not condition(seen.health):
                return None
            self.by_id[endpoint_id] = replace(seen, health=change(seen.health))
            return seen


@dataclass(frozen=True, slots=True)
class MemoryBatchLoader:
    """Replaces BatchLoader."""

    endpoints: MemoryEndpoints
    links: MemoryLinks

    def read(self, endpoint_ids: Sequence[str], event_ids: Sequence[str]) -> LoadedBatch:
        """Return endpoints and events."""
        return LoadedBatch(
            {each: self.endpoints.get(each) for each in endpoint_ids},
            {each: self.links.get(each) for each in event_ids},
        )


@dataclass(slots=True)
class MemoryQueue:
    """Replaces DeliveryQueue; the passed-in clock counts delays."""

    now: Callable[[], float]
    _messages: list[tuple[float, DeliveryMessage]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, messages: Sequence[DeliveryMessage], delay_s: int = 0) -> None:
        """Add messages."""
        with self._lock:
            self._messages += [(self.now() + delay_s, message) for message in messages]

    def receive(self, most: int, wait_s: int) -> list[ReceivedMessage]:  # noqa: ARG002 - waiting brings no message
        """Remove and return the oldest messages that are not delayed."""
        with self._lock:
            ready = [each for each in self._messages if each[0] <= self.now()][:most]
            for each in ready:
                self._messages.remove(each)
        bodies = [body_of(message) for _, message in ready]
        return [ReceivedMessage(body, body, body) for body in bodies]

    def delete(self, taken: Sequence[ReceivedMessage]) -> None:
        """Do nothing; ``receive`` removed them."""
