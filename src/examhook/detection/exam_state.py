"""The stored state of an exam, which one poll writes for the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from examhook.model import AttemptKey, Exam, ExamTransition

RUNNING_KEPT = 200
"""Maximum running attempts of one exam that are stored by key."""


class RowOrder(StrEnum):
    """Order in which the provider lists the rows of an exam."""

    UNKNOWN = "unknown"
    NEWEST = "newest"
    """Latest start first: new rows appear on the first page."""
    OLDEST = "oldest"
    """Earliest start first: new rows appear at the end."""
    NEITHER = "neither"
    """New rows may appear anywhere, so only a full scan finds them."""


@dataclass(frozen=True, slots=True)
class ScanCursor:
    """Where an interrupted full scan continues."""

    start: int
    """Offset of the next page."""
    last: AttemptKey | None
    """The last row read, which the next page must show again; None if that row was unreadable."""
    began_at: int
    """Start of the scan."""


@dataclass(frozen=True, slots=True)
class ExamState:
    """Everything stored about one exam. Instants are Unix seconds by our clock.

    A poll writes it after the submissions, so the next poll finds the same changes again if this one dies in between.
    """

    account: str
    exam: Exam
    """As listed at the last reading. ``available`` is the last stated value."""
    predates_watch: bool = False
    """Whether the exam was in the first complete list, so that it may have old results."""
    row_order: RowOrder = RowOrder.UNKNOWN
    row_count: int = 0
    """Stored attempts that were not removed."""
    running: tuple[AttemptKey, ...] = ()
    """Running attempts at the last reading, at most RUNNING_KEPT."""
    running_count: int = 0
    """Number of all running attempts."""
    running_depth: int = 0
    """Number of rows from the newest down to the running attempt that started first, inclusive."""
    digest: int | None = None
    """Order-independent digest of the stored attempts; None if the next full scan must compare each row."""
    scanned_at: int | None = None
    """Start of the last complete full scan."""
    read_at: int = 0
    """Last full or incremental scan."""
    changed_at: int = 0
    """Last known change of an attempt."""
    failed_since: int | None = None
    """Time of the first incomplete reading after the last complete one; None if there is none."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows that cannot be announced, by reason."""
    cursor: ScanCursor | None = None
    transitions: tuple[ExamTransition, ...] = ()
    """The last announced changes, oldest first."""
    sequence: int = 0
    """Sequence of the newest transition."""
    version: int = 0
    """Number of writes. Each write names the version that it replaces."""
    fence: int = 0
    """Fencing token of the poll that wrote it."""

    @property
    def exam_id(self) -> str:
        """The exam's id."""
        return self.exam.exam_id

    @property
    def running_candidates(self) -> int | None:
        """Number of candidates with running attempts; None if ``running`` is not complete."""
        if self.running_count != len(self.running):
            return None
        return len({key.candidate_id for key in self.running})

    def exam_as(self, listed: Exam) -> Exam:
        """Return the exam as ``listed``, with the last stated ``available`` if the list does not state it."""
        return replace(listed, available=self.exam.available if listed.available is None else listed.available)
