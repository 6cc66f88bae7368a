"""One poll of one account.

::

    take the lease ─▶ read stored states ─▶ list the exams ─▶ announce exams that opened or closed
        ─▶ plan ─▶ read each planned exam ─▶ write the account's record ─▶ release the lease

A poll writes no exam before it has read the exam list, so a rejected account code changes no exam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from examhook.delivery.endpoint import Endpoint
from examhook.detection.erased import Erased, without_erased
from examhook.detection.intervals import PollPace
from examhook.detection.old_results import CLOCKS_AGREE_S, RowClock
from examhook.detection.plan import Rescan, plan
from examhook.provider.errors import ProviderError, ProviderRefused
from examhook.provider.port import ProviderClient
from examhook.settings import InitialSync, PollSettings
from examhook.storage.account_secrets import AccountCode, AccountCodeSecret
from examhook.storage.events import EventLinks
from examhook.storage.exams import AccountRecord, AccountState, AwaitedEvent, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from examhook.workflows.polling import backoff
from examhook.workflows.polling.dispatch_monitor import DispatchMonitor
from examhook.workflows.polling.exam_reading import EXAM_RESERVE_S, PROOF_S, ExamList, read_exam_list, read_exams
from examhook.workflows.polling.exam_source import PollContext
from examhook.workflows.polling.known_exams import KnownExams
from examhook.workflows.polling.lease import LEASE_S, Lease, LeaseLostError, lease_on
from examhook.workflows.polling.report import PollReport
from examhook.workflows.polling.result_links import serve_link_requests

LEASE_PATIENCE_S = LEASE_S + 10
"""Maximum wait of a manual poll for the lease. The lease of a poll that died expires earlier."""

_ANY_TIME = 1 << 62
"""An instant after the start of any scan, even if our clock was ahead."""


@dataclass(frozen=True, slots=True)
class PollRequest:
    """Options of one poll."""

    manual: bool = False
    """Whether an operator requested it. A manual poll ignores pauses after failures."""
    full: bool = False
    """Whether to scan every exam."""
    rescan: Rescan | None = None
    """Exams to scan in addition to urgent exams."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Polls one account; one instance serves many polls."""

    settings: PollSettings
    account_code: AccountCodeSecret
    client_for: Callable[[AccountCode], ProviderClient]
    exams: ExamsTable
    exam_states: ExamStates
    submissions: SubmissionsTable
    endpoints: Callable[[], Sequence[Endpoint]]
    """Returns every endpoint."""
    notify_refusal: Callable[[str, int, str], None]
    """Notifies operators of a code rejection; takes the account, the start (Unix seconds), and a message."""
    monitor: DispatchMonitor
    now: Callable[[], float]
    sleep: Callable[[float], None]
    open_erasure_key: Callable[[bytes], bytes]
    """Decrypts the account's key for hashes of erased candidates. It is called only if there are any."""
    links: EventLinks | None = None
    """Requests of Deliver for fresh result links; None if no links are served."""
    writer: Executor | None = None
    """Writes submissions while the next page is read, one batch at a time; None writes them at once."""

    def run(self, request: PollRequest, time_left_s: Callable[[], float]) -> PollReport:
        """Poll once; raises ClientError if AWS fails. The next poll tries again."""
        report = PollReport(self.settings.worst_case)
        account = self.settings.account
        patience_s = LEASE_PATIENCE_S if request.manual else 0.0
        with lease_on(self.exams, account, now=self.now, sleep=self.sleep, patience_s=patience_s) as lease:
            if lease is not None:
                _LeasedPoll(self, request, report, time_left_s, lease).run()
                return report
        report.skipped = True
        if request.manual:
            report.errors.append(f"Another poll of account {account} is running. Wait a minute, then try again.")
        return report


