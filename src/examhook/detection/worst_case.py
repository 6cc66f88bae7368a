"""How long a change can stay unannounced at most, by the settings."""

from __future__ import annotations

from typing import TypedDict

from examhook.detection.pace import ACTIVE_ROTATION_SECONDS, IDLE_FACTOR, RETRY_SECONDS, ROTATION_SECONDS


class WorstCase(TypedDict):
    """Seconds, not counting the time that reading takes and that the provider does not answer."""

    signalled: int
    """Exams that open and close, new attempts that the attempt count shows, ends of attempts that were running."""
    active: int
    """New attempts that no count shows, in an exam where something happened within the hour."""
    rotation: int
    """New attempts that no count shows, in an exam that was quiet."""
    rescored: int
    """What only a full scan finds (scores, reopened attempts), in an active exam."""
    rescored_idle: int
    """The same, in an exam that was quiet for a day."""
    removed: int
    """A removal, which two full scans must confirm, in an exam that was quiet for a day."""


def worst_case_s(*, longest_gap_s: int, full_scan_seconds: int) -> WorstCase:
    """Longest time until a change is announced; ``longest_gap_s`` is the longest time between two polls."""
    gap_s = longest_gap_s
    idle_s = full_scan_seconds * IDLE_FACTOR + gap_s
    return {
        "signalled": gap_s,
        "active": ACTIVE_ROTATION_SECONDS + gap_s,
        "rotation": ROTATION_SECONDS + gap_s,
        "rescored": full_scan_seconds + gap_s,
        "rescored_idle": idle_s,
        "removed": 2 * idle_s + RETRY_SECONDS,
    }
