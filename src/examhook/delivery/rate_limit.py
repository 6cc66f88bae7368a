"""Limits the attempts at one endpoint: rate limit, slowdown of overloaded receivers, and parallel attempts.

Under a rate limit each attempt gets a rate slot: a time at which it may begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

ENDPOINT_CONCURRENCY = 5
"""Maximum parallel attempts at one endpoint in one process of Deliver."""

OVERLOAD_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses after which an endpoint is slowed down."""

SLOWDOWN_S = 30
"""Duration of a slowdown."""
SLOWDOWN_PER_SECOND = 1.0
SLOWDOWN_BURST = 5

MIN_PER_SECOND, MAX_PER_SECOND = 0.1, 100.0
"""Range of rate limits that users may set, attempts per second."""

MAX_POSTPONE_S = 60
"""Maximum time from now to a rate slot; without a slot within this time, Retry enqueues the delivery later."""

SLOT_GRACE_S = 2.0
"""Delay after which an attempt gives up its rate slot and takes a new one, so that delays do not cause bursts."""


class BadRateError(ValueError):
    """A rate limit is out of range; the message states the range."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Maximum rate of attempts."""

    per_second: float
    burst: int = 1
    """Attempts that may begin at once after a pause."""

    @property
    def interval_s(self) -> float:
        """Average seconds between two attempts."""
        return 1 / self.per_second

    def slot_at(self, free_at: float, now: float) -> float:
        """Rate slot (Unix seconds) of an attempt: ``free_at``, or earlier within a burst, but not before ``now``."""
        return max(now, free_at - (self.burst - 1) * self.interval_s)

    @property
    def per_minute(self) -> int:
        """Attempts that get a rate slot within MAX_POSTPONE_S, at least 1."""
        return max(1, int(MAX_POSTPONE_S * self.per_second) + self.burst - 1)


def check_rate(rate_per_second: float) -> None:
    """Raise BadRateError if the rate is out of range."""
    if not MIN_PER_SECOND <= rate_per_second <= MAX_PER_SECOND:
        raise BadRateError(f"A rate is a number from {MIN_PER_SECOND:g} to {MAX_PER_SECOND:g} attempts per second.")


def effective_rate_limit(rate_per_second: float | None, slowed_until: int | None, now: float) -> RateLimit | None:
    """The limit at ``now`` (Unix seconds) for an endpoint with this configured rate; None for no limit."""
    is_slowed = slowed_until is not None and now < slowed_until
    if rate_per_second is None:
        return RateLimit(SLOWDOWN_PER_SECOND, SLOWDOWN_BURST) if is_slowed else None
    return RateLimit(min(rate_per_second, SLOWDOWN_PER_SECOND) if is_slowed else rate_per_second)


def is_overloaded(http_status: int | None) -> bool:
    """Whether to slow down an endpoint that answered with this status."""
    return http_status in OVERLOAD_STATUSES