@dataclass(slots=True)
class _LeasedPoll:
    """One poll that holds the lease."""

    poll: Poll
    request: PollRequest
    report: PollReport
    time_left_s: Callable[[], float]
    lease: Lease
    state: AccountState = field(default_factory=AccountState)
    record: AccountRecord = field(default_factory=AccountRecord)
    """The record to store for the next poll."""

    def run(self) -> None:
        self.state = self.poll.exams.read(self._account)
        self.record = before = self.state.record
        if before.completed_at is not None:
            self.report.age_s = max(self._now - before.completed_at, 0)
        self._poll_unless_paused()
        awaited, self.report.unsent_s = self.poll.monitor.check(self.record.awaited)
        if awaited is None and self.report.announced is not None:
            event_id, observed_at = self.report.announced
            awaited = AwaitedEvent(event_id, observed_at, self._now)
        self.record = replace(self.record, awaited=awaited)
        if self.record != before:
            self.poll.exams.write(self._account, self.record, self.lease.fence)

    @property
    def _account(self) -> str:
        return self.poll.settings.account

    @property
    def _now(self) -> int:
        return int(self.poll.now())

    def _poll_unless_paused(self) -> None:
        report, record, manual = self.report, self.record, self.request.manual
        code = self.poll.account_code.read(fresh=manual or record.refusal is not None)
        if not manual and (reason := backoff.refusal_pause(record, code, self.poll.now())) is not None:
            report.refused = True
            report.errors.append(reason)
            return
        if not manual and (reason := backoff.provider_pause(record, self.poll.now())) is not None:
            report.provider_failed = True
            report.errors.append(reason)
            return
        client = self.poll.client_for(code)
        client.give_up_at = self.poll.now() + self.time_left_s() - EXAM_RESERVE_S / 2
        try:
            self._poll_provider(client)
        except ProviderRefused as error:
            self.record = backoff.refused(self.record, code, error, self._now)
            refusal = self.record.refusal
            # Notify first: if publishing fails, the next poll tries again.
            self.poll.notify_refusal(self._account, refusal.since if refusal else self._now, str(error))
            report.refused = True
            report.errors.append(str(error))
        except LeaseLostError as error:
            report.errors.append(f"The poll stopped early: {error}.")
        finally:
            report.requests = client.requests_made

    def _poll_provider(self, client: ProviderClient) -> None:
        """Read the exam list and the planned exams; raises ProviderRefused, ClientError, LeaseLostError."""
        report = self.report
        proven_s = self._now - (self.record.list_proven_at or 0)
        prove_end = self.request.manual or not 0 <= proven_s < PROOF_S
        try:
            listing = read_exam_list(client, self.lease, report, self.record.listed_count, prove_end=prove_end)
        except ProviderRefused:
            raise
        except ProviderError as error:
            report.note_failure(error)
            report.errors.append(f"The exam list could not be read: {error}")
            self.record = backoff.failed(self.record, self.poll.now(), report.pause_s)
            return
        report.is_listed, report.listed = True, tuple(listing.exams)
        self.record = replace(self.record, refusal=None)
        if prove_end and listing.is_complete:
            self.record = replace(self.record, list_proven_at=self._now)
        known = KnownExams(self._account, self.poll.exam_states, self.lease, self.poll.endpoints)
        known.read()
        erased = self.state.erasures.opened(self.poll.open_erasure_key)
        legacy = self.state.legacy_exams
        known.adopt(self.poll.exams, {key: without_erased(each, erased) or each for key, each in legacy.items()})
        self._compare(known, listing)
        is_failing = not self._read(client, known, listing, erased)
        if not is_failing:
            serve_link_requests(client, self.poll.links, self._account, report, self.poll.now)
        if is_failing or report.pause_s is not None:
            self.record = backoff.failed(self.record, self.poll.now(), report.pause_s)
        else:
            self.record = backoff.answered(self.record)
        self.record = replace(self.record, completed_at=self._now)
        report.age_s = 0

    def _compare(self, known: KnownExams, listing: ExamList) -> None:
        """Store the watch start at the first poll, and record what the exam list says."""
        record = self.record
        if record.watch_started_at is None:
            # Write the watch start at once, so that the next poll does not move it if this one dies.
            self.record = record = replace(record, watch_started_at=self._now)
            self.poll.exams.write(self._account, record, self.lease.fence)
        announces_all = self.poll.settings.initial_sync is InitialSync.ANNOUNCE
        known.compare(
            list(listing.exams.values()),
            observed_at=self._now,
            predates_watch=not record.listed_complete,
            announce_new=announces_all or record.listed_complete,
        )
        if listing.is_complete:
            self.record = replace(record, listed_complete=True, listed_count=len(listing.exams))

    def _read(self, client: ProviderClient, known: KnownExams, listing: ExamList, erased: Erased) -> bool:
        """Read the planned exams; return False if the provider keeps failing. Raises as ``_poll_provider`` does."""
        settings, request, now = self.poll.settings, self.request, self._now
        context = PollContext(
            client=client,
            submissions=self.poll.submissions,
            exams=known,
            initial_sync=settings.initial_sync,
            lease=self.lease,
            report=self.report,
            watch_started_at=self.record.watch_started_at or now,
            now=self.poll.now,
            time_left_s=self.time_left_s,
            erased=erased,
            writer=self.poll.writer,
            row_clock=RowClock(self.record.rows_ahead_s),
        )
        rescan = Rescan(before=_ANY_TIME) if request.full else request.rescan
        pace = PollPace(settings.full_scan_interval_s, settings.poll_interval_s, settings.requests_per_second)
        requests = plan(list(listing.exams.values()), known.states, now=now, pace=pace, rescan=rescan)
        is_answering = read_exams(context, requests, is_manual=request.manual)
        if (context.row_clock.ahead_s or 0) > CLOCKS_AGREE_S:
            self.record = replace(self.record, rows_ahead_s=context.row_clock.ahead_s)
        self.report.unannounced_rows = sum(sum(state.skipped.values()) for state in known.states.values())
        unscanned = sum(state.scanned_at is None and state.failed_since is None for state in known.states.values())
        if unscanned and not self.report.unfinished:
            self.report.unfinished += unscanned
            self.report.notes.append(f"{unscanned} exams were never scanned completely")
        return is_answering
