"""What truly happened to each attempt, as far as a provider's answers show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from examhook.model import Attempt, AttemptKey, Transition
from examhook_simulator.facts import LedgerKind
from tests.model.provider import Provider

PASS_MARK_POINTS = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer shows of an attempt; a running one has no results."""

    status_code: int
    score_points: Decimal | None = None
    ended_at: int | None = None
    passed: bool | None = None

    @classmethod
    def of(cls, told: Attempt | Transition) -> Facts:
        """The facts in a stored attempt or in an event."""
        return cls(told.status_code, told.score_points, told.ended_at, told.passed)


@dataclass(frozen=True, slots=True)
class State:
    """One state of an attempt, and which entry of the world's ledger brought it."""

    n: int
    facts: Facts


@dataclass(slots=True)
class History:
    """All states of one attempt in order, two equal ones never in a row, and when its row was removed."""

    states: list[State] = field(default_factory=list)
    removed_n: int | None = None

    @property
    def last(self) -> State:
        """The state in which it is, or was when it was removed."""
        return self.states[-1]

    def state_at(self, n: int) -> State | None:
        """Its state after ``n`` acts; None before its start."""
        return next((state for state in reversed(self.states) if state.n <= n), None)


Key = tuple[str, AttemptKey]
"""Exam and attempt."""


def histories(provider: Provider, absent_fields: Sequence[str], *, shows_passed: bool) -> dict[Key, History]:
    """The history of every attempt that there ever was, in what the answers show."""
    found: dict[Key, History] = {}
    for entry in provider.world.ledger():
        if entry.candidate_id is None or entry.started_at is None or entry.status is None:
            continue
        history = found.setdefault((entry.exam_id, AttemptKey(entry.started_at, entry.candidate_id)), History())
        if entry.kind is LedgerKind.REMOVED:
            history.removed_n = entry.n
            continue
        shown = provider.disguise(Attempt(entry.candidate_id, entry.started_at, entry.status))
        facts = Facts(0)
        if entry.status:
            points = Decimal(str(entry.score))
            facts = Facts(
                shown.status_code,
                None if "score" in absent_fields else points,
                None if "endTime" in absent_fields else entry.ended_at,
                points >= PASS_MARK_POINTS if shows_passed else None,
            )
        if not history.states or history.last.facts != facts:
            history.states.append(State(entry.n, facts))
    return found
