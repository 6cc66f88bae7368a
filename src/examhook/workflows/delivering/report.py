"""What became of one message of the delivery queue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from examhook.destinations.delivery_queue import DeliveryMessage


class MessageOutcome(StrEnum):
    """What became of one message."""

    DELIVERED = "delivered"
    RETRY_LATER = "retry_later"
    FAILED = "failed"
    DISABLED = "endpoint_disabled"
    HELD = "held"
    """Its endpoint is disabled, down or behind with its rate; the delivery waits until it is served again."""
    PUT_OFF = "put_off"
    """Its endpoint's pace, a slow receiver, or a fresh result link that is to be had; it comes again in a moment."""
    DROPPED = "dropped"
    """The delivery has ended, or this attempt was made or is being made by another."""
    CANCELLED = "cancelled"
    """Its endpoint or its event is gone."""


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """What became of one message, in the fields that may be logged."""

    message: DeliveryMessage
    outcome: MessageOutcome
    reason: str
    event_type: str | None = None
    http_status: int | None = None
    latency_ms: int = 0
    next_attempt_at: int | None = None
