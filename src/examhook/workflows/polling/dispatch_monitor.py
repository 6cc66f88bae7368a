"""Checks that Dispatch sends the events that polls announce.

A disabled stream reports no error, and its records expire after a day. Therefore a poll stores the first event that it
announced, and later polls check whether that event was sent::

    announced ─▶ awaited ── sent ──▶ cleared; the next announcement is awaited instead
                    │
                    ├── not sent: the poll reports its age, for an alarm
                    └── not sent for a day: the record has expired, so the poll requests a redrive
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examhook.storage.exams import AwaitedEvent

STREAM_KEEPS_S = 24 * 3600
"""Retention of stream records (DynamoDB developer guide)."""
SOON_S = 60
"""Time that Dispatch may take before an event counts as unsent."""


@dataclass(frozen=True, slots=True)
class DispatchMonitor:
    """Follows one announced event of an account."""

    dispatched: Callable[[Sequence[str]], frozenset[str]]
    """Returns which of these event ids were sent."""
    order_redrive: Callable[[int], None]
    """Requests a redrive of unsent events observed since a time (Unix seconds)."""
    now: Callable[[], float]

    def check(self, awaited: AwaitedEvent | None) -> tuple[AwaitedEvent | None, int]:
        """Return the event that is still awaited, and its age in seconds; raises botocore's errors.

        If a poll dies after it requested a redrive, the next poll requests another redrive, which sends no event twice.
        """
        if awaited is None or self.dispatched([awaited.event_id]):
            return None, 0
        age_s = int(self.now()) - awaited.since
        if age_s >= STREAM_KEEPS_S:
            self.order_redrive(awaited.observed_at)
            return None, age_s
        return awaited, age_s if age_s >= SOON_S else 0
