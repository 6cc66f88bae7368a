"""Enqueues deliveries that wait in the table: due deliveries, and those of endpoints that recovered."""

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
"""Maximum deliveries of one endpoint that are enqueued together."""

UNPACED_PER_MINUTE = 3000
"""Deliveries that an endpoint without a rate limit can receive in a minute: 25 parallel attempts of 0.5 s each."""

_PARALLEL_WRITES = 8


@dataclass(frozen=True, slots=True)
class Enqueued:
    """Deliveries of one endpoint that were enqueued together."""

    count: int
    overdue_s: int = 0
    """Delay of the most overdue delivery."""
    last: DueDelivery | None = None
    """The last delivery, if more may be due after it."""


def minute_limit(endpoint: Endpoint, now: float) -> int:
    """Maximum deliveries on the queue for ``endpoint``: as many as it can receive in a minute."""
    rate_limit = endpoint.rate_limit(now)
    return UNPACED_PER_MINUTE if rate_limit is None else rate_limit.per_minute


def batch_limit(endpoint: Endpoint, now: float) -> int:
    """Maximum deliveries of ``endpoint`` to enqueue together."""
    return min(BATCH_PER_ENDPOINT, minute_limit(endpoint, now))


class Backlog:
    """Enqueues unfinished deliveries.

    Each delivery is first postponed by a conditional write and then enqueued. If two ticks run at the same time, only
    one enqueues it. A crash in between delays it by REQUEUE_AFTER_S.
    """

    def __init__(self, deliveries: DeliveriesTable, queue: DeliveryQueue, now: Callable[[], float]) -> None:
        self._deliveries = deliveries
        self._queue = queue
        self._now = now

    def enqueue_due(self, endpoint_id: str, limit: int, after: DueDelivery | None = None) -> Enqueued:
        """Enqueue due deliveries, oldest first, starting after ``after``: up to ``limit``, and one batch at most."""
        now, limit = int(self._now()), min(limit, BATCH_PER_ENDPOINT)
        due = self._deliveries.due(endpoint_id, now, limit, after)
        count = self._enqueue(due, lambda each: self._deliveries.postpone(each, now + REQUEUE_AFTER_S))
        last = due[-1] if len(due) == limit else None
        return Enqueued(count, overdue_s=now - due[0].next_attempt_at if due else 0, last=last)

    def remaining_capacity(self, endpoint: Endpoint) -> int:
        """Number of further deliveries of ``endpoint`` that may be enqueued now.

        Deliveries that are due within REQUEUE_AFTER_S count as enqueued, because they are or soon will be.
        """
        now, limit = int(self._now()), minute_limit(endpoint, self._now())
        if limit <= BATCH_PER_ENDPOINT:
            return 0
        return limit - self._deliveries.due_within(endpoint.endpoint_id, now + 1, now + REQUEUE_AFTER_S, limit)

    def enqueue_probe(self, endpoint_id: str, claim: Callable[[int], bool]) -> int:
        """Enqueue the oldest due delivery to check whether its endpoint has recovered; return 1, or 0 for none.

        ``claim`` receives the time (Unix seconds) and claims the probe. It is called only if a delivery is due.
        """
        now = int(self._now())
        due = self._deliveries.due(endpoint_id, now, limit=1)
        if not due or not claim(now):
            return 0
        return self._enqueue(due, lambda each: self._deliveries.postpone(each, now + REQUEUE_AFTER_S), probe=True)

    def enqueue_waiting(self, endpoint_id: str, limit: int = BATCH_PER_ENDPOINT) -> tuple[int, bool]:
        """Enqueue up to ``limit`` deliveries that wait for a later attempt, oldest first.

        Returns their number, and whether there may be more.
        """
        now = int(self._now())
        waiting = self._deliveries.waiting(endpoint_id, limit)
        enqueued = self._enqueue(waiting, lambda each: self._deliveries.bring_forward(each, now, now + REQUEUE_AFTER_S))
        return enqueued, len(waiting) == limit

    def _enqueue(
        self, found: Sequence[DueDelivery], claim: Callable[[DueDelivery], Delivery | None], *, probe: bool = False
    ) -> int:
        if not found:
            return 0
        with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
            claimed = [delivery for delivery in pool.map(claim, found) if delivery is not None]
        claimed.sort(key=lambda delivery: delivery.created_at)
        self._queue.send(
            [DeliveryMessage(each.endpoint_id, each.event_id, each.attempts + 1, probe=probe) for each in claimed]
        )
        return len(claimed)
