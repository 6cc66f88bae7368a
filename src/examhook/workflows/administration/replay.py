"""Replay: send events again, with the same ids, to the endpoints whose filters match.

The delivery of each event and endpoint decides what happens::

    none ──▶ create a delivery                failed, cancelled ──▶ restart
    delivered ──▶ restart, or skip            pending, waiting  ──▶ skip: it is not finished

Writes are conditional on what was read, so repeated or concurrent replays send an unfinished delivery only once. After
a crash, Retry enqueues the deliveries that were written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from threading import Lock

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import OPEN_STATUSES, Delivery, DeliveryStatus, new_delivery
from examhook.delivery.schedule import REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST
from examhook.storage.deliveries import DeliveriesTable, DueDelivery

AT_ONCE_PER_ENDPOINT = 500
"""Deliveries that are enqueued immediately. Retry enqueues the rest gradually, so that new events are not delayed."""

_PARALLEL_DECISIONS = 8
_CHUNK_EVENTS = 200
_DAY_S = 86_400


class Resent(StrEnum):
    """Outcome of one event for one endpoint."""

    QUEUED = "queued"
    """Sent immediately, or by Retry if there are many deliveries or the endpoint is down."""
    ON_ITS_WAY = "on_its_way"
    ALREADY_DELIVERED = "already_delivered"
    """Only with ``undelivered_only``."""
    NOT_WANTED = "not_wanted"
    """The endpoint's filters exclude the event."""


@dataclass(slots=True)
class _EnqueueLimit:
    """Limits the deliveries per endpoint that are enqueued immediately."""

    used: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def take(self, endpoint_id: str) -> bool:
        with self.lock:
            self.used[endpoint_id] += 1
            return self.used[endpoint_id] <= AT_ONCE_PER_ENDPOINT


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay; its enqueue limit applies to all calls together."""

    deliveries: DeliveriesTable
    queue: DeliveryQueue
    now: Callable[[], float]
    retention_days: int
    dry_run: bool = False
    """Decide, but write and send nothing."""
    _limit: _EnqueueLimit = field(default_factory=_EnqueueLimit)

    def send_again(
        self, events: Iterator[Event], endpoints: Sequence[Endpoint], *, undelivered_only: bool
    ) -> Iterator[tuple[Event, Counter[Resent]]]:
        """Send any number of ``events`` again to those of ``endpoints`` whose filters match.

        Yields each event with the number of endpoints per outcome. Raises botocore's errors and DeliveryQueueError; a
        repeated call continues.
        """
        while chunk := list(islice(events, _CHUNK_EVENTS)):
            pairs = [(event, endpoint) for event in chunk for endpoint in endpoints]

            def decide(pair: tuple[Event, Endpoint]) -> tuple[Resent, DeliveryMessage | None]:
                return self._resend(*pair, undelivered_only=undelivered_only)

            with ThreadPoolExecutor(_PARALLEL_DECISIONS) as pool:
                outcomes = list(pool.map(decide, pairs))
            self.queue.send([message for _, message in outcomes if message is not None])
            for number, event in enumerate(chunk):
                of_event = outcomes[number * len(endpoints) : (number + 1) * len(endpoints)]
                yield event, Counter(outcome for outcome, _ in of_event)

    def retry_now(self, delivery: Delivery, *, probe: bool) -> Resent:
        """Retry a waiting or failed delivery now; with ``probe``, even if its endpoint is down.

        A waiting delivery continues its schedule; a failed one restarts it.
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
            written = self.deliveries.postpone(seen, now + REQUEUE_AFTER_S)
        else:
            expires_at = now + self.retention_days * _DAY_S
            written = self.deliveries.restart(delivery, DeliveryStatus.PENDING, now + REQUEUE_AFTER_S, expires_at)
        if written is None:
            return Resent.ON_ITS_WAY
        self.queue.send([DeliveryMessage(written.endpoint_id, written.event_id, written.attempts + 1, probe=probe)])
        return Resent.QUEUED

    def _resend(
        self, event: Event, endpoint: Endpoint, *, undelivered_only: bool
    ) -> tuple[Resent, DeliveryMessage | None]:
        """Decide about one event and endpoint, and write the delivery; return the message to send, if any."""
        # Patterns such as * also match test events, but a test must not be repeated.
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
        at_once = not endpoint.health.is_down and self._limit.take(endpoint.endpoint_id)
        status = DeliveryStatus.PENDING if at_once else DeliveryStatus.WAITING
        next_attempt_at = now + REQUEUE_AFTER_S if at_once else now
        if seen is None:
            fresh = new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=now, expires_at=expires_at)
            is_written = self.deliveries.create(replace(fresh, status=status, next_attempt_at=next_attempt_at))
        else:
            is_written = self.deliveries.restart(seen, status, next_attempt_at, expires_at) is not None
        if not is_written:
            return Resent.ON_ITS_WAY, None
        attempts = 0 if seen is None else seen.attempts
        message = DeliveryMessage(endpoint.endpoint_id, event.event_id, attempts + 1)
        return Resent.QUEUED, message if at_once else None
