"""What Examhook remembers of each exam, and of the account, between two polls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from examhook.model import AttemptKey, Exam, ExamTransition

RUNNING_KEPT = 200
"""Running attempts of one exam that are remembered by name; of more, only their number."""


class RowOrder(StrEnum):
    """Order in which the provider lists an exam's rows, as far as full scans showed it."""

    UNKNOWN = "unknown"
    NEWEST = "newest"
    """By start time, the latest first: new rows appear on the first page."""
    OLDEST = "oldest"
    """By start time, the earliest first: new rows appear at the end."""
    NEITHER = "neither"
    """New rows may appear anywhere, so only a full scan finds them."""


@dataclass(frozen=True, slots=True)
class ScanCursor:
    """Where a full scan continues that ran out of time."""

    start: int
    """Offset of the next page."""
    last: AttemptKey | None
    """The last row that was read, which the next page must show again; None where it could not be read."""
    began_at: int
    """When the scan began, by our clock."""


@dataclass(frozen=True, slots=True)
class ExamState:
    """All that is stored of one exam. Instants are Unix seconds by our clock.

    A poll writes it after the submissions that it found, so a poll that dies in between finds the same changes again.
    """

    account: str
    exam: Exam
    """As listed when it was last read; ``available`` as last stated."""
    predates_watch: bool = False
    """Whether the exam was in the first complete list, so that it may have old results."""
    row_order: RowOrder = RowOrder.UNKNOWN
    row_count: int = 0
    """Attempts that are stored and not removed."""
    running: tuple[AttemptKey, ...] = ()
    """Attempts that were running when it was last read, a few hundred at most."""
    running_count: int = 0
    """How many were running, those that ``running`` does not name included."""
    running_depth: int = 0
    """Rows between the place where new rows appear and the deepest running attempt, that one included."""
    digest: int | None = None
    """Order-independent digest of all stored attempts; None where the next full scan must compare each row."""
    scanned_at: int | None = None
    """When the last complete full scan began; None before the first."""
    read_at: int = 0
    """When it was last read, in whole or in part."""
    changed_at: int = 0
    """When something last happened in it."""
    failed_since: int | None = None
    """Since when it could not be read completely; None where the last reading was complete."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows of the last full scan that cannot be announced, by reason."""
    cursor: ScanCursor | None = None
    transitions: tuple[ExamTransition, ...] = ()
    """The last announced changes, oldest first."""
    sequence: int = 0
    """Sequence of the newest transition."""
    version: int = 0
    """Grows by one with each write; a write names the version that it replaces. 0: not stored yet."""
    fence: int = 0
    """Fencing value of the poll that wrote it."""

    @property
    def exam_id(self) -> str:
        """The exam's id."""
        return self.exam.exam_id

    @property
    def running_candidates(self) -> int | None:
        """How many candidates have running attempts; None where ``running`` does not name all of them."""
        if self.running_count != len(self.running):
            return None
        return len({key.candidate_id for key in self.running})


def described(state: ExamState, listed: Exam) -> Exam:
    """The exam as listed now; whether it is available stays as last stated where the list does not say."""
    return replace(listed, available=state.exam.available if listed.available is None else listed.available)
