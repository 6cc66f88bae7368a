"""Backfill: announce again what happened since a time, from the provider's current data.

::

    rescan: a poll that also scans every exam without a recent full scan ─▶ repeat until none is left
      └─▶ announce: read stored submissions, page by page ─▶ event dispatched? ── yes ──▶ skip
                                                               │ no
                                                               └──▶ one conditional write; its stream does the rest

A round uses the time of one invocation and returns where the next round continues. Each round begins with a poll, so
new changes are announced meanwhile. Each step holds the account's lease. An interrupted round can be repeated: the
rescan continues from the stored exam states, and dispatched events are recognized by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.exam_state import ExamState
from examhook.detection.plan import Rescan
from examhook.detection.reannounce import reannouncement
from examhook.model import AttemptKey, Submission
from examhook.storage.events import DispatchedEvents
from examhook.storage.submissions import key_of, sort_key
from examhook.workflows.polling.exam_reading import INCOMPLETE_LIST
from examhook.workflows.polling.lease import Lease, LeaseLostError, lease_on
from examhook.workflows.polling.poll import LEASE_PATIENCE_S, Poll, PollRequest
from examhook.workflows.polling.report import PollReport

RECENT_SCAN_S = 3600
"""Exams with a full scan within this time before the backfill began are not scanned again."""
RESCAN_S = 120.0
"""Maximum duration of the rescan in one round, so that regular polls are not delayed for long."""
ROUND_S = 150.0
"""Time after which a round starts no further page."""
_TIME_RESERVE_S = 20.0
"""Time kept free at the end of the invocation."""
_PAGE_ITEMS = 500
_PAGE_TRIES = 3


class UnknownExamError(ValueError):
    """The account has no exam with this id; a retry does not help."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next round continues. The caller receives the fields in the response, and sends them back unchanged."""

    began_at: int
    """When the first round began, by our clock."""
    announcing: bool = False
    """Whether the rescan is complete."""
    exam_id: str = ""
    """Exams with smaller ids are done."""
    after: str | None = None
    """Sort key of the last submission of the exam that is done."""


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """Input of one round."""

    since: int
    """Unix seconds."""
    exam_ids: frozenset[str] | None = None
    """None: all exams."""
    dry_run: bool = False
    """Rescan and count, but announce nothing again."""
    place: Place | None = None
    """Where the previous round stopped; None for the first."""


