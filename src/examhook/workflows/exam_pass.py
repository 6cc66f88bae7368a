"""One exam's pass: read all its results, write what changed, then remember that it was done.

The order matters: submissions first, the watch last. A poll that dies between the two finds the
same rows again, and they say nothing new then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from examhook.detection.diff import diff, distinct
from examhook.detection.paging import Pager, Reading
from examhook.detection.plan import ExamRequest
from examhook.detection.reconcile import after_pass
from examhook.detection.transition import Observation
from examhook.detection.watch import AccountWatch
from examhook.model import Attempt, AttemptKey, Submission
from examhook.provider.pages import NO_STATUS, ResultsPage
from examhook.provider.port import ProviderClient
from examhook.settings import InitialSync
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import SubmissionsTable, spanning
from examhook.workflows.lease import Lease

PAGE_LIMIT = 100
"""Rows asked for at once."""


@dataclass(frozen=True, slots=True)
class PassOutcome:
    """What one exam's pass gave."""

    rows: int
    changes: int
    skipped_rows: int
    problem: str | None
    """Why the exam stays due; None when all of it was read and written."""


@dataclass(frozen=True, slots=True)
class ExamPass:
    """Passes over the exams of one account, within one poll."""

    client: ProviderClient
    submissions: SubmissionsTable
    exams: ExamsTable
    initial_sync: InitialSync
    pager: Pager
    lease: Lease
    watch: AccountWatch
    now: Callable[[], float]

    def run(self, request: ExamRequest) -> PassOutcome:
        """Read the exam, write its changes; raises ProviderError, ClientError, LeaseLostError."""
        exam_id = request.exam.exam_id
        seen_at: list[int] = []

        def fetch(start: int, limit: int) -> ResultsPage:
            self.lease.keep()
            page = self.client.results(exam_id, start, limit)
            seen_at.append(page.provider_time if page.provider_time is not None else int(self.now()))
            return page

        reading = self.pager.read(fetch, lambda row: row.key)
        began_at = seen_at[0]
        seen = distinct(reading.rows)
        stored = self._stored(exam_id, seen)
        statusless = {key: row for key, row in seen.items() if row.status_code == NO_STATUS}
        rows = {key: row for key, row in seen.items() if key not in statusless}
        completed, unanswered = self._ask_for_status(exam_id, statusless, stored)
        rows.update(completed)
        changes = diff(rows.values(), stored, self._observation(request, began_at))
        overtaken = self.submissions.write(changes)
        problem = self._problem(request, reading, rows_seen=len(rows), unanswered=unanswered, overtaken=len(overtaken))
        after = after_pass(request, rows.values(), began_at=began_at, complete=problem is None)
        self.exams.remember(self.watch.account, after, self.lease.fence)
        return PassOutcome(len(rows), len(changes) - len(overtaken), len(reading.unreadable) + unanswered, problem)

    def _stored(self, exam_id: str, rows: dict[AttemptKey, Attempt]) -> dict[AttemptKey, Submission]:
        ends = spanning(rows)
        return self.submissions.between(self.watch.account, exam_id, *ends) if ends else {}

    def _observation(self, request: ExamRequest, observed_at: int) -> Observation:
        # What had ended before the watch began is old news, as long as the exam was never read whole.
        first_contact = request.known is None or not request.known.is_known
        silent = first_contact and self.initial_sync is InitialSync.SILENT
        return Observation(
            account=self.watch.account,
            exam=request.exam,
            observed_at=observed_at,
            fence=self.lease.fence,
            silent_before=self.watch.began_at if silent else None,
        )

    def _ask_for_status(
        self, exam_id: str, rows: dict[AttemptKey, Attempt], stored: dict[AttemptKey, Submission]
    ) -> tuple[dict[AttemptKey, Attempt], int]:
        """Rows that the list shows without a status, completed by asking for each candidate alone.

        A row that shows what is stored of an ended attempt is not asked about again. Returns the
        completed rows and how many could not be completed.
        """
        found: dict[AttemptKey, Attempt] = {}
        to_ask: set[str] = set()
        for key, row in rows.items():
            submission = stored.get(key)
            if submission is not None and submission.attempt.is_final and _shows_the_same(row, submission.attempt):
                found[key] = replace(row, status_code=submission.attempt.status_code)
            else:
                to_ask.add(key.candidate_id)
        for candidate_id in sorted(to_ask):
            self.lease.keep()
            page = self.client.results(exam_id, 0, PAGE_LIMIT, candidate_id)
            found.update({row.key: row for row in page.rows if row.key in rows and row.status_code != NO_STATUS})
        return found, len(rows) - len(found)

    def _problem(
        self, request: ExamRequest, reading: Reading[Attempt], *, rows_seen: int, unanswered: int, overtaken: int
    ) -> str | None:
        if reading.problem is not None:
            return reading.problem
        if reading.unreadable:
            return f"{len(reading.unreadable)} of its rows could not be understood: {_reasons(reading.unreadable)}"
        if unanswered:
            return f"{unanswered} of its rows have no status"
        if overtaken:
            return "another poll was faster"
        if not rows_seen and request.known is not None and request.known.rows:
            return f"it gave no rows where it gave {request.known.rows} before"
        return None


def _shows_the_same(row: Attempt, stored: Attempt) -> bool:
    return row.ended_at == stored.ended_at and row.score_points == stored.score_points


def _reasons(unreadable: Mapping[int, str]) -> str:
    return ", ".join(sorted(set(unreadable.values())))
