"""Decides whether an attempt may start now, given the endpoint's health and rate limit.

::

    endpoint down ── a probe, or the first message to claim the next probe ──▶ admit
                 └── otherwise ──▶ hold the delivery in the table; Retry enqueues it later
    rate limited ── rate slot within SLEEP_S ──▶ admit after sleeping
                ├── rate slot within MAX_POSTPONE_S ──▶ postpone: send the message again with a delay; it keeps its slot
                └── no rate slot ──▶ hold the delivery in the table

For an endpoint that is healthy and has no rate limit, this makes no AWS request.
"""

from __future__ import annotations

from dataclasses import dataclass

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.rate_limit import MAX_POSTPONE_S, SLOT_GRACE_S, RateLimit
from examhook.delivery.schedule import PROBE_INTERVAL_S
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.storage.endpoints import EndpointsTable

SLEEP_S = 1.0
"""Maximum wait in the process; longer delays use the queue, whose delays have 1 s resolution."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Make the attempt after a delay."""

    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Postpone:
    """Send the message again, to arrive at its rate slot."""

    slot_at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Leave the delivery in the table until Retry enqueues it."""

    reason: str


Admission = Admit | Postpone | Hold


def admit(message: DeliveryMessage, endpoint: Endpoint, endpoints: EndpointsTable, now: float) -> Admission:
    """Decide whether the attempt that ``message`` requests may start; raises botocore's errors."""
    if message.probe:
        return Admit()
    if endpoint.health.is_down:
        is_probe_claimed = (endpoint.health.probe_until or 0) > now
        if is_probe_claimed or not endpoints.claim_probe(endpoint.endpoint_id, int(now), int(now) + PROBE_INTERVAL_S):
            return Hold("endpoint down: one attempt at a time")
        return Admit()
    rate_limit = endpoint.rate_limit(now)
    return Admit() if rate_limit is None else _at_rate_slot(message, rate_limit, endpoint, endpoints, now)


def _at_rate_slot(
    message: DeliveryMessage, rate_limit: RateLimit, endpoint: Endpoint, endpoints: EndpointsTable, now: float
) -> Admission:
    slot_at = message.slot_at
    if slot_at is None or now - slot_at > SLOT_GRACE_S:
        free_at = endpoints.take_rate_slot(endpoint, now, rate_limit.interval_s, MAX_POSTPONE_S)
        if free_at is None:
            return Hold("no rate slot is free soon enough")
        slot_at = rate_limit.slot_at(free_at, now)
    return Admit(max(0.0, slot_at - now)) if slot_at - now <= SLEEP_S else Postpone(slot_at)
