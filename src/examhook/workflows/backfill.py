"""Backfill: announce once more what happened since a time, from what the provider shows.

::

    survey: a poll that also reads whole what was not ─▶ again, until nothing is left
      └─▶ announce: stored submissions, page by page ─▶ dispatched? ── yes ──▶ leave
                                                            │ no
                                                            └──▶ one conditional write; its stream does the rest

One go does as much as one invocation has time for and says where the next goes on. Each begins with a poll,
so what happens meanwhile is announced meanwhile. Each step holds the account's lease. A go that
dies is simply repeated: the survey goes on from the exams' watches, and what was dispatched is known by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.recall import Moment, recall
from examhook.detection.survey import Survey
from examhook.detection.watch import ExamWatch
from examhook.model import AttemptKey, Submission
from examhook.storage.account_state import AccountState
from examhook.storage.dispatched import DispatchedEvents
from examhook.workflows.lease import Lease, LeaseLostError, lease_on
from examhook.workflows.poll import LEASE_PATIENCE_S, Poll, PollRequest
from examhook.workflows.report import PollReport

SURVEY_S = 120.0
"""Longest that one go asks the provider, so that the next poll looks for news soon."""
GO_S = 150.0
"""Longest that one go lasts, as far as it can be cut short."""
TIME_RESERVE_S = 20.0
_PAGE_ITEMS = 500
_TRIES = 3
_LIST_NOTE = "the list of exams "


class UnknownExamError(ValueError):
    """An exam was named that the account does not have; trying again does not help."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a backfill has come."""

    began_at: int
    """By the provider's clock."""
    announcing: bool = False
    """Whether the survey is over."""
    exam_id: str = ""
    """The exam to go on with; those before it, by id, are done."""
    after: AttemptKey | None = None
    """The last submission of it that is done."""


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What to announce once more."""

    since: int
    """Unix seconds."""
    exam_ids: frozenset[str] | None = None
    """None: all exams."""
    dry_run: bool = False
    """Survey and count, but announce nothing once more."""
    place: Place | None = None
    """Where the go before had to stop; None for the first."""


@dataclass(slots=True)
class BackfillReport:
    """What one go did."""

    requests: int = 0
    exams: int = 0
    """Exams that it is about."""
    exams_left: int = 0
    """Those of them that the survey still has to read."""
    rows_under_way: int = 0
    """Attempts read of exams that are not read whole yet."""
    announced: int = 0
    """Events announced once more; in a dry run, those that would be."""
    known: int = 0
    """Events left alone because they were dispatched and are still kept."""
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Why exams could not be read whole, a clause each."""
    busy: bool = False
    """Another poll ran all the time."""
    done: bool = False
    place: Place | None = None
    """Where to go on until it is done; None: from the beginning."""
    polled: PollReport | None = None
    """What the poll that it began with did."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Backfills one account; one instance serves many goes."""

    poll: Poll
    dispatched: DispatchedEvents

    def run(self, request: BackfillRequest, time_left_s: Callable[[], float]) -> BackfillReport:
        """One go; raises UnknownExamError, and ClientError when AWS fails, after which it can be repeated."""
        left_s = time_left_s()
        report = BackfillReport(place=request.place)
        place, state = self._survey(request, report, lambda: time_left_s() - max(0.0, left_s - SURVEY_S))
        report.place = place
        if place is None or not place.announcing:
            return report
        poll = self.poll
        account = poll.settings.account
        with lease_on(poll.exams, account, now=poll.now, sleep=poll.sleep, patience_s=LEASE_PATIENCE_S) as lease:
            if lease is None:
                report.busy = True
                return report
            go = _Announcing(self, request, report, lease)
            try:
                go.run(state, place, lambda: time_left_s() - max(TIME_RESERVE_S, left_s - GO_S))
            except LeaseLostError as lost:
                report.errors.append(f"The backfill was held up: {lost}.")
        return report

    def _survey(
        self, request: BackfillRequest, report: BackfillReport, time_left_s: Callable[[], float]
    ) -> tuple[Place | None, AccountState]:
        """Poll once, reading whole what is lacking; where the backfill stands then."""
        survey = Survey(request.place.began_at if request.place else None, request.exam_ids)
        polled = self.poll.run(PollRequest(manual=True, survey=survey), time_left_s)
        state = self.poll.exams.read(self.poll.settings.account)
        report.polled = polled
        report.requests, report.busy = polled.requests, polled.skipped
        report.errors += polled.errors
        if polled.listed_at is None:
            return request.place, state
        place = request.place or Place(polled.listed_at)
        wanted = request.exam_ids if request.exam_ids is not None else polled.listed
        if unknown := sorted(set(wanted) - set(polled.listed) - state.exams.keys()):
            raise UnknownExamError(f"Account {self.poll.settings.account} has no exam {', '.join(unknown)}.")
        listed = [exam_id for exam_id in polled.listed if exam_id in set(wanted)]
        report.exams = len(listed)
        if place.announcing:
            return place, state
        survey = replace(survey, began_at=place.began_at)
        left = [each for each in listed if survey.lacks(each, state.exams.get(each), polled.listed_at)]
        report.exams_left = len(left)
        report.rows_under_way = sum(_rows_under_way(state.exams.get(exam_id)) for exam_id in left)
        given_up = [f"exam {exam_id}:" for exam_id in listed if survey.gave_up(state.exams.get(exam_id))]
        # Notes are also taken of exams that the next go tries again, and of looks at edges.
        report.notes += [note for note in polled.notes if note.startswith((_LIST_NOTE, *given_up))]
        if not polled.failed.issuperset(left):
            return place, state
        # Their events are left out, even if a later go of this backfill should come to read them.
        report.notes += [f"exam {exam_id}: the provider could not be asked about it" for exam_id in left]
        return replace(place, announcing=True), state


