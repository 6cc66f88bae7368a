"""How often exams are read: full scans, the rotation through new rows, and the pauses between them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from examhook.detection.exam_state import ExamState
from examhook.model import Exam

IDLE_FACTOR = 24
"""Factor by which full scans of an idle exam become rarer at most."""
RETRY_SECONDS = 300
"""Longest pause before an exam that could not be read completely is read again."""
ROTATION_SECONDS = 900
"""How often the place where new rows appear is read in an available exam, although nothing suggests a change."""
ACTIVE_ROTATION_SECONDS = 300
"""The same, in an exam where something happened within ACTIVE_SECONDS."""
ACTIVE_SECONDS = 3600
WEEK_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Pace:
    """How often exams are read."""

    full_scan_seconds: int
    """An active exam is scanned at least this often."""
    poll_seconds: int
    """Seconds between two polls."""
    requests_per_second: float

    @property
    def requests_per_poll(self) -> int:
        """Requests that fit between two polls."""
        return max(1, int(self.poll_seconds * self.requests_per_second))


def full_scan_s(state: ExamState, full_scan_seconds: int) -> int:
    """Seconds between two full scans of an exam: as long as it was quiet before the last one, within bounds."""
    quiet_s = (state.scanned_at or 0) - state.changed_at
    return min(max(quiet_s, full_scan_seconds), full_scan_seconds * IDLE_FACTOR)


def rotation_s(state: ExamState, now: int) -> int:
    """Seconds after which new rows of an exam are looked for although nothing suggests them."""
    return ACTIVE_ROTATION_SECONDS if is_active(state, now) else ROTATION_SECONDS


def is_active(state: ExamState, now: int) -> bool:
    """Whether something happened in the exam lately, that it opened or closed included."""
    announced_at = max((each.observed_at for each in state.transitions if each.receipt is None), default=0)
    return 0 <= now - max(state.changed_at, announced_at) < ACTIVE_SECONDS


def rotates(exam: Exam, state: ExamState, now: int) -> bool:
    """Whether new rows may appear in the exam although nothing suggests them: it is available, or was until lately."""
    return exam.available is not False or is_active(state, now)


def is_weekly_turn(name: str, since: int, now: int) -> bool:
    """Whether the moment of the week that belongs to ``name`` came after ``since`` and not after ``now``."""
    offset_s = zlib.crc32(name.encode(errors="surrogatepass")) % WEEK_SECONDS
    return (now - offset_s) // WEEK_SECONDS > (since - offset_s) // WEEK_SECONDS


def seconds_since(moment: int, now: int) -> int:
    """Seconds since ``moment``; as long as possible where it lies ahead, because our clock was set back."""
    return now - moment if moment <= now else now
