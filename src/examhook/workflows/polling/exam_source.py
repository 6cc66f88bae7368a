"""One reading of one exam: requests its rows, compares them with stored submissions, and writes changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from examhook.detection.erased import Erased
from examhook.detection.old_results import RowClock, old_before
from examhook.detection.plan import ExamRequest
from examhook.detection.transition import Change, Observation
from examhook.model import Attempt, AttemptKey, Submission
from examhook.provider.port import ProviderClient, ResultsPage
from examhook.settings import InitialSync
from examhook.storage.submissions import SubmissionsTable, spanning
from examhook.workflows.polling.known_exams import KnownExams
from examhook.workflows.polling.lease import Lease
from examhook.workflows.polling.report import PollReport

WRITE_RESERVE_S = 20.0
"""Minimum time left to start a request, because the rows must still be written."""

CORRECTION_S = 2 * 3600
"""Largest correction of a start time: a second, or the hour of a clock change."""

_CANDIDATE_ROWS = 100


class OutOfTimeError(Exception):
    """No time is left for another request; the next poll continues."""


@dataclass(frozen=True, slots=True)
class PollContext:
    """What all readings of one poll share."""

    client: ProviderClient
    submissions: SubmissionsTable
    exams: KnownExams
    initial_sync: InitialSync
    lease: Lease
    report: PollReport
    watch_started_at: int
    now: Callable[[], float]
    time_left_s: Callable[[], float]
    erased: Erased = field(default_factory=Erased)
    row_clock: RowClock = field(default_factory=RowClock)
    writer: Executor | None = None
    """Writes submissions while the next page is read; None writes them at once."""


@dataclass(slots=True)
class _CandidateRows:
    """Rows of one candidate."""

    rows: dict[AttemptKey, Attempt] = field(default_factory=dict)
    start: int = 0
    """Offset of the next page."""
    ended: bool = False


@dataclass(slots=True)
class ExamSource:
    """One reading of one exam."""

    context: PollContext
    request: ExamRequest
    began_at: int = field(init=False)
    """Start of the reading by our clock."""
    stored_keys: dict[AttemptKey, AttemptKey] = field(default_factory=dict)
    """Stored key of each attempt whose start was corrected, by its corrected key."""
    unreadable_fields: Counter[str] = field(default_factory=Counter)
    _candidates: dict[str, _CandidateRows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began_at = int(self.context.now())

    def fetch(self, start: int, limit: int) -> ResultsPage:
        """Return a page of rows; raises ProviderError, OutOfTimeError, LeaseLostError."""
        page = self._results(start, limit)
        self.context.row_clock.observe(page.rows, int(self.context.now()))
        return page

    def row_of(self, key: AttemptKey) -> Attempt | None:
        """Return one attempt, requested by its candidate; None if it is not found. Raises as ``fetch`` does."""
        found = self._candidates.setdefault(key.candidate_id, _CandidateRows())
        while key not in found.rows and not found.ended:
            page = self._results(found.start, _CANDIDATE_ROWS, key.candidate_id)
            new = {row.key: row for row in page.rows if row.key not in found.rows}
            found.rows |= new
            found.start += page.row_count
            found.ended = not new
        return found.rows.get(key)

    def _results(self, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        self.context.lease.keep()
        if self.context.time_left_s() < WRITE_RESERVE_S:
            raise OutOfTimeError
        page = self.context.client.results(self.request.exam.exam_id, start, limit, candidate_id)
        self.unreadable_fields.update(page.unreadable_fields)
        return page

    def without_erased(self, rows: Sequence[Attempt]) -> Sequence[Attempt]:
        """Return ``rows`` without those of erased candidates."""
        erased = self.context.erased
        return [row for row in rows if not erased.covers(row.key)] if erased.erased_at else rows

    def stored_around(self, rows: Collection[Attempt]) -> dict[AttemptKey, Submission]:
        """Return the submissions from the first to the last of ``rows``, and those whose start may be corrected."""
        ends = spanning(row.key for row in rows)
        if ends is None:
            return {}
        first, last = ends
        if any(row.record_id is not None for row in rows):
            first = AttemptKey(max(0, first.started_at - CORRECTION_S), "")
            last = AttemptKey(last.started_at + CORRECTION_S, "")
        return self.context.submissions.between(*self._account_and_exam, first, last)

    def all_stored(self) -> dict[AttemptKey, Submission]:
        """Return all submissions of the exam."""
        return self.context.submissions.of_exam(*self._account_and_exam)

    def holds_any(self) -> bool:
        """Whether the exam has any submission."""
        return self.context.submissions.holds_any(*self._account_and_exam)

    def stored_beyond(self, seen: Collection[AttemptKey]) -> dict[AttemptKey, Submission]:
        """Return the submissions that are not among ``seen``, without removed ones."""
        found = self.context.submissions.beyond(*self._account_and_exam, seen)
        # An interrupted erasure may have left submissions that must not be announced.
        covers = self.context.erased.covers
        return {key: submission for key, submission in found.items() if not submission.removed and not covers(key)}

    def stored_pages(self) -> Iterator[list[Attempt]]:
        """Yield pages of stored attempts in stored order, without removed ones."""
        after: AttemptKey | None = None
        while True:
            stored, after = self.context.submissions.page_after(*self._account_and_exam, after, 500)
            yield [each.attempt for each in stored if not each.removed]
            if after is None:
                return

    @property
    def _account_and_exam(self) -> tuple[str, str]:
        return self.context.exams.account, self.request.exam.exam_id

    def observation(self) -> Observation:
        """Return the circumstances of this reading."""
        context, now = self.context, int(self.context.now())
        limit = None
        if context.initial_sync is InitialSync.SILENT:
            limit = old_before(
                self.request.state,
                watch_started_at=context.watch_started_at,
                now=now,
                newest_row_at=now + (context.row_clock.ahead_s or 0),
                clock_offset_s=context.client.clock_offset_s,
            )
        return Observation(
            account=context.exams.account,
            exam=self.request.exam,
            observed_at=self.began_at,
            fence=context.lease.fence,
            old_before=limit,
        )

    def under_stored_keys(
        self, rows: Mapping[AttemptKey, Attempt], stored: Mapping[AttemptKey, Submission]
    ) -> dict[AttemptKey, Attempt]:
        """Return ``rows`` by their stored keys: a record keeps its key when its start is corrected."""
        unknown = [row for key, row in rows.items() if key not in stored and row.record_id is not None]
        if not unknown:
            return dict(rows)
        by_record = {(each.key.candidate_id, each.attempt.record_id): key for key, each in stored.items()}
        for row in unknown:
            key = by_record.get((row.candidate_id, row.record_id))
            if key is not None and key not in rows:
                self.stored_keys[row.key] = key
        renamed = ((self.stored_keys.get(key, key), row) for key, row in rows.items())
        return {key: replace(row, started_at=key.started_at) for key, row in renamed}

    def start_write(self, changes: Sequence[Change]) -> Callable[[], set[AttemptKey]]:
        """Start to write changes, and return a function that waits for the write.

        That function returns the keys that another poll wrote first. Both raise ClientError, LeaseLostError.
        """
        if not changes:
            return set
        write = self.context.submissions.write
        # A new attempt has no stored version that would reject a late write.
        self.context.lease.keep()
        if self.context.writer is None:
            refused = write(changes)
            return lambda: self._written(changes, refused)
        writing = self.context.writer.submit(write, changes)
        return lambda: self._written(changes, writing.result())

    def _written(self, changes: Sequence[Change], refused: Sequence[Change]) -> set[AttemptKey]:
        overtaken = {change.after.key for change in refused}
        report = self.context.report
        if report.announced is None:
            announced = (each.after for each in changes if each.announces and each.after.key not in overtaken)
            first = next((after.transitions[-1] for after in announced), None)
            report.announced = None if first is None else (first.event_id, first.observed_at)
        return overtaken