@dataclass(slots=True)
class _Announcing:
    """The second half of one go."""

    backfill: Backfill
    request: BackfillRequest
    report: BackfillReport
    lease: Lease

    def run(self, state: AccountState, place: Place, time_left_s: Callable[[], float]) -> None:
        """Announce from ``place`` on, noting how far it came; raises LeaseLostError, ClientError."""
        wanted = self.request.exam_ids
        pages = 0
        for exam_id in sorted(state.exams):
            if exam_id < place.exam_id or (wanted is not None and exam_id not in wanted):
                continue
            after = place.after if exam_id == place.exam_id else None
            while True:
                self.report.place = replace(place, exam_id=exam_id, after=after)
                # One page at least, or a go that is always late would never come to an end.
                if pages and time_left_s() <= 0:
                    return
                self.lease.keep()
                moment = Moment(place.began_at, state.exams[exam_id].passed_at, int(self.backfill.poll.now()))
                after = self._page(exam_id, after, moment)
                pages += 1
                if after is None:
                    break
        self.report.done = True

    def _page(self, exam_id: str, after: AttemptKey | None, moment: Moment) -> AttemptKey | None:
        """Announce one page of an exam; where the next one begins, None after the last."""
        poll = self.backfill.poll
        for _ in range(_TRIES):
            stored, next_after = poll.submissions.page_after(poll.settings.account, exam_id, after, _PAGE_ITEMS)
            if self._announce(stored, moment):
                break
        else:
            self.report.notes.append(f"exam {exam_id}: its submissions changed as fast as they were read")
        return next_after

    def _announce(self, stored: Sequence[Submission], moment: Moment) -> bool:
        """Announce what is due again; False where something was changed meanwhile."""
        recalls = [recall(each, self.request.since) for each in stored]
        ids = [event_id for each in recalls for event_id in each.event_ids]
        dispatched = self.backfill.dispatched.among(ids)
        wanted = frozenset(ids) - dispatched
        if not self.request.dry_run:
            made = (each.change(wanted, moment, self.lease.fence) for each in recalls)
            if self.backfill.poll.submissions.write([change for change in made if change is not None]):
                return False
        self.report.announced += len(wanted)
        self.report.known += len(dispatched)
        return True


def _rows_under_way(watch: ExamWatch | None) -> int:
    return watch.progress.rows if watch is not None and watch.progress is not None else 0
