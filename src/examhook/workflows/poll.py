"""One poll of one account.

::

    take the lease ─▶ list the exams ─▶ begin the watch (first time) ─▶ plan ─▶ a pass for each exam ─▶ give it back

Nothing is written before the listing was read, so a refused code leaves everything as it was. An
exam whose pass fails is reported and stays due; it never stops the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from examhook.detection.paging import Pager
from examhook.detection.plan import ExamRequest, plan
from examhook.model import Exam
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderThrottled
from examhook.provider.pages import ExamPage
from examhook.provider.port import ProviderClient
from examhook.settings import PollSettings
from examhook.storage.account_code import AccountCode, AccountCodeSecret
from examhook.storage.exams import AccountState, ExamsTable
from examhook.storage.submissions import SubmissionsTable
from examhook.workflows.exam_pass import PAGE_LIMIT, ExamPass
from examhook.workflows.lease import Lease, LeaseLostError, lease_on
from examhook.workflows.report import PollReport

REFUSED_PAUSE_SECONDS = 3600
"""How long scheduled polls leave the provider alone after it refused the code; a new code ends the pause."""

LEASE_PATIENCE_S = 60.0
"""How long a poll that a person asked for waits for the one that runs."""

TIME_RESERVE_S = 30.0
"""No pass begins with less time left than this."""


class RefusalNotice(Protocol):
    """Says to the operators that the provider refuses the account code."""

    def __call__(self, account: str, *, since: int, message: str) -> None:
        """Publish the notice; ``since`` is when the refusals began, Unix seconds."""


@dataclass(frozen=True, slots=True)
class PollRequest:
    """What a poll was asked to do."""

    manual: bool = False
    """A person asked: ask the provider even while it refuses."""
    full: bool = False
    """Read every exam, whatever the hints say."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Polls one account; one instance serves many polls."""

    settings: PollSettings
    account_code: AccountCodeSecret
    client_for: Callable[[AccountCode], ProviderClient]
    exams: ExamsTable
    submissions: SubmissionsTable
    notify_refusal: RefusalNotice
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def run(self, request: PollRequest, time_left_s: Callable[[], float]) -> PollReport:
        """Poll once; raises ClientError when AWS fails, which the next tick tries again."""
        report = PollReport()
        patience_s = LEASE_PATIENCE_S if request.manual else 0.0
        with lease_on(
            self.exams, self.settings.account, now=self.now, sleep=self.sleep, patience_s=patience_s
        ) as lease:
            if lease is not None:
                self._run_with(lease, request, report, time_left_s)
            elif request.manual:
                report.errors.append(
                    f"Another poll of account {self.settings.account} is running. Wait a minute, then try again."
                )
            else:
                report.skipped = True
        return report

    def _run_with(
        self, lease: Lease, request: PollRequest, report: PollReport, time_left_s: Callable[[], float]
    ) -> None:
        state = self.exams.read(self.settings.account)
        code = self.account_code.read(fresh=request.manual or state.refusal is not None)
        if not request.manual and self._is_paused(state, code):
            report.errors.append(_PAUSED)
            return
        client = self.client_for(code)
        try:
            self._poll(client, lease, state, request, report, time_left_s)
        except ProviderRefused as refused:
            self._refused(code, refused, report)
        except ProviderError as error:
            report.errors.append(f"The list of exams could not be read: {error}")
        except LeaseLostError as lost:
            report.errors.append(f"The poll was given up: {lost}.")
        finally:
            report.requests = client.requests_made

    def _is_paused(self, state: AccountState, code: AccountCode) -> bool:
        refusal = state.refusal
        return (
            refusal is not None
            and refusal.secret_version == code.secret_version
            and self.now() - refusal.last_asked_at < REFUSED_PAUSE_SECONDS
        )

    def _refused(self, code: AccountCode, refused: ProviderRefused, report: PollReport) -> None:
        refusal = self.exams.remember_refusal(self.settings.account, code.secret_version, int(self.now()))
        self.notify_refusal(self.settings.account, since=refusal.since, message=str(refused))
        report.errors.append(str(refused))

    def _poll(  # noqa: PLR0913, PLR0917 - the parts of one poll, named where they are made
        self,
        client: ProviderClient,
        lease: Lease,
        state: AccountState,
        request: PollRequest,
        report: PollReport,
        time_left_s: Callable[[], float],
    ) -> None:
        listing, listed_at = self._listing(client, lease, report)
        if state.refusal is not None:
            self.exams.forget_refusal(self.settings.account)
        exam_pass = ExamPass(
            client=client,
            submissions=self.submissions,
            exams=self.exams,
            initial_sync=self.settings.initial_sync,
            pager=Pager(PAGE_LIMIT),
            lease=lease,
            watch=state.watch or self.exams.begin_watch(self.settings.account, listed_at),
            now=self.now,
        )
        requests = plan(
            listing,
            state.exams,
            now=listed_at,
            full_pass_seconds=self.settings.full_pass_seconds,
            everything=request.full,
        )
        for place, exam_request in enumerate(requests):
            if time_left_s() < TIME_RESERVE_S or not _add_pass(exam_pass, exam_request, report):
                report.unfinished += len(requests) - place
                return

    def _listing(self, client: ProviderClient, lease: Lease, report: PollReport) -> tuple[list[Exam], int]:
        """Every exam of the account, and when the list was read by the provider's clock."""
        listed_at: list[int] = []

        def fetch(start: int, limit: int) -> ExamPage:
            lease.keep()
            page = client.exams(start, limit)
            listed_at.append(page.provider_time if page.provider_time is not None else int(self.now()))
            return page

        reading = Pager(PAGE_LIMIT).read(fetch, lambda exam: exam.exam_id)
        report.skipped_rows += len(reading.unreadable)
        if reading.problem is not None:
            report.errors.append(f"The list of exams may lack some: {reading.problem}.")
        return list({exam.exam_id: exam for exam in reading.rows}.values()), listed_at[0]


_PAUSED = (
    "The provider refuses the account code, so it is not asked again within the hour."
    " Put the right code into the account-code secret; the next poll takes it at once."
)


def _add_pass(exam_pass: ExamPass, request: ExamRequest, report: PollReport) -> bool:
    """Read one exam and count it; False when the provider wants to be left alone now."""
    try:
        outcome = exam_pass.run(request)
    except ProviderRefused:
        raise
    except ProviderError as error:
        report.errors.append(f"Exam {request.exam.exam_id} could not be read: {error}")
        return not isinstance(error, ProviderThrottled)
    report.exams += 1
    report.rows += outcome.rows
    report.changes += outcome.changes
    report.skipped_rows += outcome.skipped_rows
    if outcome.problem is not None:
        report.unfinished += 1
        report.notes.append(f"exam {request.exam.exam_id}: {outcome.problem}")
    return True
