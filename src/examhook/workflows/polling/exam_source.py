"""One exam of one poll: asks the provider for its rows, compares them with what is stored, and writes what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from examhook.detection.change import Change
from examhook.detection.diff import diff
from examhook.detection.erased import Erased
from examhook.detection.old_results import RowClock, old_before
from examhook.detection.plan import ExamRequest
from examhook.detection.transition import Observation
from examhook.model import Attempt, AttemptKey, Submission
from examhook.provider.port import ProviderClient, ResultsPage
from examhook.settings import InitialSync
from examhook.storage.submissions import SubmissionsTable, spanning
from examhook.workflows.polling.known_exams import KnownExams
from examhook.workflows.polling.lease import Lease
from examhook.workflows.polling.report import PollReport

TIME_RESERVE_S = 20.0
"""No request starts with less time left than this, because what was read must still be written."""

CORRECTION_S = 2 * 3600
"""A corrected start differs by less from the one before: a second, or the hour of a clock change."""

_CANDIDATE_ROWS = 100


class OutOfTimeError(Exception):
    """No time is left for another request; the next poll continues."""


@dataclass(frozen=True, slots=True)
class PollTools:
    """What the readings of one poll share."""

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
class _Candidate:
    """What was learned by asking for one candidate alone."""

    rows: dict[AttemptKey, Attempt] = field(default_factory=dict)
    start: int = 0
    """Offset of the next page."""
    ended: bool = False


@dataclass(slots=True)
class ExamSource:
    """One exam, for the length of one reading."""

    tools: PollTools
    request: ExamRequest
    began_at: int
    """When the reading began, by our clock."""
    same_record: dict[AttemptKey, AttemptKey] = field(default_factory=dict)
    """Key under which an attempt is stored, by the key that it has since its start was corrected."""
    unreadable_fields: Counter[str] = field(default_factory=Counter)
    _asked: dict[str, _Candidate] = field(default_factory=dict)

    @classmethod
    def of(cls, tools: PollTools, request: ExamRequest) -> ExamSource:
        """The source of an exam that is about to be read."""
        return cls(tools, request, int(tools.now()))

    def fetch(self, start: int, limit: int) -> ResultsPage:
        """Return a page of the exam's rows; raises ProviderError, OutOfTimeError, LeaseLostError."""
        page = self._ask(lambda: self.tools.client.results(self.request.exam.exam_id, start, limit))
        self.tools.row_clock.see(page.rows, int(self.tools.now()))
        return page

    def row_of(self, key: AttemptKey) -> Attempt | None:
        """One attempt, asked for among its candidate's alone; None if it is not there. Raises as ``fetch`` does."""
        asked = self._asked.setdefault(key.candidate_id, _Candidate())
        while key not in asked.rows and not asked.ended:
            page = self._ask(
                lambda: self.tools.client.results(
                    self.request.exam.exam_id, asked.start, _CANDIDATE_ROWS, key.candidate_id
                )
            )
            new = {row.key: row for row in page.rows if row.key not in asked.rows}
            asked.rows |= new
            asked.start += page.row_count
            asked.ended = not new
        return asked.rows.get(key)

    def _ask(self, question: Callable[[], ResultsPage]) -> ResultsPage:
        self.tools.lease.keep()
        if self.tools.time_left_s() < TIME_RESERVE_S:
            raise OutOfTimeError
        page = question()
        self.unreadable_fields.update(page.unreadable_fields)
        return page

    def without_erased(self, rows: Sequence[Attempt]) -> Sequence[Attempt]:
        """``rows`` without those of erased candidates."""
        erased = self.tools.erased
        return [row for row in rows if not erased.covers(row.key)] if erased.erased_at else rows

    def stored_around(self, rows: Collection[Attempt]) -> dict[AttemptKey, Submission]:
        """What is stored from the first to the last of ``rows``, and near them where a start may be corrected."""
        ends = spanning(row.key for row in rows)
        if ends is None:
            return {}
        first, last = ends
        if any(row.record_id is not None for row in rows):
            first = AttemptKey(max(0, first.started_at - CORRECTION_S), "")
            last = AttemptKey(last.started_at + CORRECTION_S, "")
        return self.tools.submissions.between(*self._place, first, last)

    def all_stored(self) -> dict[AttemptKey, Submission]:
        """All that is stored of the exam."""
        return self.tools.submissions.of_exam(*self._place)

    def holds_any(self) -> bool:
        """Whether anything is stored of the exam."""
        return self.tools.submissions.holds_any(*self._place)

    def stored_beyond(self, seen: Collection[AttemptKey]) -> dict[AttemptKey, Submission]:
        """What is stored of the exam, was not ``seen``, and was not announced as removed."""
        found = self.tools.submissions.beyond(*self._place, seen)
        # An erasure that was interrupted may have left submissions that must not be announced.
        covers = self.tools.erased.covers
        return {key: submission for key, submission in found.items() if not submission.removed and not covers(key)}

    def stored_pages(self) -> Iterator[list[Attempt]]:
        """Stored attempts that were not removed, page by page in stored order."""
        after: AttemptKey | None = None
        while True:
            stored, after = self.tools.submissions.page_after(*self._place, after, 500)
            yield [each.attempt for each in stored if not each.removed]
            if after is None:
                return

    @property
    def _place(self) -> tuple[str, str]:
        return self.tools.exams.account, self.request.exam.exam_id

    def observation(self) -> Observation:
        """The circumstances of this reading."""
        tools, state = self.tools, self.request.state
        silent, now = tools.initial_sync is InitialSync.SILENT, int(tools.now())
        return Observation(
            account=tools.exams.account,
            exam=self.request.exam,
            observed_at=self.began_at,
            fence=tools.lease.fence,
            old_before=old_before(
                state,
                watch_started_at=tools.watch_started_at,
                now=now,
                newest_row_at=now + (tools.row_clock.ahead_s or 0),
                clock_offset_s=tools.client.clock_offset_s,
            )
            if silent
            else None,
        )

    def under_stored_keys(
        self, rows: Mapping[AttemptKey, Attempt], stored: Mapping[AttemptKey, Submission]
    ) -> dict[AttemptKey, Attempt]:
        """``rows`` by the keys under which they are stored: a record keeps its key when its start is corrected."""
        unknown = [row for key, row in rows.items() if key not in stored and row.record_id is not None]
        if not unknown:
            return dict(rows)
        by_record = {(each.key.candidate_id, each.attempt.record_id): key for key, each in stored.items()}
        for row in unknown:
            key = by_record.get((row.candidate_id, row.record_id))
            if key is not None and key not in rows:
                self.same_record[row.key] = key
        renamed = ((self.same_record.get(key, key), row) for key, row in rows.items())
        return {key: replace(row, started_at=key.started_at) for key, row in renamed}

    def changes(self, rows: Mapping[AttemptKey, Attempt], stored: Mapping[AttemptKey, Submission]) -> list[Change]:
        """What distinct rows change of what is stored."""
        return diff(rows.values(), stored, self.observation())

    def write(self, changes: Sequence[Change]) -> set[AttemptKey]:
        """Write changes; returns the keys of those that another poll was faster with.

        Raises ClientError, LeaseLostError.
        """
        return self.start_write(changes)()

    def start_write(self, changes: Sequence[Change]) -> Callable[[], set[AttemptKey]]:
        """Start to write changes; the returned function waits and returns what ``write`` does. Raises as it does."""
        if not changes:
            return set
        write = self.tools.submissions.write
        # Nothing is stored of a new attempt that could reject a late write.
        self.tools.lease.keep()
        if self.tools.writer is None:
            refused = write(changes)
            return lambda: self._written(changes, refused)
        writing = self.tools.writer.submit(write, changes)
        return lambda: self._written(changes, writing.result())

    def _written(self, changes: Sequence[Change], refused: Sequence[Change]) -> set[AttemptKey]:
        overtaken = {change.after.key for change in refused}
        report = self.tools.report
        if report.announced is None:
            announced = (each.after for each in changes if each.announces and each.after.key not in overtaken)
            newest = next((after.transitions[-1] for after in announced), None)
            report.announced = None if newest is None else (newest.event_id, newest.observed_at)
        return overtaken
