"""The simulator's values: what happened, to which attempt, what is true now, and which requests came.

Ids are text, as in Examhook; instants are Unix seconds of the virtual clock; scores are points.

::

    WorldError    the script is impossible (no such exam, already ended, …); retrying does not help
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WorldError(ValueError):
    """The world cannot do what the script asks; the message says why."""


class LedgerKind(StrEnum):
    """Everything that can happen in the world; a ledger entry has one of these."""

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


class AttemptCount(StrEnum):
    """What an exam's ``times`` counts; it is unknown which of these the provider does."""

    STARTS = "starts"
    """Attempts, from their first second."""
    FINISHES = "finishes"
    """Attempts that have ended, each once however often it is reopened."""


class RowOrder(StrEnum):
    """Order in which an exam's rows are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    CANDIDATE = "candidate"
    SHUFFLED = "shuffled"
    """Another order at every request."""


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """Identifies one attempt of one candidate at one exam."""

    exam_id: str
    candidate_id: str
    started_at: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that happened, with the attempt's state after it; exam entries carry no attempt."""

    n: int
    """From 1, without gaps, in the order of entry."""
    at: int
    """When it happened; attempts from ``populate`` happened before the entries around them."""
    kind: LedgerKind
    exam_id: str
    candidate_id: str | None = None
    started_at: int | None = None
    status: int | None = None
    score: float | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One attempt as it really is now, whatever the answers show."""

    exam_id: str
    exam_title: str
    candidate_id: str
    name: str
    started_at: int
    status: int
    score: float
    passed: bool
    ended_at: int | None

    @property
    def ref(self) -> AttemptRef:
        """Identity of this attempt."""
        return AttemptRef(self.exam_id, self.candidate_id, self.started_at)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request to the provider's API as it was answered; the account code is left out."""

    n: int
    at: int
    """Virtual Unix seconds."""
    elapsed_s: float
    """Real seconds since the simulator began, for measuring the pace."""
    task: str
    params: dict[str, str]
    http_status: int
    """0 where the connection ended without an answer."""
    rows: int
    """Rows in the answer before any damage."""
    refused: bool
    """Whether it had a wrong account code or signature."""
    quirks: tuple[str, ...] = ()
