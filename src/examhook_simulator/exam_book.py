"""One exam of the simulated provider with its sorted rows, so that a page is a slice."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from examhook_simulator.attempt_rows import Row
from examhook_simulator.facts import AttemptCount, ListOrder, TruthRow


@dataclass(slots=True)
class ExamBook:
    """An exam and its rows. The caller holds the world's lock."""

    exam_id: int
    title: str
    category: str
    created_at: int
    available: bool = True
    counts: AttemptCount = AttemptCount.STARTS
    """What ``times`` counts."""
    _rows: dict[tuple[int, int], Row] = field(default_factory=dict)
    _by_start: list[tuple[int, int]] = field(default_factory=list)
    _by_candidate: list[tuple[int, int]] = field(default_factory=list)
    _start_times: list[int] = field(default_factory=list)
    """Sorted start times, also of removed attempts."""
    _finish_times: list[int] = field(default_factory=list)
    """Sorted times of the first end of each attempt."""
    _removed: list[Row] = field(default_factory=list)
    _availability: list[tuple[int, bool]] = field(default_factory=list)
    """Changes of availability in the order of entry."""

    def __post_init__(self) -> None:
        self.set_available(self.created_at, available=self.available)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Add an attempt; candidate and start time must be a new pair."""
        self._rows[row.candidate_id, row.started_at] = row
        insort(self._by_start, (row.started_at, row.candidate_id))
        insort(self._by_candidate, (row.candidate_id, row.started_at))
        insort(self._start_times, row.started_at)

    def remove(self, row: Row) -> None:
        """Delete an attempt; ``rows_as_of`` still returns its earlier states."""
        self._removed.append(self._rows.pop((row.candidate_id, row.started_at)))
        del self._by_start[bisect_left(self._by_start, (row.started_at, row.candidate_id))]
        del self._by_candidate[bisect_left(self._by_candidate, (row.candidate_id, row.started_at))]

    def get(self, candidate_id: int, started_at: int) -> Row | None:
        """Return one attempt, or None."""
        return self._rows.get((candidate_id, started_at))

    def count_finish(self, row: Row, at: int) -> None:
        """Count the first end of an attempt."""
        if not row.was_counted:
            insort(self._finish_times, at)
        row.was_counted = True

    def attempt_count(self, then: int) -> int:
        """Return ``times`` as it was at ``then``."""
        times = self._start_times if self.counts is AttemptCount.STARTS else self._finish_times
        return bisect_right(times, then)

    def set_available(self, at: int, *, available: bool) -> None:
        """Make the exam available or unavailable."""
        self.available = available
        self._availability.append((at, available))

    def available_as_of(self, then: int) -> bool | None:
        """Return whether the exam was available at ``then``; None if it did not exist."""
        return next((available for at, available in reversed(self._availability) if at <= then), None)

    def rows_as_of(self, then: int) -> list[Row]:
        """Return copies of the attempts as they were at ``then``, oldest first."""
        found = [row.as_of(then) for row in (*self._rows.values(), *self._removed)]
        return sorted((row for row in found if row is not None), key=lambda row: (row.started_at, row.candidate_id))

    def records_as_of(self, then: int) -> list[int]:
        """Return the record ids of all attempts that started by ``then``, including removed ones."""
        return [row.record_id for row in (*self._rows.values(), *self._removed) if row.started_at <= then]

    def rows_of(self, candidate_id: int) -> list[Row]:
        """Return the attempts of one candidate, oldest first."""
        first = bisect_left(self._by_candidate, (candidate_id, 0))
        end = bisect_left(self._by_candidate, (candidate_id + 1, 0))
        return [self._rows[key] for key in self._by_candidate[first:end]]

    def rows(self) -> list[Row]:
        """Return all attempts, oldest first."""
        return [self._rows[candidate_id, started_at] for started_at, candidate_id in self._by_start]

    def truth(self, row: Row) -> TruthRow:
        """Return an attempt as a value that may be used without the lock."""
        return TruthRow(
            exam_id=str(self.exam_id),
            exam_title=self.title,
            candidate_id=str(row.candidate_id),
            name=row.name,
            started_at=row.started_at,
            status=int(row.status),
            score=row.score,
            passed=row.passed,
            ended_at=row.ended_at or None,
        )

    def page(self, start: int, limit: int, order: ListOrder, rng: random.Random) -> list[Row]:
        """Return ``limit`` rows from offset ``start``; ``rng`` shuffles them for ListOrder.SHUFFLED."""
        match order:
            case ListOrder.NEWEST:
                end = max(0, len(self._by_start) - start)
                by_start = self._by_start[max(0, end - limit) : end][::-1]
            case ListOrder.OLDEST:
                by_start = self._by_start[start : start + limit]
            case ListOrder.SHUFFLED:
                by_start = rng.sample(self._by_start, len(self._by_start))[start : start + limit]
            case ListOrder.CANDIDATE:
                return [self._rows[key] for key in self._by_candidate[start : start + limit]]
        return [self._rows[candidate_id, started_at] for started_at, candidate_id in by_start]
