"""Sending again what was sent or was to be sent: the same events under the same ids, to endpoints that want them.

Each pair of event and endpoint is decided by what its delivery says::

    there is none ──▶ made                        failed, cancelled ──▶ begun anew
    delivered ──▶ begun anew, or left             pending, waiting  ──▶ left: it is on its way

Every write names what was read, so doing all of it twice, at once or one after the other, sends once
what is on its way. A crash after the write is made good by Retry, like that of any delivery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from threading import Lock
from typing import TypeVar

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import OPEN_STATUSES, Delivery, DeliveryStatus, new_delivery
from examhook.delivery.schedule import REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST
from examhook.storage.deliveries import DeliveriesTable, DueDelivery

AT_ONCE_PER_ENDPOINT = 500
"""So many go on the queue right away; Retry enqueues the rest as fast as it is taken: new events find room."""

_PARALLEL = 8
_CHUNK = 200
_DAY_S = 86_400
_T = TypeVar("_T")


class Resent(StrEnum):
    """What became of one event for one endpoint."""

    QUEUED = "queued"
    """It is sent at once, or, where many are or its endpoint is down, by Retry."""
    ON_ITS_WAY = "on_its_way"
    ALREADY_DELIVERED = "already_delivered"
    """And only what never arrived was asked for."""
    NOT_WANTED = "not_wanted"
    """The endpoint's filters do not let it through."""


@dataclass(slots=True)
class _Room:
    """How many more messages of each endpoint may go on the queue right away."""

    used: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def take(self, endpoint_id: str) -> bool:
        with self.lock:
            self.used[endpoint_id] += 1
            return self.used[endpoint_id] <= AT_ONCE_PER_ENDPOINT


@dataclass(frozen=True, slots=True)
class Replay:
    """One go of sending again; counts across its calls."""

    deliveries: DeliveriesTable
    queue: DeliveryQueue
    now: Callable[[], float]
    retention_days: int
    dry_run: bool = False
    """Read and decide as if, and change nothing."""
    room: _Room = field(default_factory=_Room)

    def send_again(
        self, events: Iterator[Event], endpoints: Sequence[Endpoint], *, undelivered_only: bool
    ) -> Iterator[tuple[Event, Counter[Resent]]]:
        """Send ``events`` again to those of ``endpoints`` that want them, however many there are.

        Yields each event with what became of it at how many endpoints, as it goes. Raises botocore's
        errors and DeliveryQueueError; doing it again goes on.
        """
        for chunk in _chunks(events, _CHUNK):
            pairs = [(event, endpoint) for event in chunk for endpoint in endpoints]

            def decide(pair: tuple[Event, Endpoint]) -> tuple[Resent, DeliveryMessage | None]:
                return self._again(*pair, undelivered_only=undelivered_only)

            with ThreadPoolExecutor(_PARALLEL) as pool:
                outcomes = list(pool.map(decide, pairs))
            self.queue.send([message for _, message in outcomes if message is not None])
            for number, event in enumerate(chunk):
                of_event = outcomes[number * len(endpoints) : (number + 1) * len(endpoints)]
                yield event, Counter(outcome for outcome, _ in of_event)

    def retry_now(self, delivery: Delivery, *, probe: bool) -> Resent:
        """Try a delivery that waits or has failed now; ``probe``: even where its endpoint is down.

        One that waits keeps its place in the schedule, any other begins anew.
        """
        if delivery.status is DeliveryStatus.PENDING:
            return Resent.ON_ITS_WAY
        if delivery.status is DeliveryStatus.DELIVERED:
            return Resent.ALREADY_DELIVERED
        if self.dry_run:
            return Resent.QUEUED
        now = int(self.now())
        if delivery.status is DeliveryStatus.WAITING and delivery.next_attempt_at is not None:
            seen = DueDelivery(delivery.endpoint_id, delivery.event_id, delivery.next_attempt_at)
            taken = self.deliveries.postpone(seen, now + REQUEUE_AFTER_S)
        else:
            taken = self.deliveries.restart(
                delivery, DeliveryStatus.PENDING, now + REQUEUE_AFTER_S, now + self.retention_days * _DAY_S
            )
        if taken is None:
            return Resent.ON_ITS_WAY
        self.queue.send([DeliveryMessage(taken.endpoint_id, taken.event_id, taken.attempts + 1, probe=probe)])
        return Resent.QUEUED

    def _again(
        self, event: Event, endpoint: Endpoint, *, undelivered_only: bool
    ) -> tuple[Resent, DeliveryMessage | None]:
        # A pattern such as * names tests as well; nobody wants an old one.
        if event.event_type == ENDPOINT_TEST or not endpoint.wants(event):
            return Resent.NOT_WANTED, None
        seen = self.deliveries.get(endpoint.endpoint_id, event.event_id)
        if seen is not None and seen.status in OPEN_STATUSES:
            return Resent.ON_ITS_WAY, None
        if seen is not None and seen.status is DeliveryStatus.DELIVERED and undelivered_only:
            return Resent.ALREADY_DELIVERED, None
        if self.dry_run:
            return Resent.QUEUED, None
        now = int(self.now())
        expires_at = now + self.retention_days * _DAY_S
        at_once = not endpoint.health.is_down and self.room.take(endpoint.endpoint_id)
        status = DeliveryStatus.PENDING if at_once else DeliveryStatus.WAITING
        next_attempt_at = now + REQUEUE_AFTER_S if at_once else now
        if seen is None:
            fresh = new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=now, expires_at=expires_at)
            taken = self.deliveries.create(replace(fresh, status=status, next_attempt_at=next_attempt_at))
        else:
            taken = self.deliveries.restart(seen, status, next_attempt_at, expires_at) is not None
        if not taken:
            return Resent.ON_ITS_WAY, None
        attempts = 0 if seen is None else seen.attempts
        message = DeliveryMessage(endpoint.endpoint_id, event.event_id, attempts + 1)
        return Resent.QUEUED, message if at_once else None


def _chunks(items: Iterator[_T], size: int) -> Iterator[list[_T]]:
    while chunk := list(islice(items, size)):
        yield chunk
