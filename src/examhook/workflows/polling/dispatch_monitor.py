"""Checks that Dispatch sends what polls announce.

The stream that carries stored changes to Dispatch gives no sign when it is switched off, and it keeps records for a
day only. So a poll remembers the first event that it announced, and later polls check whether it was sent::

    announced ─▶ awaited ── sent ──▶ cleared; the next poll that announces something remembers another
                    │
                    ├── not sent yet: its age is reported, for an alarm
                    └── not sent for a day: the stream has lost it, so the poll orders a redrive
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examhook.storage.exams import AwaitedEvent

STREAM_KEEPS_S = 24 * 3600
"""How long a record stays in a stream (DynamoDB, developer guide)."""
SOON_S = 60
"""Time that Dispatch may take before an event counts as unsent."""


@dataclass(frozen=True, slots=True)
class DispatchMonitor:
    """Follows one announced event of an account."""

    dispatched: Callable[[Sequence[str]], frozenset[str]]
    """Returns those of some events, by id, that were sent."""
    order_redrive: Callable[[int], None]
    """Orders that events seen since a time (Unix seconds) and not sent are sent from the table."""
    now: Callable[[], float]

    def check(self, awaited: AwaitedEvent | None) -> tuple[AwaitedEvent | None, int]:
        """What is still awaited, and for how many seconds; raises botocore's errors.

        A poll that dies after it ordered a redrive orders another one, which sends nothing twice.
        """
        if awaited is None or self.dispatched([awaited.event_id]):
            return None, 0
        waits_s = int(self.now()) - awaited.since
        if waits_s >= STREAM_KEEPS_S:
            self.order_redrive(awaited.observed_at)
            return None, waits_s
        return awaited, waits_s if waits_s >= SOON_S else 0
