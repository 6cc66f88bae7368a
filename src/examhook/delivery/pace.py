"""How fast attempts at one endpoint may follow each other, and how many of them may be made at once."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

AT_ONCE = 5
"""Attempts at one endpoint that one process of Deliver makes at once."""

SLOW_DOWN_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers of a receiver that has too much to do."""

SLOWED_S = 30
"""After such an answer an endpoint is served slowly for so long."""
SLOWED_PER_SECOND = 1.0
SLOWED_BURST = 5
"""So many may follow each other at once before the slow pace begins."""

MIN_RATE, MAX_RATE = 0.1, 100.0
"""Bounds of the rate that a person may set for an endpoint, attempts per second."""

AHEAD_S = 60
"""Attempts are put off by so much at most; what finds no place within it waits in the table for Retry."""

LATE_S = 2.0
"""An attempt that comes so much later than its place takes another one, so that delays do not become a burst."""


class BadRateError(ValueError):
    """A rate that no endpoint may have; the message says which may be."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Attempts per second, and how many may come at once after a pause."""

    per_second: float
    burst: int = 1

    @property
    def step_s(self) -> float:
        """Seconds from one attempt to the next."""
        return 1 / self.per_second

    def place(self, free_at: float, now: float) -> float:
        """When an attempt may be made whose step begins at ``free_at``: then, or earlier by as much as may burst."""
        return max(now, free_at - (self.burst - 1) * self.step_s)

    @property
    def per_minute(self) -> int:
        """Attempts that find a place within a minute, at least 1."""
        return max(1, int(AHEAD_S * self.per_second) + self.burst - 1)


def check_rate(rate_per_second: float) -> None:
    """Raise BadRateError unless an endpoint may have this rate."""
    if not MIN_RATE <= rate_per_second <= MAX_RATE:
        raise BadRateError(f"A rate is a number from {MIN_RATE:g} to {MAX_RATE:g} attempts per second.")


def pace_of(rate_per_second: float | None, slowed_until: int | None, now: float) -> Pace | None:
    """The pace of an endpoint with this rate at ``now``; None where nothing holds it back."""
    slowed = slowed_until is not None and now < slowed_until
    if rate_per_second is None:
        return Pace(SLOWED_PER_SECOND, SLOWED_BURST) if slowed else None
    return Pace(min(rate_per_second, SLOWED_PER_SECOND) if slowed else rate_per_second)


def slows_down(http_status: int | None) -> bool:
    """Whether an answer's status asks for less."""
    return http_status in SLOW_DOWN_STATUSES
