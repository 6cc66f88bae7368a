"""Backfill: announce again what happened since a time, from what the provider shows.

::

    rescan: a poll that also scans every exam not scanned lately ─▶ repeated until none is left
      └─▶ announce: stored submissions, page by page ─▶ dispatched? ── yes ──▶ leave
                                                            │ no
                                                            └──▶ one conditional write; its stream does the rest

One round does as much as one invocation has time for and returns where the next continues. Each begins with a poll,
so new changes are announced meanwhile. Each step holds the account's lease. A round that dies is repeated: the
rescan continues from the exams' states, and dispatched events are known by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.exam_state import ExamState
from examhook.detection.plan import Rescan
from examhook.detection.reannounce import reannouncement
from examhook.model import AttemptKey, Submission
from examhook.storage.events import DispatchedEvents
from examhook.workflows.polling.lease import Lease, LeaseLostError, lease_on
from examhook.workflows.polling.poll import LEASE_PATIENCE_S, Poll, PollRequest
from examhook.workflows.polling.report import PollReport

FRESH_SECONDS = 3600
"""An exam that was scanned this shortly before a backfill began is not scanned again."""
RESCAN_S = 120.0
"""Longest that one round asks the provider, so that the next poll soon looks for changes."""
ROUND_S = 150.0
"""Longest that one round lasts, as far as it can be cut short."""
TIME_RESERVE_S = 20.0
_PAGE_ITEMS = 500
_TRIES = 3
_LIST_NOTE = "the list of exams "


class UnknownExamError(ValueError):
    """The account has no exam with this id; trying again does not help."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a backfill has come."""

    began_at: int
    """By our clock."""
    announcing: bool = False
    """Whether the rescan is over."""
    exam_id: str = ""
    """The exam to continue with; those before it, by id, are done."""
    after: AttemptKey | None = None
    """The last submission of it that is done."""


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What to announce again."""

    since: int
    """Unix seconds."""
    exam_ids: frozenset[str] | None = None
    """None: all exams."""
    dry_run: bool = False
    """Rescan and count, but announce nothing again."""
    place: Place | None = None
    """Where the round before had to stop; None for the first."""


@dataclass(slots=True)
class BackfillReport:
    """What one round did."""

    requests: int = 0
    exams: int = 0
    """Exams that it is about."""
    exams_left: int = 0
    """Those of them that are still to be scanned."""
    rows_under_way: int = 0
    """Attempts read of exams whose scan is not complete yet."""
    announced: int = 0
    """Events announced again; in a dry run, those that would be."""
    known: int = 0
    """Events left alone because they were dispatched and are still kept."""
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Why exams could not be scanned completely, a clause each."""
    busy: bool = False
    """Another poll ran all the time."""
    done: bool = False
    place: Place | None = None
    """Where to continue until it is done; None: from the beginning."""
    polled: PollReport | None = None
    """What the poll at its beginning did."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Backfills one account; one instance serves many rounds."""

    poll: Poll
    dispatched: DispatchedEvents

    def run(self, request: BackfillRequest, time_left_s: Callable[[], float]) -> BackfillReport:
        """One round; raises UnknownExamError, and ClientError when AWS fails, after which it can be repeated."""
        left_s = time_left_s()
        report = BackfillReport(place=request.place)
        place, states = self._rescan(request, report, lambda: time_left_s() - max(0.0, left_s - RESCAN_S))
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
                go.run(states, place, lambda: time_left_s() - max(TIME_RESERVE_S, left_s - ROUND_S))
            except LeaseLostError as lost:
                report.errors.append(f"The backfill was held up: {lost}.")
        return report

    def _rescan(
        self, request: BackfillRequest, report: BackfillReport, time_left_s: Callable[[], float]
    ) -> tuple[Place | None, Mapping[str, ExamState]]:
        """Poll once, scanning what is lacking; where the backfill stands then, and the exams' states."""
        began_at = request.place.began_at if request.place else int(self.poll.now())
        rescan = Rescan(
            before=began_at - FRESH_SECONDS,
            exam_ids=request.exam_ids,
            failed_after=began_at if request.place else None,
        )
        polled = self.poll.run(PollRequest(manual=True, rescan=rescan), time_left_s)
        states = self.poll.exam_states.of_account(self.poll.settings.account)
        report.polled = polled
        report.requests, report.busy = polled.requests, polled.skipped
        report.errors += polled.errors
        if not polled.is_listed:
            return request.place, states
        place = request.place or Place(began_at)
        listed = self._wanted(request, polled, states)
        report.exams = len(listed)
        if place.announcing:
            return place, states
        # Events of exams that failed are left out, even if a later round of this backfill should read them.
        left = _note_rescan(report, polled, listed, replace(rescan, failed_after=began_at))
        return replace(place, announcing=not left), states

    def _wanted(self, request: BackfillRequest, polled: PollReport, states: Mapping[str, ExamState]) -> list[ExamState]:
        """The exams on the list that the backfill is about; raises UnknownExamError."""
        wanted = set(polled.listed) if request.exam_ids is None else request.exam_ids
        if unknown := sorted(wanted - set(polled.listed) - states.keys()):
            raise UnknownExamError(f"Account {self.poll.settings.account} has no exam {', '.join(unknown)}.")
        return [states[exam_id] for exam_id in polled.listed if exam_id in wanted and exam_id in states]


