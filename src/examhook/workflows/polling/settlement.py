"""Settles rows: completes missing statuses, confirms changes of final attempts, and writes changes.

::

    distinct rows ─▶ stored keys ─▶ statuses ─▶ changes ─▶ confirmed ─▶ written
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.intervals import is_weekly_check_due
from examhook.detection.reader import Reader, limits_at
from examhook.detection.transition import Change, change_from, diff, is_step_back
from examhook.model import Attempt, AttemptKey, Submission
from examhook.provider.port import NO_STATUS
from examhook.workflows.polling.exam_source import ExamSource, OutOfTimeError

_NO_STATUS_REASON = "its status cannot be read"
_MAX_CANDIDATES = 3
"""Maximum candidates to request one by one for a confirmation. For more, the exam is read again."""


@dataclass(slots=True)
class Settled:
    """Result of settling one or more batches of rows."""

    attempts: list[Attempt] = field(default_factory=list)
    """The attempt of each row as it is stored now."""
    written: list[Change] = field(default_factory=list)
    overtaken: int = 0
    """Changes that another poll wrote first."""
    without_status: int = 0
    """Rows whose status could not be read."""
    out_of_time: bool = False
    """Whether no time was left to request a status."""
    unconfirmed: int = 0
    """Changes that a second request did not confirm."""
    trusted: int = 0
    """Rows without a status that count as unchanged because their other fields are."""

    @property
    def appeared(self) -> int:
        """Number of new attempts."""
        return sum(change.before is None for change in self.written)

    def add(self, other: Settled) -> None:
        """Add the result of another batch, except its attempts."""
        self.written += other.written
        self.overtaken += other.overtaken
        self.without_status += other.without_status
        self.out_of_time |= other.out_of_time
        self.unconfirmed += other.unconfirmed
        self.trusted += other.trusted

    @property
    def problem(self) -> str | None:
        """Why the exam stays due although its rows were read, as a clause."""
        if self.overtaken:
            return "another poll wrote changes first"
        return "the poll ran out of time before all of it was read" if self.out_of_time else None

    def skipped(self, unreadable: Mapping[str, int]) -> dict[str, int]:
        """Rows that cannot be announced, by reason: ``unreadable`` rows, and rows without a status."""
        return {**unreadable, **({_NO_STATUS_REASON: self.without_status} if self.without_status else {})}

    @property
    def is_certain(self) -> bool:
        """Whether the stored attempts are those of the rows."""
        return not (self.overtaken or self.without_status or self.out_of_time or self.unconfirmed)


def start_settling(
    source: ExamSource,
    rows: Mapping[AttemptKey, Attempt],
    stored: Mapping[AttemptKey, Submission],
    *,
    recheck: bool = False,
) -> Callable[[], Settled]:
    """Settle distinct rows, start to write the changes, and return a function that waits for the write.

    Both raise ProviderError, ClientError, LeaseLostError.

    Args:
        source: Reading of the exam.
        rows: Rows by key.
        stored: Submissions around the rows.
        recheck: Whether to request the status of a final attempt without one when its weekly check is due.
    """
    settled = Settled()
    complete = _with_status(source, source.under_stored_keys(rows, stored), stored, settled, recheck=recheck)
    changes = diff(complete.values(), stored, source.observation())
    unconfirmed = _unconfirmed(source, [change for change in changes if is_step_back(change)])
    settled.unconfirmed = len(unconfirmed)
    changes = [change for change in changes if change.after.key not in unconfirmed]
    wait_for_write = source.start_write(changes)

    def finish() -> Settled:
        overtaken = wait_for_write()
        settled.overtaken = len(overtaken)
        settled.written = [change for change in changes if change.after.key not in overtaken]
        after = {change.after.key: change.after.attempt for change in changes}
        settled.attempts = [after[key] if key in after else stored[key].attempt for key in complete]
        return settled

    return finish


def _with_status(
    source: ExamSource,
    rows: Mapping[AttemptKey, Attempt],
    stored: Mapping[AttemptKey, Submission],
    settled: Settled,
    *,
    recheck: bool,
) -> dict[AttemptKey, Attempt]:
    """Return the rows with their statuses. A missing status is requested by candidate, or taken from storage."""
    complete: dict[AttemptKey, Attempt] = {}
    for key, row in rows.items():
        if row.status_code != NO_STATUS:
            complete[key] = row
            continue
        known = stored.get(key)
        scanned_at = source.request.state.scanned_at or 0
        is_check_due = recheck and is_weekly_check_due(key.candidate_id, scanned_at, source.began_at)
        if known is not None and known.attempt.is_final and _is_same(row, known.attempt) and not is_check_due:
            complete[key] = replace(row, status_code=known.attempt.status_code)
            settled.trusted += 1
            continue
        try:
            answer = _row_with_status(source, key)
        except OutOfTimeError:
            settled.out_of_time = True
            continue
        if answer is None:
            settled.without_status += 1
        else:
            complete[key] = replace(answer, candidate_name=answer.candidate_name or row.candidate_name)
    return complete


def _is_same(row: Attempt, stored: Attempt) -> bool:
    return row.ended_at == stored.ended_at and row.score_points == stored.score_points


def _row_with_status(source: ExamSource, key: AttemptKey) -> Attempt | None:
    """Request one attempt by its candidate; None if it has no status then. Raises as ``row_of`` does."""
    listed_key = next((listed for listed, stored in source.stored_keys.items() if stored == key), key)
    row = source.row_of(listed_key)
    return replace(row, started_at=key.started_at) if row is not None and row.status_code != NO_STATUS else None


def _unconfirmed(source: ExamSource, changes: Sequence[Change]) -> set[AttemptKey]:
    """Return the keys of changes that a second request does not show, because the first answer may be stale."""
    if not changes:
        return set()
    candidates = {change.after.key.candidate_id for change in changes}
    again: Mapping[AttemptKey, Attempt | None]
    try:
        if len(candidates) <= _MAX_CANDIDATES:
            again = {change.after.key: _row_with_status(source, change.after.key) for change in changes}
        else:
            again = _read_again(source)
    except OutOfTimeError:
        return {change.after.key for change in changes}
    return {change.after.key for change in changes if not _is_confirmed(source, change, again.get(change.after.key))}


def _read_again(source: ExamSource) -> dict[AttemptKey, Attempt]:
    # Other limits than before: a repeated request may return the same stale answer.
    reader = Reader(source.fetch, lambda row: row.key, limits=limits_at(source.began_at)[1:])
    rows = {row.key: row for page in reader.pages() for row in page}
    return {source.stored_keys.get(key, key): row for key, row in rows.items()}


def _is_confirmed(source: ExamSource, change: Change, row: Attempt | None) -> bool:
    if row is None or change.before is None:
        return False
    if row.status_code == NO_STATUS:
        row = replace(row, status_code=change.after.attempt.status_code)
    row = replace(row, started_at=change.after.key.started_at)
    again = change_from(change.before, row, source.observation())
    return again is not None and _facts(again.after.attempt) == _facts(change.after.attempt)


def _facts(attempt: Attempt) -> tuple[object, ...]:
    return (attempt.status_code, attempt.ended_at, attempt.score_points, attempt.passed)
