"""The result of a full scan of one exam, and the exam state after it.

The digest of an exam does not depend on the order of its attempts, so an unchanged scan need not read the stored
submissions. It is the sum, modulo 2⁶⁴, of a 64-bit hash of each attempt's facts. Links and names are not facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from examhook.detection.exam_state import RUNNING_KEPT, ExamState, RowOrder
from examhook.detection.old_results import happened_at
from examhook.detection.transition import Change
from examhook.model import Attempt, AttemptKey, Receipt, Status, Submission

_DIGEST_MODULUS = 1 << 64


@dataclass(slots=True)
class ScanResult:
    """What a full scan found so far."""

    row_count: int = 0
    digest: int = 0
    running: list[AttemptKey] = field(default_factory=list)
    start_times: list[int] = field(default_factory=list)
    status_counts: Counter[int] = field(default_factory=Counter)
    newest_at: int = 0
    """Time of the latest known change of any attempt."""
    rising: bool = True
    """Whether no row started before the row listed ahead of it."""
    falling: bool = True
    """Whether no row started after the row listed ahead of it."""
    listed_before: int | None = None
    """Start of the row that was listed last."""

    def without_counts(self) -> ScanResult:
        """Return a result with the same row order and no attempts."""
        return ScanResult(rising=self.rising, falling=self.falling, listed_before=self.listed_before)

    def note_order(self, rows: Iterable[Attempt]) -> None:
        """Update the row order with rows that follow the rows noted before."""
        for row in rows:
            if self.listed_before is not None and row.started_at != self.listed_before:
                rises = row.started_at > self.listed_before
                self.rising, self.falling = self.rising and rises, self.falling and not rises
            self.listed_before = row.started_at

    def count(self, attempts: Sequence[Attempt]) -> None:
        """Add distinct attempts as they are stored."""
        self.row_count += len(attempts)
        self.digest = (self.digest + digest_of(attempts)) % _DIGEST_MODULUS
        self.running += [each.key for each in attempts if each.status_code == Status.IN_TEST]
        self.start_times += [each.started_at for each in attempts]
        self.status_counts.update(each.status_code for each in attempts)
        self.newest_at = max([self.newest_at, *map(happened_at, attempts)])

    @property
    def running_depth(self) -> int:
        """Number of rows from the newest down to the running attempt that started first, inclusive."""
        if not self.running:
            return 0
        deepest = min(key.started_at for key in self.running)
        return sum(started_at >= deepest for started_at in self.start_times)

    def receipt(self, began_at: int) -> Receipt:
        """Receipt of a complete scan that began at ``began_at`` (Unix seconds, our clock)."""
        return Receipt(began_at, dict(self.status_counts), f"{self.digest:016x}")

    def row_order(self, known: RowOrder, *, is_continued: bool) -> RowOrder:
        """Order of the rows, ``known`` if this scan does not show one.

        Parts of one continued scan that contradict each other have no order.
        """
        if self.rising and self.falling:
            return known
        if not self.rising and not self.falling:
            return RowOrder.NEITHER
        shown = RowOrder.OLDEST if self.rising else RowOrder.NEWEST
        return shown if not is_continued or known in {RowOrder.UNKNOWN, shown} else RowOrder.NEITHER


def after_complete_scan(  # noqa: PLR0913 - all that the state follows from
    state: ExamState, scan: ScanResult, *, began_at: int, row_order: RowOrder, changed: bool, is_digest_valid: bool
) -> ExamState:
    """Return the state after a scan that read all rows and began at ``began_at`` (Unix seconds, our clock).

    ``changed``: the exam changed, so the next scan is due soon. ``is_digest_valid``: the digest is that of the stored
    attempts.
    """
    # The time of a first scan does not say when its rows changed. A row with a future time did not change then.
    changed_at = began_at if changed and state.scanned_at is not None else min(scan.newest_at, began_at)
    return replace(
        state,
        row_order=row_order,
        row_count=scan.row_count,
        running=tuple(sorted(scan.running))[:RUNNING_KEPT],
        running_count=len(scan.running),
        running_depth=scan.running_depth,
        digest=scan.digest if is_digest_valid else None,
        scanned_at=began_at,
        changed_at=max(state.changed_at, changed_at),
        failed_since=None,
    )


def after_incomplete_scan(
    state: ExamState, scan: ScanResult, *, attempt_count: int | None, failed_at: int | None
) -> ExamState:
    """Return the state after an incomplete scan. The exam stays due, and known running attempts are kept.

    ``attempt_count`` is the count before the scan, so that a changed count causes another scan. ``failed_at`` is the
    start of the scan; None if the poll only ran out of time.
    """
    running = tuple(sorted({*state.running, *scan.running}))
    return replace(
        state,
        exam=replace(state.exam, attempt_count=attempt_count),
        running=running[:RUNNING_KEPT],
        running_count=max(state.running_count, len(running)),
        digest=None,
        failed_since=failed_at if state.failed_since is None else state.failed_since,
    )


def digest_of(attempts: Iterable[Attempt]) -> int:
    """Digest of distinct attempts."""
    return sum(map(_hash, attempts)) % _DIGEST_MODULUS


def digest_after_change(digest: int, change: Change) -> int:
    """Digest of an exam after ``change`` was written."""
    before = 0 if change.before is None else _stored_hash(change.before)
    return (digest - before + _stored_hash(change.after)) % _DIGEST_MODULUS


def _stored_hash(submission: Submission) -> int:
    # The provider does not list a removed submission.
    return 0 if submission.removed else _hash(submission.attempt)


def _hash(attempt: Attempt) -> int:
    # A record keeps its id when the provider corrects its start.
    identity = f"{attempt.candidate_id}|{attempt.record_id or attempt.started_at}"
    if attempt.status_code == Status.IN_TEST:
        facts = f"{identity}|0"
    else:
        # The provider package writes equal decimals alike.
        facts = f"{identity}|{attempt.status_code}|{attempt.ended_at}|{attempt.score_points!s}|{attempt.passed}"
    return int.from_bytes(blake2b(facts.encode(), digest_size=8).digest())
