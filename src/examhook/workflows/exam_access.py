"""Reading one exam's rows from the provider, and writing what changed in them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.change import Change
from examhook.detection.diff import diff
from examhook.detection.erased import Erased, as_if_stored, blank
from examhook.detection.paging import Pager
from examhook.detection.plan import ExamRequest
from examhook.detection.transition import Observation
from examhook.detection.watch import AccountWatch
from examhook.events.catalogue import EventType
from examhook.model import Attempt, AttemptKey, Submission
from examhook.provider.pages import NO_STATUS, ResultsPage
from examhook.provider.port import ProviderClient
from examhook.settings import InitialSync
from examhook.storage.exams import ExamsTable
from examhook.storage.lease_item import Awaited
from examhook.storage.submissions import SubmissionsTable, spanning
from examhook.workflows.exam_events import ExamEvents
from examhook.workflows.lease import Lease

TIME_RESERVE_S = 20.0
"""No request begins with less time left than this: what was read must still be written."""


class OutOfTimeError(Exception):
    """There is no time for another request; the next poll goes on."""


@dataclass(frozen=True, slots=True)
class PollTools:
    """What all passes of one poll share."""

    client: ProviderClient
    submissions: SubmissionsTable
    exams: ExamsTable
    exam_events: ExamEvents
    initial_sync: InitialSync
    pager: Pager
    lease: Lease
    watch: AccountWatch
    now: Callable[[], float]
    time_left_s: Callable[[], float]
    erased: Erased = field(default_factory=Erased)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What writing a set of distinct rows gave."""

    attempts: Sequence[Attempt]
    """Each row's attempt as it is stored now."""
    written: Sequence[Change]
    overtaken: int
    """Changes that another poll was faster with."""
    appeared: int
    ended: int


@dataclass(slots=True)
class _Candidate:
    """What was learned by asking for one candidate alone."""

    rows: dict[AttemptKey, Attempt] = field(default_factory=dict)
    start: int = 0
    """Offset to go on from."""
    ended: bool = False


