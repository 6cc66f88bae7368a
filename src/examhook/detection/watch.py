"""What is remembered of an account and of each of its exams between two polls."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.model import Exam


@dataclass(frozen=True, slots=True)
class AccountWatch:
    """The watch on one account."""

    account: str
    began_at: int
    """When the watch began, by the provider's clock: what ended before is old news."""


@dataclass(frozen=True, slots=True)
class ExamWatch:
    """What is known of one exam from its last pass.

    It is written only after the pass's submissions are, so a poll that dies in between leaves the
    exam due, and the next pass finds the same changes again.
    """

    exam: Exam
    """As listed when the last pass was made; its ``takings`` are those that the pass has accounted for."""
    rows: int
    """Distinct attempts seen in the last complete pass."""
    open_attempts: int
    """Attempts seen running in the last pass."""
    passed_at: int
    """When the last complete pass began, by the provider's clock; 0 before the first."""
    tried_at: int
    """When the last pass began, complete or not."""
    unreconciled_since: int | None = None
    """Since when ``takings`` stand higher than the rows account for; None when they agree."""

    @property
    def is_known(self) -> bool:
        """Whether all of the exam's results were read at least once."""
        return self.passed_at > 0