@dataclass(slots=True)
class BackfillReport:
    """Result of one round; also the output of the backfill command."""

    requests: int = 0
    exams: int = 0
    """Exams included in the backfill."""
    exams_left: int = 0
    """Included exams that still need a scan."""
    rows_under_way: int = 0
    """Rows read of exams whose scan is incomplete."""
    announced: int = 0
    """Events announced again; in a dry run, events that would be."""
    known: int = 0
    """Events skipped because they were dispatched and are still stored."""
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Reasons why exams could not be scanned completely."""
    busy: bool = False
    """Whether another poll held the lease during the whole round."""
    done: bool = False
    place: Place | None = None
    """Where the next round continues; None: at the beginning."""
    polled: PollReport | None = None
    """Report of the poll at the beginning of the round."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Backfills the account of ``poll``."""

    poll: Poll
    dispatched: DispatchedEvents

    def run(self, request: BackfillRequest, time_left_s: Callable[[], float]) -> BackfillReport:
        """Run one round. Raises UnknownExamError, and ClientError, after which the round can be repeated."""
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
            announcement = _Announcement(self, request, report, lease)
            try:
                announcement.run(states, place, lambda: time_left_s() - max(_TIME_RESERVE_S, left_s - ROUND_S))
            except LeaseLostError as lost:
                report.errors.append(f"The backfill was interrupted: {lost}.")
        return report

    def _rescan(
        self, request: BackfillRequest, report: BackfillReport, time_left_s: Callable[[], float]
    ) -> tuple[Place | None, Mapping[str, ExamState]]:
        """Poll once, scanning exams without a recent scan; return where to continue, and the exam states."""
        began_at = request.place.began_at if request.place else int(self.poll.now())
        rescan = Rescan(
            before=began_at - RECENT_SCAN_S,
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
        included = self._included(request, polled, states)
        report.exams = len(included)
        if place.announcing:
            return place, states
        # Exams that failed in this backfill are skipped, even if a later round could read them.
        exams_left = _report_rescan(report, polled, included, replace(rescan, failed_after=began_at))
        return replace(place, announcing=not exams_left), states

    def _included(
        self, request: BackfillRequest, polled: PollReport, states: Mapping[str, ExamState]
    ) -> list[ExamState]:
        """Return the listed exams that the backfill includes; raises UnknownExamError."""
        wanted = set(polled.listed) if request.exam_ids is None else request.exam_ids
        if unknown := sorted(wanted - set(polled.listed) - states.keys()):
            raise UnknownExamError(f"Account {self.poll.settings.account} has no exam {', '.join(unknown)}.")
        return [states[exam_id] for exam_id in polled.listed if exam_id in wanted and exam_id in states]


def _report_rescan(report: BackfillReport, polled: PollReport, included: Sequence[ExamState], rescan: Rescan) -> int:
    """Report the progress of the rescan; return the number of exams that still need a scan."""
    left = [state for state in included if rescan.covers(state)]
    report.exams_left = len(left)
    report.rows_under_way = sum(state.cursor.start for state in left if state.cursor is not None)
    given_up = [f"exam {state.exam_id}:" for state in included if rescan.gave_up(state)]
    # The poll also notes incremental scans, and exams that the next round scans again. Leave those out.
    report.notes += [note for note in polled.notes if note.startswith((INCOMPLETE_LIST, *given_up))]
    failed = [state.exam_id for state in included if state.exam_id in polled.failed]
    report.notes += [f"exam {exam_id}: the provider gave no usable answer" for exam_id in failed]
    return len(left)


@dataclass(slots=True)
class _Announcement:
    """The second step of one round."""

    backfill: Backfill
    request: BackfillRequest
    report: BackfillReport
    lease: Lease
    pages: int = 0
    """Pages of submissions that this round has processed."""

    def run(self, states: Mapping[str, ExamState], place: Place, time_left_s: Callable[[], float]) -> None:
        """Announce from ``place`` on, and report where it stopped; raises LeaseLostError, ClientError."""
        wanted = self.request.exam_ids
        for exam_id in sorted(states):
            if exam_id < place.exam_id or (wanted is not None and exam_id not in wanted):
                continue
            after = place.after if exam_id == place.exam_id else None
            start = replace(place, exam_id=exam_id, after=after)
            if not self._announce_exam(start, states[exam_id].scanned_at or 0, time_left_s):
                return
        self.report.done = True

    def _announce_exam(self, place: Place, confirmed_at: int, time_left_s: Callable[[], float]) -> bool:
        """Announce the rest of one exam; return False if the time ran out. Raises the same errors as ``run``."""
        after = None if place.after is None else key_of(place.after)
        while True:
            self.report.place = replace(place, after=None if after is None else sort_key(after))
            # Process at least one page, so that rounds with little time still make progress.
            if self.pages and time_left_s() <= 0:
                return False
            self.lease.keep()
            after = self._announce_page(place.exam_id, after, confirmed_at)
            self.pages += 1
            if after is None:
                return True

    def _announce_page(self, exam_id: str, after: AttemptKey | None, confirmed_at: int) -> AttemptKey | None:
        """Announce one page of an exam; return where the next page begins, or None after the last one."""
        poll = self.backfill.poll
        for _ in range(_PAGE_TRIES):
            stored, next_after = poll.submissions.page_after(poll.settings.account, exam_id, after, _PAGE_ITEMS)
            if self._announce(stored, confirmed_at):
                break
        else:
            self.report.notes.append(f"exam {exam_id}: its submissions changed as fast as they were read")
        return next_after

    def _announce(self, stored: Sequence[Submission], confirmed_at: int) -> bool:
        """Announce missing events of ``stored``; return False if a submission has changed meanwhile."""
        found = [reannouncement(each, self.request.since) for each in stored]
        event_ids = [event_id for each in found for event_id in each.event_ids]
        dispatched = self.backfill.dispatched.among(event_ids)
        missing = frozenset(event_ids) - dispatched
        if not self.request.dry_run:
            now, fence = int(self.backfill.poll.now()), self.lease.fence
            changes = (each.change(missing, confirmed_at=confirmed_at, now=now, fence=fence) for each in found)
            if self.backfill.poll.submissions.write([change for change in changes if change is not None]):
                return False
        self.report.announced += len(missing)
        self.report.known += len(dispatched)
        return True
