"""Whether Dispatch takes what polls announce.

The stream that brings stored changes to Dispatch says nothing when it is switched off, and forgets after a day. So a
poll keeps the first event that it announced and looks in the next polls whether it went out::

    announced ─▶ awaited ── sent ──▶ forgotten; the next poll that announces something keeps another
                    │
                    ├── still not sent: how long, in the report, for an alarm
                    └── not for a day, which is all that the stream remembers: a redrive is ordered
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examhook.storage.lease_item import Awaited

STREAM_REMEMBERS_S = 24 * 3600
"""How long a record stays in a stream (DynamoDB, developer guide)."""
SOON_S = 60
"""So long Dispatch may take; nobody is told of less."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Looks after what was announced."""

    dispatched: Callable[[Sequence[str]], frozenset[str]]
    """Those of some events, by id, that went out."""
    order_redrive: Callable[[int], None]
    """Have what was noticed since a time (Unix seconds, the provider's clock), and not sent, sent from the table."""
    now: Callable[[], float]

    def look(self, awaited: Awaited | None) -> tuple[Awaited | None, int]:
        """What is awaited still, and for how many seconds; raises botocore's errors.

        A poll that dies after it ordered a redrive orders it once more, which sends nothing twice.
        """
        if awaited is None or self.dispatched([awaited.event_id]):
            return None, 0
        waits_s = int(self.now()) - awaited.since
        if waits_s >= STREAM_REMEMBERS_S:
            self.order_redrive(awaited.observed_at)
            return None, waits_s
        return awaited, waits_s if waits_s >= SOON_S else 0
