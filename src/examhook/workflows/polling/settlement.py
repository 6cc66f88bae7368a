"""Settling rows: complete their statuses, confirm what contradicts a final attempt, write what changed.

::

    distinct rows ─▶ stored keys ─▶ statuses ─▶ changes ─▶ confirmed ─▶ written
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.change import Change
from examhook.detection.pace import is_weekly_turn
from examhook.detection.reader import Reader, limits_at
from examhook.detection.transition import change_from, is_step_back
from examhook.model import Attempt, AttemptKey, Submission
from examhook.provider.port import NO_STATUS
from examhook.workflows.polling.exam_source import ExamSource, OutOfTimeError

_NO_STATUS_REASON = "its status cannot be read"
_ASKED_ALONE = 3
"""Most candidates that are confirmed one by one; for more, the exam's rows are read again."""


@dataclass(slots=True)
class Settled:
    """What settling gave, of one batch of rows or of several."""

    attempts: list[Attempt] = field(default_factory=list)
    """Each row's attempt as it is stored now."""
    written: list[Change] = field(default_factory=list)
    overtaken: int = 0
    """Changes with which another poll was faster."""
    unanswered: int = 0
    """Rows whose status could not be learned."""
    out_of_time: bool = False
    """Whether there was no time to ask for a status."""
    unconfirmed: int = 0
    """Changes that another request did not confirm."""
    trusted: int = 0
    """Rows without a status that were taken for unchanged because all else is."""

    @property
    def appeared(self) -> int:
        """Attempts that are stored for the first time."""
        return sum(change.before is None for change in self.written)

    def add(self, other: Settled) -> None:
        """Add another batch, without its attempts."""
        self.written += other.written
        self.overtaken += other.overtaken
        self.unanswered += other.unanswered
        self.out_of_time |= other.out_of_time
        self.unconfirmed += other.unconfirmed
        self.trusted += other.trusted

    @property
    def problem(self) -> str | None:
        """Why the exam stays due although its rows were read, as a clause; None where it does not."""
        if self.overtaken:
            return "another poll was faster"
        return "the time ran out before all of it was read" if self.out_of_time else None

    def skipped(self, unreadable: Mapping[str, int]) -> dict[str, int]:
        """Rows that cannot be announced, by reason: ``unreadable`` ones, and those without a status."""
        return {**unreadable, **({_NO_STATUS_REASON: self.unanswered} if self.unanswered else {})}

    @property
    def is_certain(self) -> bool:
        """Whether what is stored is what the rows show."""
        return not (self.overtaken or self.unanswered or self.out_of_time or self.unconfirmed)


def settle(
    source: ExamSource,
    rows: Mapping[AttemptKey, Attempt],
    stored: Mapping[AttemptKey, Submission],
) -> Settled:
    """Settle distinct ``rows`` against what is ``stored`` around them.

    Raises ProviderError, ClientError, LeaseLostError.
    """
    return start_settling(source, rows, stored, recheck=False)()


def start_settling(
    source: ExamSource,
    rows: Mapping[AttemptKey, Attempt],
    stored: Mapping[AttemptKey, Submission],
    *,
    recheck: bool,
) -> Callable[[], Settled]:
    """Start to write what ``settle`` writes; the returned function waits for that. Both raise as ``settle`` does.

    ``recheck``: ask again for the status of final attempts whose weekly turn came, where lists show none.
    """
    settled = Settled()
    complete = _with_status(source, source.under_stored_keys(rows, stored), stored, settled, recheck=recheck)
    changes = source.changes(complete, stored)
    unconfirmed = _unconfirmed(source, [change for change in changes if is_step_back(change)])
    settled.unconfirmed = len(unconfirmed)
    changes = [change for change in changes if change.after.key not in unconfirmed]
    written = source.start_write(changes)

    def finish() -> Settled:
        overtaken = written()
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
    """``rows``, those that came without a status completed by asking for each candidate alone."""
    found: dict[AttemptKey, Attempt] = {}
    for key, row in rows.items():
        if row.status_code != NO_STATUS:
            found[key] = row
            continue
        known = stored.get(key)
        is_turn = recheck and is_weekly_turn(key.candidate_id, source.request.state.scanned_at or 0, source.began_at)
        if known is not None and known.attempt.is_final and _shows_the_same(row, known.attempt) and not is_turn:
            found[key] = replace(row, status_code=known.attempt.status_code)
            settled.trusted += 1
            continue
        try:
            answer = _answer(source, key)
        except OutOfTimeError:
            settled.out_of_time = True
            continue
        if answer is None:
            settled.unanswered += 1
        else:
            found[key] = replace(answer, candidate_name=answer.candidate_name or row.candidate_name)
    return found


def _answer(source: ExamSource, key: AttemptKey) -> Attempt | None:
    """The attempt with its status, asked for alone; None where that gives none. Raises as ``row_of`` does."""
    shown = next((new for new, old in source.same_record.items() if old == key), key)
    row = source.row_of(shown)
    return replace(row, started_at=key.started_at) if row is not None and row.status_code != NO_STATUS else None


def _unconfirmed(source: ExamSource, changes: Sequence[Change]) -> set[AttemptKey]:
    """Keys of changes that a second request does not show: the first answer may have been stale."""
    if not changes:
        return set()
    candidates = {change.after.key.candidate_id for change in changes}
    try:
        again = (
            {change.after.key: _answer(source, change.after.key) for change in changes}
            if len(candidates) <= _ASKED_ALONE
            else _read_again(source)
        )
    except OutOfTimeError:
        return {change.after.key for change in changes}
    return {change.after.key for change in changes if not _confirms(source, change, again.get(change.after.key))}


def _read_again(source: ExamSource) -> dict[AttemptKey, Attempt | None]:
    # Other limits than the first reading: a repeated request may return the same stale answer.
    reader = Reader(source.fetch, lambda row: row.key, limits=limits_at(source.began_at)[1:])
    rows = {row.key: row for page in reader.pages() for row in page}
    return {source.same_record.get(key, key): row for key, row in rows.items()}


def _confirms(source: ExamSource, change: Change, row: Attempt | None) -> bool:
    if row is None or change.before is None:
        return False
    if row.status_code == NO_STATUS:
        row = replace(row, status_code=change.after.attempt.status_code)
    row = replace(row, started_at=change.after.key.started_at)
    again = change_from(change.before, row, source.observation())
    return again is not None and _facts(again.after.attempt) == _facts(change.after.attempt)


def _facts(attempt: Attempt) -> tuple[object, ...]:
    return (attempt.status_code, attempt.ended_at, attempt.score_points, attempt.passed)


def _shows_the_same(row: Attempt, stored: Attempt) -> bool:
    return row.ended_at == stored.ended_at and row.score_points == stored.score_points