def _note_rescan(report: BackfillReport, polled: PollReport, listed: Sequence[ExamState], rescan: Rescan) -> int:
    """Report how far the rescan got; returns how many exams it still has to scan."""
    left = [state for state in listed if rescan.covers(state)]
    report.exams_left = len(left)
    report.rows_under_way = sum(_rows_under_way(state) for state in left)
    given_up = [f"exam {state.exam_id}:" for state in listed if rescan.gave_up(state)]
    # Notes also name exams that the next round tries again, and incremental scans.
    report.notes += [note for note in polled.notes if note.startswith((_LIST_NOTE, *given_up))]
    failed = [state.exam_id for state in listed if state.exam_id in polled.failed]
    report.notes += [f"exam {exam_id}: the provider gave no usable answer" for exam_id in failed]
    return len(left)


@dataclass(slots=True)
class _Announcing:
    """The second half of one round."""

    backfill: Backfill
    request: BackfillRequest
    report: BackfillReport
    lease: Lease
    pages: int = 0
    """Pages of submissions that this round announced."""

    def run(self, states: Mapping[str, ExamState], place: Place, time_left_s: Callable[[], float]) -> None:
        """Announce from ``place`` on, noting how far it got; raises LeaseLostError, ClientError."""
        wanted = self.request.exam_ids
        for exam_id in sorted(states):
            if exam_id < place.exam_id or (wanted is not None and exam_id not in wanted):
                continue
            after = place.after if exam_id == place.exam_id else None
            here = replace(place, exam_id=exam_id, after=after)
            if not self._exam(here, states[exam_id].scanned_at or 0, time_left_s):
                return
        self.report.done = True

    def _exam(self, place: Place, confirmed_at: int, time_left_s: Callable[[], float]) -> bool:
        """Announce the rest of one exam; False where the time ran out. Raises as ``run`` does."""
        after = place.after
        while True:
            self.report.place = replace(place, after=after)
            # One page at least, or a round that is always late would never end.
            if self.pages and time_left_s() <= 0:
                return False
            self.lease.keep()
            after = self._page(place.exam_id, after, confirmed_at)
            self.pages += 1
            if after is None:
                return True

    def _page(self, exam_id: str, after: AttemptKey | None, confirmed_at: int) -> AttemptKey | None:
        """Announce one page of an exam; where the next one begins, None after the last."""
        poll = self.backfill.poll
        for _ in range(_TRIES):
            stored, next_after = poll.submissions.page_after(poll.settings.account, exam_id, after, _PAGE_ITEMS)
            if self._announce(stored, confirmed_at):
                break
        else:
            self.report.notes.append(f"exam {exam_id}: its submissions changed as fast as they were read")
        return next_after

    def _announce(self, stored: Sequence[Submission], confirmed_at: int) -> bool:
        """Announce what is due again; False where something was changed meanwhile."""
        found = [reannouncement(each, self.request.since) for each in stored]
        ids = [event_id for each in found for event_id in each.event_ids]
        dispatched = self.backfill.dispatched.among(ids)
        wanted = frozenset(ids) - dispatched
        if not self.request.dry_run:
            now, fence = int(self.backfill.poll.now()), self.lease.fence
            made = (each.change(wanted, confirmed_at=confirmed_at, now=now, fence=fence) for each in found)
            if self.backfill.poll.submissions.write([change for change in made if change is not None]):
                return False
        self.report.announced += len(wanted)
        self.report.known += len(dispatched)
        return True


def _rows_under_way(state: ExamState) -> int:
    return state.cursor.start if state.cursor is not None else 0
