"""One poll of one account.

::

    take the lease ─▶ list the exams ─▶ begin the watch (first time) ─▶ exams that opened or closed
        ─▶ plan ─▶ a pass for each exam ─▶ give it back

Nothing is written before the listing was read, so a refused code leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from examhook.delivery.endpoint import Endpoint
from examhook.detection.beginning import put_right
from examhook.detection.paging import Pager
from examhook.detection.plan import plan
from examhook.detection.survey import Survey
from examhook.detection.takings import takings_lie
from examhook.detection.watch import AccountWatch
from examhook.model import Exam
from examhook.provider.errors import ProviderError, ProviderRefused
from examhook.provider.port import ProviderClient
from examhook.settings import PollSettings
from examhook.storage.account_code import AccountCode, AccountCodeSecret
from examhook.storage.account_state import AccountState
from examhook.storage.event_links import EventLinks
from examhook.storage.exam_histories import ExamHistories
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import SubmissionsTable
from examhook.workflows.exam_access import PollTools
from examhook.workflows.exam_events import ExamEvents
from examhook.workflows.exam_list import PAGE_LIMIT, read_exam_list
from examhook.workflows.lease import Lease, LeaseLostError, lease_on
from examhook.workflows.outbox import Outbox
from examhook.workflows.pauses import Pauses
from examhook.workflows.planned_passes import TIME_RESERVE_S, read_planned, without_resting
from examhook.workflows.refusals import RefusalNotice, Refusals
from examhook.workflows.report import PollReport
from examhook.workflows.result_links import serve_link_requests

LEASE_PATIENCE_S = 60.0
"""How long a poll that a person asked for waits for the one that runs."""


@dataclass(frozen=True, slots=True)
class PollRequest:
    """What a poll was asked to do."""

    manual: bool = False
    """A person asked: ask the provider even while it refuses."""
    full: bool = False
    """Read every exam, whatever the hints say."""
    survey: Survey | None = None
    """Read whole what it lacks, beside what the hints call for."""


def _no_key(_sealed: bytes) -> bytes:
    # Going on without would announce anew what was erased.
    raise RuntimeError("candidates were erased, and nothing was set up that opens the key of their hashes")


@dataclass(frozen=True, slots=True)
class Poll:
    """Polls one account; one instance serves many polls."""

    settings: PollSettings
    account_code: AccountCodeSecret
    client_for: Callable[[AccountCode], ProviderClient]
    exams: ExamsTable
    submissions: SubmissionsTable
    histories: ExamHistories
    endpoints: Callable[[], Sequence[Endpoint]]
    """Every endpoint, to know whether any asks for receipts."""
    notify_refusal: RefusalNotice
    outbox: Outbox
    now: Callable[[], float]
    sleep: Callable[[float], None]
    links: EventLinks | None = None
    """Where Deliver leaves requests for fresh result links; None where nothing serves them."""
    open_erasure_key: Callable[[bytes], bytes] = _no_key
    """Opens the account's key for hashes of erased candidates; used only where there are some."""

    @property
    def _pauses(self) -> Pauses:
        return Pauses(self.settings.account, self.exams, self.now)

    def run(self, request: PollRequest, time_left_s: Callable[[], float]) -> PollReport:
        """Poll once; raises ClientError when AWS fails, which the next tick tries again."""
        report = PollReport(self.settings.worst_case)
        patience_s = LEASE_PATIENCE_S if request.manual else 0.0
        with lease_on(
            self.exams, self.settings.account, now=self.now, sleep=self.sleep, patience_s=patience_s
        ) as lease:
            if lease is not None:
                state = self.exams.read(self.settings.account)
                self._run_with(lease, state, request, report, time_left_s)
                self._look_after_outbox(lease, state, report)
            else:
                report.skipped = True
                if request.manual:
                    report.errors.append(
                        f"Another poll of account {self.settings.account} is running. Wait a minute, then try again."
                    )
        return report

    def _run_with(
        self,
        lease: Lease,
        state: AccountState,
        request: PollRequest,
        report: PollReport,
        time_left_s: Callable[[], float],
    ) -> None:
        if state.completed_at is not None:
            report.age_s = max(int(self.now()) - state.completed_at, 0)
        code = self.account_code.read(fresh=request.manual or state.refusal is not None)
        refusals = Refusals(self.settings.account, self.exams, self.notify_refusal, self.now)
        paused = None if request.manual else refusals.call_for_a_pause(state, code)
        if paused is not None:
            report.refused = True
            report.errors.append(paused)
            return
        left_alone = None if request.manual else self._pauses.call_for_one(state)
        if left_alone is not None:
            report.provider_failed = True
            report.errors.append(left_alone)
            return
        client = self.client_for(code)
        client.give_up_at = self.now() + time_left_s() - TIME_RESERVE_S / 2
        try:
            self._poll(client, lease, state, request, report, time_left_s)
            lease.completed_at = int(self.now())
            report.age_s = 0
            serve_link_requests(client, self.links, self.settings.account, report, self.now)
        except ProviderRefused as refused:
            refusals.take(state, code, refused)
            report.refused = True
            report.errors.append(str(refused))
        except ProviderError as error:
            report.note_failure(error)
            report.errors.append(f"The list of exams could not be read: {error}")
        except LeaseLostError as lost:
            report.errors.append(f"The poll was given up: {lost}.")
        finally:
            report.requests = client.requests_made
        self._pauses.take(report.pause_s)

    def _poll(  # noqa: PLR0913, PLR0917 - the parts of one poll, named where they are made
        self,
        client: ProviderClient,
        lease: Lease,
        state: AccountState,
        request: PollRequest,
        report: PollReport,
        time_left_s: Callable[[], float],
    ) -> None:
        found = read_exam_list(client, lease, report, self.now)
        listing, listed_at = found.exams, found.listed_at
        report.listed, report.listed_at = tuple(exam.exam_id for exam in listing), listed_at
        if state.refusal is not None:
            self.exams.forget_refusal(self.settings.account)
        self._pauses.end(state)
        watch = self._begun(state.watch, listed_at, lease)
        exam_events = ExamEvents(self.settings, self.histories, self.exams, lease, self.endpoints)
        exam_events.compare(found, state, watch)
        tools = PollTools(
            client=client,
            submissions=self.submissions,
            exams=self.exams,
            exam_events=exam_events,
            initial_sync=self.settings.initial_sync,
            pager=Pager(PAGE_LIMIT),
            lease=lease,
            watch=self._judged(watch, state, listing, listed_at),
            now=self.now,
            time_left_s=time_left_s,
            erased=state.erasures.opened(self.open_erasure_key),
        )
        requests = plan(
            listing,
            state.exams,
            now=listed_at,
            full_pass_seconds=self.settings.full_pass_seconds,
            watch=tools.watch,
            everything=request.full,
            survey=request.survey,
        )
        # Who asks for a poll wants to see how things stand now.
        to_read = requests if request.manual else without_resting(requests, report, listed_at)
        read_planned(tools, to_read, report, listed_at)

    def _look_after_outbox(self, lease: Lease, state: AccountState, report: PollReport) -> None:
        awaited, report.unsent_s = self.outbox.look(state.awaited)
        if awaited is None and lease.announced is not None:
            awaited = replace(lease.announced, since=int(self.now()))
        lease.awaited = awaited

    def _begun(self, known: AccountWatch | None, listed_at: int, lease: Lease) -> AccountWatch:
        """The watch, begun now where it was not, or put right where the provider's clock was ahead then."""
        here_at = int(self.now())
        if known is None:
            return self.exams.begin_watch(self.settings.account, listed_at, here_at)
        watch = put_right(known, listed_at, here_at)
        if watch != known:
            lease.keep()
            self.exams.begin_earlier(watch.account, watch.began_at)
        return watch

    def _judged(self, watch: AccountWatch, state: AccountState, listing: Sequence[Exam], now: int) -> AccountWatch:
        """The watch, with the takings distrusted once they have been found to lie."""
        stands_still = {exam.exam_id for exam in listing if _takings_stand(exam, state)}
        lie = any(takings_lie(state.exams[exam_id], now) for exam_id in stands_still)
        if lie and not watch.takings_lie:
            self.exams.distrust_takings(watch.account)
            return replace(watch, takings_lie=True)
        return watch


def _takings_stand(exam: Exam, state: AccountState) -> bool:
    known = state.exams.get(exam.exam_id)
    return known is not None and exam.takings == known.exam.takings