@dataclass(slots=True)
class ExamAccess:
    """One exam, for the length of one pass."""

    tools: PollTools
    request: ExamRequest
    began_at: int = 0
    """When the pass began, by the provider's clock."""
    began_here_at: int = 0
    """The same, by our clock."""
    unanswered: int = 0
    """Rows whose status could not be learned."""
    _asked: dict[str, _Candidate] = field(default_factory=dict)
    _blank: dict[AttemptKey, Attempt] = field(default_factory=dict)
    """Rows of erased candidates that were met: they are there, and never news."""

    def fetch(self, start: int, limit: int) -> ResultsPage:
        """A page of the exam's rows; raises ProviderError, OutOfTimeError, LeaseLostError."""
        return self._ask(lambda: self.tools.client.results(self.request.exam.exam_id, start, limit))

    def row_of(self, key: AttemptKey) -> Attempt | None:
        """One attempt, asked for among its candidate's alone; None if it is not there. Raises as ``fetch`` does."""
        asked = self._asked.setdefault(key.candidate_id, _Candidate())
        while key not in asked.rows and not asked.ended:
            page = self._ask(
                lambda: self.tools.client.results(
                    self.request.exam.exam_id, asked.start, self.tools.pager.limit, key.candidate_id
                )
            )
            new = {row.key: row for row in page.rows if row.key not in asked.rows}
            asked.rows.update(new)
            asked.start += page.row_count
            asked.ended = not new
        return asked.rows.get(key)

    def _ask(self, question: Callable[[], ResultsPage]) -> ResultsPage:
        self.tools.lease.keep()
        if self.tools.time_left_s() < TIME_RESERVE_S:
            raise OutOfTimeError
        page = question()
        if not self.began_at:
            self.began_here_at = int(self.tools.now())
            self.began_at = page.provider_time if page.provider_time is not None else self.began_here_at
        return replace(page, rows=tuple(map(self._met, page.rows))) if self.tools.erased.erased_at else page

    def _met(self, row: Attempt) -> Attempt:
        """The row, blank if it is an erased candidate's."""
        if not self.tools.erased.covers(row.key):
            return row
        return self._blank.setdefault(row.key, blank(row))

    def _as_if_stored(self, row: Attempt) -> Submission:
        return as_if_stored(row, self.tools.watch.account, self.request.exam, self.began_at)

    def stored_around(self, rows: Sequence[Attempt]) -> dict[AttemptKey, Submission]:
        """What is stored from the first to the last of ``rows``."""
        ends = spanning(row.key for row in rows)
        found = (
            self.tools.submissions.between(self.tools.watch.account, self.request.exam.exam_id, *ends) if ends else {}
        )
        return found | {row.key: self._as_if_stored(row) for row in rows if row.key in self._blank}

    def all_stored(self) -> dict[AttemptKey, Submission]:
        """All that is stored of the exam."""
        found = self.tools.submissions.of_exam(self.tools.watch.account, self.request.exam.exam_id)
        return found | {key: self._as_if_stored(row) for key, row in self._blank.items()}

    def stored_beyond(self, seen: Container[AttemptKey]) -> dict[AttemptKey, Submission]:
        """What is stored of the exam, was not ``seen``, and was not announced as removed."""
        found = self.tools.submissions.beyond(self.tools.watch.account, self.request.exam.exam_id, seen)
        # An erasure that was cut short may have left what nobody is to be told of any more.
        covers = self.tools.erased.covers
        return {key: submission for key, submission in found.items() if not submission.removed and not covers(key)}

    def holds_any(self) -> bool:
        """Whether anything is stored of the exam."""
        return self.tools.submissions.holds_any(self.tools.watch.account, self.request.exam.exam_id)

    def count_stored(self) -> int:
        """How many attempts are stored of the exam and were not announced as removed."""
        return self.tools.submissions.count(self.tools.watch.account, self.request.exam.exam_id)

    def count_erased(self, keys: Iterable[AttemptKey]) -> int:
        """How many of the attempts are erased candidates'."""
        return sum(key in self._blank for key in keys)

    def observation(self) -> Observation:
        """The circumstances of this pass."""
        known = self.request.known
        # What had ended before the watch began is old news, as long as the exam was never read whole.
        first_contact = known is None or not known.is_known
        silent = first_contact and self.tools.initial_sync is InitialSync.SILENT
        return Observation(
            account=self.tools.watch.account,
            exam=self.request.exam,
            observed_at=self.began_here_at,
            fence=self.tools.lease.fence,
            silent_before=self.tools.watch.began_at if silent else None,
        )

    def settle(self, rows: Mapping[AttemptKey, Attempt], stored: Mapping[AttemptKey, Submission]) -> Settlement:
        """Complete the rows, write what they change; raises ProviderError, ClientError, LeaseLostError."""
        complete = self._with_status(rows, stored)
        changes = diff(complete.values(), stored, self.observation())
        overtaken = self.write(changes)
        after = {change.after.key: change.after.attempt for change in changes}
        return Settlement(
            attempts=[after[key] if key in after else stored[key].attempt for key in complete],
            written=[change for change in changes if change.after.key not in overtaken],
            overtaken=len(overtaken),
            appeared=sum(change.before is None for change in changes),
            ended=sum(map(_is_first_end, changes)),
        )

    def write(self, changes: Sequence[Change]) -> set[AttemptKey]:
        """Write changes; the keys of those that another poll was faster with. Raises ClientError, LeaseLostError."""
        # A new attempt has nothing stored that could fence off who writes it too late.
        self.tools.lease.keep()
        overtaken = {change.after.key for change in self.tools.submissions.write(changes)}
        announced = (change.after for change in changes if change.announces and change.after.key not in overtaken)
        newest = next((after.transitions[-1] for after in announced), None)
        if newest is not None and self.tools.lease.announced is None:
            self.tools.lease.announced = Awaited(newest.event_id, newest.observed_at)
        return overtaken

    def _with_status(
        self, rows: Mapping[AttemptKey, Attempt], stored: Mapping[AttemptKey, Submission]
    ) -> dict[AttemptKey, Attempt]:
        """``rows``, those that came without a status completed by asking for each candidate alone.

        A row that shows what is stored of an ended attempt is not asked about again.
        """
        found = {key: row for key, row in rows.items() if row.status_code != NO_STATUS}
        for key, row in rows.items():
            if key in found:
                continue
            known = stored.get(key)
            if known is not None and known.attempt.is_final and _shows_the_same(row, known.attempt):
                found[key] = replace(row, status_code=known.attempt.status_code)
                continue
            answer = self._answer(key)
            if answer is None:
                self.unanswered += 1
            else:
                found[key] = replace(answer, candidate_name=answer.candidate_name or row.candidate_name)
        return found

    def _answer(self, key: AttemptKey) -> Attempt | None:
        """The attempt with its status, asked for alone; None where that does not tell or there is no time."""
        try:
            row = self.row_of(key)
        except OutOfTimeError:
            return None
        return row if row is not None and row.status_code != NO_STATUS else None


def _is_first_end(change: Change) -> bool:
    """Whether an attempt ended; the second end of one that was reopened is no other taking."""
    before = change.before
    if before is not None and (before.attempt.is_final or EventType.REOPENED in before.type_counts):
        return False
    return change.after.attempt.is_final


def _shows_the_same(row: Attempt, stored: Attempt) -> bool:
    return row.ended_at == stored.ended_at and row.score_points == stored.score_points
