"""One attempt in the provider's database, with its earlier states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from examhook.model import Status

PASS_MARK_POINTS = 60


class RowState(NamedTuple):
    """State of an attempt from ``at`` on."""

    at: int
    status: Status
    score: float
    ended_at: int
    removed: bool


@dataclass(slots=True)
class Row:
    """One attempt."""

    candidate_id: int
    name: str
    started_at: int
    record_id: int
    status: Status = Status.IN_TEST
    score: float = 0
    ended_at: int = 0
    """0 while the attempt is running."""
    was_counted: bool = False
    """Whether the first end was counted. A reopened attempt ends again, but counts once."""
    states: list[RowState] = field(default_factory=list, repr=False)
    """All states in the order of entry."""

    @property
    def passed(self) -> bool:
        """Whether the score reaches the pass mark."""
        return self.score >= PASS_MARK_POINTS

    def remember(self, at: int, *, removed: bool = False) -> None:
        """Record the current state, valid from ``at`` on."""
        self.states.append(RowState(at, self.status, self.score, self.ended_at, removed))

    def as_of(self, then: int) -> Row | None:
        """Return the row as it was at ``then``; None if it did not exist."""
        state = next((state for state in reversed(self.states) if state.at <= then), None)
        if state is None or state.removed:
            return None
        return replace(self, status=state.status, score=state.score, ended_at=state.ended_at)

    def shifted(self, start_s: int, end_s: int = 0) -> Row:
        """Return the row with shifted times; a running attempt keeps end 0."""
        return replace(self, started_at=self.started_at + start_s, ended_at=self.ended_at and self.ended_at + end_s)
