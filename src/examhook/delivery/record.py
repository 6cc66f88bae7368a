"""One delivery: one event on its way to one endpoint, and what came of each attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from examhook.delivery.schedule import ENQUEUED_S


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    """An attempt is on the queue or under way; ``next_attempt_at`` is when to enqueue it again if it gets lost."""
    WAITING = "waiting"
    """An attempt failed; the next is due at ``next_attempt_at``."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Every attempt failed; nothing more is sent unless a person asks for it."""
    CANCELLED = "cancelled"
    """There is nothing to send, or nowhere to send it to; ``cancelled_reason`` says which."""


OPEN_STATUSES = frozenset({DeliveryStatus.PENDING, DeliveryStatus.WAITING})
"""Statuses in which an attempt is still to come."""

ENDPOINT_REMOVED = "its endpoint was removed"
"""Reason of deliveries that were cancelled because there is no endpoint to send them to."""

EXCERPT_BYTES = 1024
"""So much of an answer is kept with its attempt."""

KEPT_ATTEMPTS = 10
"""So many attempts are kept with a delivery, the newest."""


class SendOutcome(StrEnum):
    """How far one attempt came."""

    ANSWERED = "answered"
    TIMED_OUT = "timed_out"
    NAME_NOT_FOUND = "name_not_found"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    BROKEN_ANSWER = "broken_answer"
    ADDRESS_REFUSED = "address_refused"
    """The guard refused the URL or an address that its name stands for; nothing was sent."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What one HTTP request to a receiver brought."""

    outcome: SendOutcome
    http_status: int | None
    """Status of the answer, also where the rest of it is broken; None where there was none."""
    latency_ms: int
    answer_excerpt: str = field(default="", repr=False)
    """First KiB of the answer, as text."""
    retry_after: str | None = None
    """The answer's ``Retry-After``, as it came."""
    detail: str | None = None
    """For an attempt without a whole answer: what went wrong, in words; names no path, query or address."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One line of a delivery's log."""

    attempt: int
    at: int
    """When it began, Unix seconds."""
    outcome: SendOutcome
    reason: str
    """What was made of it, in words."""
    http_status: int | None
    latency_ms: int
    answer_excerpt: str = field(default="", repr=False)
    next_attempt_at: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint."""

    endpoint_id: str
    event_id: str
    event_type: str
    created_at: int
    expires_at: int
    """When the record may be forgotten, Unix seconds."""
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    """Attempts that have begun."""
    attempts_before: int = 0
    """Those of them that were made before someone asked for it to be sent again; the schedule begins after them."""
    next_attempt_at: int | None = None
    """When Retry takes it up, Unix seconds; None once nothing more is to be sent."""
    not_before: int | None = None
    """The receiver asked (``Retry-After``) for nothing before this, Unix seconds."""
    cancelled_reason: str | None = None
    """Why nothing more is sent, where the delivery is cancelled."""
    attempt_log: tuple[AttemptRecord, ...] = ()

    @property
    def attempt_in_schedule(self) -> int:
        """Which attempt of the schedule the latest one was, from 1."""
        return self.attempts - self.attempts_before


def new_delivery(endpoint_id: str, event_id: str, event_type: str, *, now: int, expires_at: int) -> Delivery:
    """A delivery whose first message is about to be put on the queue; Retry takes it up should that get lost."""
    return Delivery(
        endpoint_id=endpoint_id,
        event_id=event_id,
        event_type=event_type,
        created_at=now,
        expires_at=expires_at,
        next_attempt_at=now + ENQUEUED_S,
    )
