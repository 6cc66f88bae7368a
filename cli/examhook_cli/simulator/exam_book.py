"""One exam of the simulated provider with all its rows, kept sorted so that a page is a slice."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from examhook.model import Status
from examhook_cli.simulator.facts import RowOrder, TakingsCount, TruthRow

LAG_S = 120
"""How far behind ``times`` is under TakingsCount.LAGS, virtual seconds."""

PASS_MARK_POINTS = 60


@dataclass(slots=True)
class Row:
    """What the provider's database holds of one attempt."""

    candidate_id: int
    name: str
    started_at: int
    record_id: int
    status: Status = Status.IN_TEST
    score: float = 0
    ended_at: int = 0
    """0 while the attempt is open."""
    was_counted: bool = False
    """Whether its end has been counted; a reopened attempt ends twice and counts once."""

    @property
    def passed(self) -> bool:
        """Whether the score reaches the pass mark."""
        return self.score >= PASS_MARK_POINTS


@dataclass(slots=True)
class ExamBook:
    """An exam and its rows. Not safe for threads: the world's lock is held around every call."""

    exam_id: int
    title: str
    category: str
    created_at: int
    available: bool = True
    takings_count: TakingsCount = TakingsCount.STARTS
    _rows: dict[tuple[int, int], Row] = field(default_factory=dict)
    _by_start: list[tuple[int, int]] = field(default_factory=list)
    _by_candidate: list[tuple[int, int]] = field(default_factory=list)
    _start_times: list[int] = field(default_factory=list)
    """When each attempt was entered, sorted; removing an attempt takes nothing away."""
    _finishes: int = 0
    _stuck_takings: int = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Take in a new attempt; its (candidate, start) must be new."""
        self._rows[row.candidate_id, row.started_at] = row
        insort(self._by_start, (row.started_at, row.candidate_id))
        insort(self._by_candidate, (row.candidate_id, row.started_at))
        insort(self._start_times, row.started_at)

    def remove(self, row: Row) -> None:
        """Forget an attempt."""
        del self._rows[row.candidate_id, row.started_at]
        del self._by_start[bisect_left(self._by_start, (row.started_at, row.candidate_id))]
        del self._by_candidate[bisect_left(self._by_candidate, (row.candidate_id, row.started_at))]

    def get(self, candidate_id: int, started_at: int) -> Row | None:
        """One attempt, None when there is none."""
        return self._rows.get((candidate_id, started_at))

    def count_finish(self, row: Row) -> None:
        """Count the first end of an attempt."""
        self._finishes += not row.was_counted
        row.was_counted = True

    def set_takings_count(self, count: TakingsCount, now: int) -> None:
        """Change what ``times`` counts from now on."""
        self._stuck_takings = self.takings(now)
        self.takings_count = count

    def takings(self, now: int) -> int:
        """What ``times`` shows."""
        match self.takings_count:
            case TakingsCount.STARTS:
                return len(self._start_times)
            case TakingsCount.FINISHES:
                return self._finishes
            case TakingsCount.NOTHING:
                return self._stuck_takings
            case TakingsCount.LAGS:
                return bisect_right(self._start_times, now - LAG_S)

    def rows_of(self, candidate_id: int) -> list[Row]:
        """All attempts of one candidate, oldest first."""
        first = bisect_left(self._by_candidate, (candidate_id, 0))
        end = bisect_left(self._by_candidate, (candidate_id + 1, 0))
        return [self._rows[key] for key in self._by_candidate[first:end]]

    def rows(self) -> list[Row]:
        """All attempts, oldest first."""
        return [self._rows[candidate_id, started_at] for started_at, candidate_id in self._by_start]

    def truth(self, row: Row) -> TruthRow:
        """One attempt as a value that outlives the lock."""
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

    def page(self, start: int, limit: int, order: RowOrder, rng: random.Random) -> list[Row]:
        """``limit`` rows from offset ``start`` in the given order; ``rng`` shuffles where it is asked for."""
        match order:
            case RowOrder.NEWEST:
                end = max(0, len(self._by_start) - start)
                by_start = self._by_start[max(0, end - limit) : end][::-1]
            case RowOrder.OLDEST:
                by_start = self._by_start[start : start + limit]
            case RowOrder.SHUFFLED:
                by_start = rng.sample(self._by_start, len(self._by_start))[start : start + limit]
            case RowOrder.CANDIDATE:
                return [self._rows[key] for key in self._by_candidate[start : start + limit]]
        return [self._rows[candidate_id, started_at] for started_at, candidate_id in by_start]
