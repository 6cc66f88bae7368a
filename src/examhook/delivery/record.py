"""Deliveries (one event for one endpoint) and the results of their attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from examhook.delivery.schedule import REQUEUE_AFTER_S


class DeliveryStatus(StrEnum):
    """Status of a delivery."""

    PENDING = "pending"
    """An attempt is on the queue or in progress; Retry enqueues it again at ``next_attempt_at`` in case it is lost."""
    WAITING = "waiting"
    """An attempt failed; the next is due at ``next_attempt_at``."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """All attempts failed; only a replay sends the event again."""
    CANCELLED = "cancelled"
    """The event or the endpoint no longer exists; see ``cancelled_reason``."""


OPEN_STATUSES = frozenset({DeliveryStatus.PENDING, DeliveryStatus.WAITING})
"""Statuses of deliveries with further attempts."""

ENDPOINT_REMOVED = "its endpoint was removed"
"""``cancelled_reason`` of deliveries whose endpoint no longer exists."""

EXCERPT_BYTES = 1024
"""Maximum stored bytes of a response."""

KEPT_ATTEMPTS = 10
"""Maximum attempts in a delivery's log; older ones are dropped."""


class SendOutcome(StrEnum):
    """Outcome of an attempt: a response, or why there is none."""

    ANSWERED = "answered"
    TIMED_OUT = "timed_out"
    NAME_NOT_FOUND = "name_not_found"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    BROKEN_RESPONSE = "broken_answer"
    ADDRESS_REFUSED = "address_refused"
    """Webhooks to the URL or to an IP address of its host are not allowed; nothing was sent."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """Result of one HTTP request to a receiver."""

    outcome: SendOutcome
    http_status: int | None
    """Set if the status line arrived, even if the rest of the response is broken."""
    latency_ms: int
    answer_excerpt: str = field(default="", repr=False)
    """First EXCERPT_BYTES of the response body, as text."""
    retry_after: str | None = None
    """The ``Retry-After`` header of the response."""
    detail: str | None = None
    """Explanation if there is no complete response; contains the host, and no other part of the URL."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An attempt in a delivery's log."""

    attempt: int
    at: int
    """Start of the attempt, Unix seconds."""
    outcome: SendOutcome
    reason: str
    """The result as text."""
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
    """Time after which DynamoDB deletes the delivery, Unix seconds."""
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    """Started attempts."""
    attempts_before: int = 0
    """Attempts before the last replay; a replay restarts the schedule."""
    next_attempt_at: int | None = None
    """Time at which Retry enqueues the delivery, Unix seconds; None without further attempts."""
    not_before: int | None = None
    """Earliest time that the receiver allows (``Retry-After``), Unix seconds."""
    cancelled_reason: str | None = None
    """Set if the delivery is cancelled."""
    attempt_log: tuple[AttemptRecord, ...] = ()

    @property
    def attempt_in_schedule(self) -> int:
        """Position of the latest attempt in the schedule, from 1."""
        return self.attempts - self.attempts_before


def new_delivery(endpoint_id: str, event_id: str, event_type: str, *, now: int, expires_at: int) -> Delivery:
    """A delivery to enqueue now; Retry enqueues it again in case its message is lost."""
    return Delivery(
        endpoint_id=endpoint_id,
        event_id=event_id,
        event_type=event_type,
        created_at=now,
        expires_at=expires_at,
        next_attempt_at=now + REQUEUE_AFTER_S,
    )
