"""The ledger of the truth: everything that ever happened in the simulated world, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LedgerKind(StrEnum):
    """Everything that can happen in the world."""

    STARTED = "started"
    SUBMITTED = "submitted"
    TIMED_OUT = "timed_out"
    FORCED = "forced"
    SYSTEM_SUBMITTED = "system_submitted"
    RESCORED = "rescored"
    REOPENED = "reopened"
    REMOVED = "removed"
    EXAM_CREATED = "exam_created"
    EXAM_OPENED = "exam_opened"
    EXAM_CLOSED = "exam_closed"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that happened, with the attempt's state after it; exam entries carry no attempt."""

    n: int
    """From 1, without gaps, in the order in which things entered the world."""
    at: int
    """When it happened; attempts that ``populate`` made happened before the entries around them."""
    kind: LedgerKind
    exam_id: str
    candidate_id: str | None = None
    started_at: int | None = None
    status: int | None = None
    score: float | None = None
    ended_at: int | None = None
