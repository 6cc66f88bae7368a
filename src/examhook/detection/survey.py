"""A survey: every exam read whole once, over as many polls as that takes, before something rests on it."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.detection.watch import ExamWatch

FRESH_SECONDS = 3600
"""What was read whole so shortly before a survey began is not read again, so one that was broken off goes on."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Which exams are to be read, and since when it has been going on."""

    began_at: int | None = None
    """By the provider's clock; None: it begins with this poll."""
    exam_ids: frozenset[str] | None = None
    """None: all of them."""

    def lacks(self, exam_id: str, watch: ExamWatch | None, now: int) -> bool:
        """Whether the exam is still to be read at ``now``; one that could not be read whole is not tried twice."""
        if self.exam_ids is not None and exam_id not in self.exam_ids:
            return False
        if watch is None or watch.progress is not None:
            return True
        began_at = now if self.began_at is None else self.began_at
        return not _failed_since(watch, began_at) and watch.passed_at < began_at - FRESH_SECONDS

    def gave_up(self, watch: ExamWatch | None) -> bool:
        """Whether an exam was tried in this survey and could not be read whole."""
        return watch is not None and self.began_at is not None and _failed_since(watch, self.began_at)


def _failed_since(watch: ExamWatch, began_at: int) -> bool:
    return watch.failed_at is not None and watch.failed_at >= began_at
