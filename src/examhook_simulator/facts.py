"""Values of the simulator: ledger entries, attempts, and logged requests.

Ids are text, as in Examhook. Times are Unix seconds of the virtual clock. Scores are in points.

::

    WorldError    an act is impossible (unknown exam, attempt ended, …); do not retry
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WorldError(ValueError):
    """The act is impossible; the message says why."""


class LedgerKind(StrEnum):
    """Kind of a ledger entry."""

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
    """What an exam's ``times`` counts. It is unknown which of these the provider counts."""

    STARTS = "starts"
    """Started attempts."""
    FINISHES = "finishes"
    """Ended attempts; a reopened attempt counts once."""


class ListOrder(StrEnum):
    """Order of the rows in a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    CANDIDATE = "candidate"
    SHUFFLED = "shuffled"
    """A different order in every answer."""


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """Identity of an attempt."""

    exam_id: str
    candidate_id: str
    started_at: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One change, with the state of the attempt after it. Entries about exams have no attempt."""

    n: int
    """From 1, without gaps, in the order of entry."""
    at: int
    """Time of the change. Attempts from ``populate`` are older than the entries around them."""
    kind: LedgerKind
    exam_id: str
    candidate_id: str | None = None
    started_at: int | None = None
    status: int | None = None
    score: float | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class TruthRow:
    """True state of an attempt; answers may show something else."""

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
        """Identity of the attempt."""
        return AttemptRef(self.exam_id, self.candidate_id, self.started_at)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request to the provider's API and its answer, without the account code."""

    n: int
    at: int
    """Virtual Unix seconds."""
    elapsed_s: float
    """Real seconds since the start of the simulator, to measure request rates."""
    task: str
    params: dict[str, str]
    http_status: int
    """0 if the connection ended without an answer."""
    rows: int
    """Rows of the answer before damage."""
    refused: bool
    """Whether the account code or the signature was wrong."""
    quirks: tuple[str, ...] = ()
