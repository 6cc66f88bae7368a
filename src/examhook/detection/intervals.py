"""How often Examhook polls, how often it reads each exam, and how long a change can stay unannounced.

EventBridge Scheduler starts the first poll of each minute. Delayed messages start the others::

    PollSeconds 15      0 s ─ schedule   15 s ─ message   30 s ─ message   45 s ─ message   60 s ─ schedule
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TypedDict

from examhook.detection.exam_state import ExamState
from examhook.model import Exam

MINUTE_S = 60
"""Interval of the schedule if polls are less than a minute apart."""
SCHEDULE_LATE_S = 60
"""EventBridge Scheduler starts a target at most this long after the scheduled time."""

IDLE_FACTOR = 24
"""The interval between full scans of an idle exam grows up to this factor."""
RETRY_S = 300
"""Longest pause before a failed exam is read again."""
ROTATION_S = 900
"""Interval at which an available exam is read for new rows although its count did not change."""
ACTIVE_ROTATION_S = 300
"""The same for an active exam."""
ACTIVE_S = 3600
"""An exam stays active this long after its last change."""
WEEK_S = 7 * 86_400


class WorstCase(TypedDict):
    """Longest delays in seconds, without the time to read and without outages of the provider."""

    signalled: int
    """Opened and closed exams, new attempts that change the attempt count, ends of running attempts."""
    active: int
    """New attempts that do not change the count, in an active exam."""
    rotation: int
    """New attempts that do not change the count, in a quiet exam."""
    rescored: int
    """Changes that only a full scan finds (scores, reopened attempts), in an active exam."""
    rescored_idle: int
    """The same, in an exam that was quiet for a day."""
    removed: int
    """A removal, which two full scans must confirm, in an exam that was quiet for a day."""


def worst_case_s(*, poll_s: int, full_scan_s: int) -> WorstCase:
    """Longest time until a change is announced, for these intervals of polls and full scans."""
    gap_s = longest_gap_s(poll_s)
    idle_s = full_scan_s * IDLE_FACTOR + gap_s
    return {
        "signalled": gap_s,
        "active": ACTIVE_ROTATION_S + gap_s,
        "rotation": ROTATION_S + gap_s,
        "rescored": full_scan_s + gap_s,
        "rescored_idle": idle_s,
        "removed": 2 * idle_s + RETRY_S,
    }


@dataclass(frozen=True, slots=True)
class Tick:
    """One scheduled poll."""

    delay_s: int
    """Seconds after the start of the minute."""
    expires_at: float
    """Unix seconds at which the next tick is due. A tick that arrives later is dropped."""


def ticks_of_minute(began_at: float, poll_s: int) -> tuple[Tick, ...]:
    """All ticks of the minute that begins at ``began_at`` (Unix seconds), evenly spaced, at most ``poll_s`` apart."""
    count = math.ceil(MINUTE_S / poll_s)
    delays_s = [nth * MINUTE_S // count for nth in range(count + 1)]
    return tuple(Tick(delay_s, began_at + next_s) for delay_s, next_s in pairwise(delays_s))


def longest_gap_s(poll_s: int) -> int:
    """Longest time between two polls if the schedule is as late as AWS allows."""
    if poll_s >= MINUTE_S:
        return poll_s + SCHEDULE_LATE_S
    # Messages follow the schedule's own tick, so only the first poll of a minute is late.
    return MINUTE_S + SCHEDULE_LATE_S - ticks_of_minute(0, poll_s)[-1].delay_s


@dataclass(frozen=True, slots=True)
class PollPace:
    """The intervals that the operator configured."""

    full_scan_s: int
    """Longest time between two full scans of an active exam."""
    poll_s: int
    requests_per_second: float

    @property
    def requests_per_poll(self) -> int:
        """Requests that fit between two polls."""
        return max(1, int(self.poll_s * self.requests_per_second))


def full_scan_interval_s(state: ExamState, full_scan_s: int) -> int:
    """Interval between full scans of an exam: how long it was quiet before the last one, within bounds."""
    quiet_s = (state.scanned_at or 0) - state.changed_at
    return min(max(quiet_s, full_scan_s), full_scan_s * IDLE_FACTOR)


def rotation_interval_s(state: ExamState, now: int) -> int:
    """Interval at which an exam is read for new rows although nothing indicates any."""
    return ACTIVE_ROTATION_S if is_active(state, now) else ROTATION_S


def is_active(state: ExamState, now: int) -> bool:
    """Whether the exam changed, opened or closed within ACTIVE_S."""
    announced_at = max((each.observed_at for each in state.transitions if each.receipt is None), default=0)
    return 0 <= now - max(state.changed_at, announced_at) < ACTIVE_S


def is_in_rotation(exam: Exam, state: ExamState, now: int) -> bool:
    """Whether the exam is read for new rows at intervals: it is available or active."""
    return exam.available is not False or is_active(state, now)


def is_weekly_check_due(name: str, since: int, now: int) -> bool:
    """Whether the weekly check of ``name`` falls after ``since`` and not after ``now``."""
    offset_s = zlib.crc32(name.encode(errors="surrogatepass")) % WEEK_S
    return (now - offset_s) // WEEK_S > (since - offset_s) // WEEK_S


def seconds_since(instant: int, now: int) -> int:
    """Seconds from ``instant`` to ``now``; ``now`` if the instant is in the future, because our clock was set back."""
    return now - instant if instant <= now else now
