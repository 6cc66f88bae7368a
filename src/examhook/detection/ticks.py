"""The polls of one minute: the schedule starts the first, delayed messages start the others.

::

    PollSeconds 15      0 s ─ schedule   15 s ─ message   30 s ─ message   45 s ─ message   60 s ─ schedule
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

MINUTE_S = 60
"""The schedule ticks this often where polls are closer than a minute."""
SCHEDULE_LATE_S = 60
"""EventBridge Scheduler starts a target within this time after the moment that an expression names."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One poll that is due."""

    delay_s: int
    """Seconds after the schedule's own tick."""
    expires_at: float
    """Unix seconds. The next tick is due then, so a tick that comes later has nothing left to do."""


def ticks_of_minute(began_at: float, poll_seconds: int) -> tuple[Tick, ...]:
    """All ticks of the minute that the schedule began at ``began_at`` (Unix seconds), its own first.

    They are spaced evenly, and never more than ``poll_seconds`` apart.
    """
    count = math.ceil(MINUTE_S / poll_seconds)
    delays_s = [nth * MINUTE_S // count for nth in range(count + 1)]
    return tuple(Tick(delay_s, began_at + next_s) for delay_s, next_s in pairwise(delays_s))


def longest_gap_s(poll_seconds: int) -> int:
    """Longest time between two polls, while AWS keeps to its word: as late as the schedule can be, and an interval.

    ``poll_seconds`` is the pause of the schedule where that is a minute or more.
    """
    if poll_seconds >= MINUTE_S:
        return poll_seconds + SCHEDULE_LATE_S
    # Messages follow their schedule's tick, so only the first poll of a minute is late.
    return MINUTE_S + SCHEDULE_LATE_S - ticks_of_minute(0, poll_seconds)[-1].delay_s
