"""Whether an attempt at an endpoint may be made now: the breaker, and the pace.

::

    down ── a probe, or first to claim the next one ──▶ go
      └───── otherwise ──▶ wait in the table: it costs nothing until Retry takes it up
    paced ── a place within a second ──▶ sleep until then, and go
      ├───── a place within MAX_POSTPONE_S ──▶ put off: a delayed message that keeps its place
      └───── none ──▶ wait in the table, as above

An endpoint that is neither down, nor slowed down, nor has a rate of its own costs no request here.
"""

from __future__ import annotations

from dataclasses import dataclass

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.rate_limit import MAX_POSTPONE_S, SLOT_GRACE_S, RateLimit
from examhook.delivery.schedule import PROBE_INTERVAL_S
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.storage.endpoints import EndpointsTable

SLEEP_S = 1.0
"""A place that is no further off is waited for where one is; SQS counts delays in whole seconds."""


@dataclass(frozen=True, slots=True)
class Go:
    """Now, or after so many seconds."""

    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PutOff:
    """Its place is at this time (Unix seconds); the message is to come again then."""

    at: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before Retry takes it up."""

    reason: str


Turn = Go | PutOff | Wait


def turn_of(message: DeliveryMessage, endpoint: Endpoint, endpoints: EndpointsTable, now: float) -> Turn:
    """What to do with ``message`` at ``now`` (Unix seconds); raises botocore's errors."""
    if message.probe:
        return Go()
    if endpoint.health.is_down:
        return _breaker(endpoint, endpoints, int(now))
    pace = endpoint.rate_limit(now)
    return Go() if pace is None else _place(message, pace, endpoint, endpoints, now)


def _breaker(endpoint: Endpoint, endpoints: EndpointsTable, now: int) -> Turn:
    claimed = (endpoint.health.probe_until or 0) > now
    if claimed or not endpoints.claim_probe(endpoint.endpoint_id, now, now + PROBE_INTERVAL_S):
        return Wait("endpoint down: one attempt at a time")
    return Go()


def _place(
    message: DeliveryMessage, pace: RateLimit, endpoint: Endpoint, endpoints: EndpointsTable, now: float
) -> Turn:
    place = message.slot_at
    if place is None or now - place > SLOT_GRACE_S:
        free_at = endpoints.take_rate_slot(endpoint, now, pace.interval_s, MAX_POSTPONE_S)
        if free_at is None:
            return Wait("as many as its rate allows are on their way")
        place = pace.slot_at(free_at, now)
    return Go(max(0.0, place - now)) if place - now <= SLEEP_S else PutOff(place)
