"""How long a change can stay unannounced at most, by the settings."""

from __future__ import annotations

from typing import TypedDict

from examhook.detection.plan import COLD_FACTOR, RETRY_SECONDS
from examhook.detection.reconcile import EMPTY_PATIENCE_SECONDS


class WorstCase(TypedDict):
    """Seconds, apart from the time that reading takes and that the provider does not answer."""

    hinted: int
    """Exams that open and close, new attempts where ``attempt_count`` tells of them, and ends of attempts that run."""
    unhinted: int
    """What only a full pass finds (marks, a ``attempt_count`` that lies), in an exam where things happen."""
    cold: int
    """The same, in an exam long quiet."""
    removed: int
    """A removal, which two full passes must miss, in an exam long quiet that may have lost all of its rows."""


def worst_case_s(*, poll_seconds: int, full_pass_seconds: int) -> WorstCase:
    """Longest time until a change is announced."""
    cold_s = full_pass_seconds * COLD_FACTOR + poll_seconds
    disbelieved_s = EMPTY_PATIENCE_SECONDS + min(RETRY_SECONDS, full_pass_seconds) + poll_seconds
    return {
        "hinted": poll_seconds,
        "unhinted": full_pass_seconds + poll_seconds,
        "cold": cold_s,
        "removed": 2 * cold_s + disbelieved_s,
    }
