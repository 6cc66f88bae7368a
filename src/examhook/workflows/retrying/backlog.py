"""Puts deliveries that wait onto the queue: what is due, and what a recovered endpoint is owed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import Delivery
from examhook.delivery.schedule import REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.storage.deliveries import DeliveriesTable, DueDelivery

BATCH_PER_ENDPOINT = 500
"""Deliveries of one endpoint that are enqueued in one go."""

UNPACED_PER_MINUTE = 3000
"""Of an endpoint without a rate at most so many are on their way, and follow in a minute: 25 attempts at once, half a
second each, are as many."""

_PARALLEL_WRITES = 8


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What was put onto the queue for one endpoint."""

    count: int
    overdue_s: int = 0
    """How long the delivery had been due that was due longest."""
    last: DueDelivery | None = None
    """Behind which there may be more."""


def minute_limit(endpoint: Endpoint, now: float) -> int:
    """Deliveries of ``endpoint`` that may be on their way at once: what its pace lets through in a minute."""
    pace = endpoint.rate_limit(now)
    return UNPACED_PER_MINUTE if pace is None else pace.per_minute


def batch_limit(endpoint: Endpoint, now: float) -> int:
    """Deliveries to enqueue for ``endpoint`` in one go at ``now``."""
    return min(BATCH_PER_ENDPOINT, minute_limit(endpoint, now))


class Backlog:
    """The deliveries of each endpoint that are still to be sent.

    Each is first moved ahead in time by a conditional write and then put on the queue: of two ticks
    at once only one enqueues it, and a crash in between only costs it ``REQUEUE_AFTER_S``.
    """

    def __init__(self, deliveries: DeliveriesTable, queue: DeliveryQueue, now: Callable[[], float]) -> None:
        self._deliveries = deliveries
        self._queue = queue
        self._now = now

    def enqueue_due(self, endpoint_id: str, limit: int, after: DueDelivery | None = None) -> Enqueued:
        """Enqueue deliveries that are due, oldest first, those behind ``after``: up to ``limit``, one batch at most."""
        now, limit = int(self._now()), min(limit, BATCH_PER_ENDPOINT)
        due = self._deliveries.due(endpoint_id, now, limit, after)
        count = self._enqueue(due, lambda each: self._deliveries.postpone(each, now + REQUEUE_AFTER_S))
        last = due[-1] if len(due) == limit else None
        return Enqueued(count, overdue_s=now - due[0].next_attempt_at if due else 0, last=last)

    def room(self, endpoint: Endpoint) -> int:
        """How many more deliveries of ``endpoint`` may be put on the queue now, so that it is not buried.

        Whatever is due within REQUEUE_AFTER_S counts as on its way; where that is a retry, it soon will be.
        """
        now, limit = int(self._now()), minute_limit(endpoint, self._now())
        if limit <= BATCH_PER_ENDPOINT:
            return 0
        return limit - self._deliveries.due_within(endpoint.endpoint_id, now + 1, now + REQUEUE_AFTER_S, limit)

    def enqueue_probe(self, endpoint_id: str, claim: Callable[[int], bool]) -> int:
        """Enqueue the oldest delivery that is due, to find out whether its endpoint is back; returns 1, or 0.

        ``claim`` takes the right to do so now (Unix seconds); it is asked only where something is due.
        """
        now = int(self._now())
        due = self._deliveries.due(endpoint_id, now, limit=1)
        if not due or not claim(now):
            return 0
        return self._enqueue(due, lambda each: self._deliveries.postpone(each, now + REQUEUE_AFTER_S), probe=True)

    def enqueue_waiting(self, endpoint_id: str, limit: int = BATCH_PER_ENDPOINT) -> tuple[int, bool]:
        """Enqueue up to ``limit`` deliveries that wait for a later attempt, oldest first.

        Returns how many, and whether there may be more.
        """
        now = int(self._now())
        waiting = self._deliveries.waiting(endpoint_id, limit)
        enqueued = self._enqueue(waiting, lambda each: self._deliveries.bring_forward(each, now, now + REQUEUE_AFTER_S))
        return enqueued, len(waiting) == limit

    def _enqueue(
        self, found: Sequence[DueDelivery], take: Callable[[DueDelivery], Delivery | None], *, probe: bool = False
    ) -> int:
        if not found:
            return 0
        with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
            taken = [delivery for delivery in pool.map(take, found) if delivery is not None]
        taken.sort(key=lambda delivery: delivery.created_at)
        self._queue.send(
            [DeliveryMessage(each.endpoint_id, each.event_id, each.attempts + 1, probe=probe) for each in taken]
        )
        return len(taken)
