"""Result of processing one message of the delivery queue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from examhook.destinations.delivery_queue import DeliveryMessage


class MessageOutcome(StrEnum):
    """Outcome of one message, as logged."""

    DELIVERED = "delivered"
    RETRY_LATER = "retry_later"
    FAILED = "failed"
    DISABLED = "endpoint_disabled"
    HELD = "held"
    """The endpoint is disabled, down or at its rate limit; the delivery waits in the table."""
    PUT_OFF = "put_off"
    """The message was sent again with a delay: rate limit, slow receiver, or no fresh result link yet."""
    DROPPED = "dropped"
    """The delivery has ended, or another message made this attempt."""
    CANCELLED = "cancelled"
    """The endpoint was removed or the event has expired."""


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """Result of one message; every field may be logged."""

    message: DeliveryMessage
    outcome: MessageOutcome
    reason: str
    event_type: str | None = None
    http_status: int | None = None
    latency_ms: int = 0
    next_attempt_at: int | None = None
