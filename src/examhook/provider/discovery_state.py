"""State of Discovery for one account, as a frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from examhook.model import Exam
from examhook.provider.port import Record

RowKey = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class DiscoveryState:
    """Exams, counts and unfinished work of one account, kept between calls."""

    exams: Mapping[str, Exam] = field(default_factory=dict)
    first_page: frozenset[RowKey] | None = None
    """Rows on the first page at the last call; None before the first call."""
    has_exam_counts: bool = True
    """Whether the provider's total for an exam counts only its rows. If not, ``attempt_count`` counts new rows."""
    left_to_count: tuple[str, ...] = ()
    """Exams that an unfinished recount still has to count."""
    walk_start: int = 0
    """Offset at which an unfinished walk continues; 0 if there is none."""
    is_walked: bool = False
    """Whether a walk reached the end and the exams have not been recounted since."""
    unassigned_rows: int = 0
    """Rows that a complete walk could not assign to an exam."""
    counted_at: int | None = None
    """Unix seconds of the last recount of all exams; initially of the first call."""
    checked_at: int | None = None
    """Unix seconds of the last reset of ``unassigned_rows`` and ``has_exam_counts``; initially of the first call."""

    def unknown_exams(self, records: Iterable[Record]) -> list[str]:
        """Return the ids in ``records`` that belong to no known exam, each once."""
        return [exam_id for exam_id in dict.fromkeys(each.exam_id for each in records) if exam_id not in self.exams]

    def with_exams_of(self, records: Iterable[Record]) -> DiscoveryState:
        """Add the unknown exams. The API states neither the title nor the availability of an exam."""
        new = {
            exam_id: Exam(exam_id, title=exam_id, available=None, attempt_count=None)
            for exam_id in self.unknown_exams(records)
        }
        return replace(self, exams={**self.exams, **new})

    def with_count(self, exam_id: str, count: int | None) -> DiscoveryState:
        """Set the count of one exam."""
        return replace(self, exams={**self.exams, exam_id: replace(self.exams[exam_id], attempt_count=count)})

    def with_new_rows(self, records: Iterable[Record]) -> DiscoveryState:
        """Add one to the count of an exam for each of its ``records``."""
        state = self
        for record in records:
            state = state.with_count(record.exam_id, (state.exams[record.exam_id].attempt_count or 0) + 1)
        return state

    def without_exam(self, exam_id: str) -> DiscoveryState:
        """Remove an exam that the provider does not know."""
        return replace(self, exams={known: exam for known, exam in self.exams.items() if known != exam_id})

    def without_search(self) -> DiscoveryState:
        """Drop an unfinished recount or walk."""
        return replace(self, left_to_count=(), walk_start=0, is_walked=False)

    def surplus(self, total: int) -> int | None:
        """Return ``total`` minus all counted and unassigned rows; None while an exam is not counted."""
        explained = self.unassigned_rows
        for exam in self.exams.values():
            if exam.attempt_count is None:
                return None
            explained += exam.attempt_count
        return total - explained


def row_key(record: Record) -> RowKey:
    """Return the identity of a row: exam, candidate and start."""
    return (record.exam_id, record.attempt.candidate_id, record.attempt.started_at)
