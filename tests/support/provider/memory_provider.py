"""A provider in memory, and a Poll for it with tables of the test's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypedDict, Unpack

from examhook.delivery.endpoint import Endpoint
from examhook.detection.exam_state import ExamState
from examhook.model import Attempt, AttemptKey, Exam, Submission
from examhook.provider.errors import ProviderError
from examhook.provider.port import NO_STATUS, ExamPage, ResultsPage, UnreadableRow
from examhook.settings import Dialect, InitialSync, PollSettings
from examhook.storage.account_secrets import AccountCode, AccountCodeSecret
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from examhook.workflows.polling.dispatch_monitor import DispatchMonitor
from examhook.workflows.polling.poll import Poll, PollRequest
from examhook.workflows.polling.report import PollReport
from tests.support.events.model_values import RowFields
from tests.support.storage.memory_tables import MemoryExams, MemoryExamStates, MemorySubmissions

BEGAN_AT = 1_700_000_000


@dataclass
class PlayedProvider:
    """A provider's exams and rows, newest first; ``failures`` are by exam id ("" for the list)."""

    exams_listed: dict[str, Exam] = field(default_factory=dict)
    rows: dict[str, list[Attempt]] = field(default_factory=dict)
    failures: dict[str, ProviderError] = field(default_factory=dict)
    clock: int = BEGAN_AT
    requests_made: int = 0
    asked: list[str] = field(default_factory=list)
    candidates_asked: list[str] = field(default_factory=list)
    hide_status: bool = False
    oldest_first: bool = False
    dies_at_request: int | None = None
    give_up_at: float = 0.0
    unreadable: dict[str, tuple[UnreadableRow, ...]] = field(default_factory=dict)
    clock_offset_s: int | None = 0

    def add(self, exam_id: str, *rows: Attempt) -> None:
        self.rows[exam_id] = [*rows, *self.rows.get(exam_id, [])]
        exam = self.exams_listed.get(exam_id, Exam(exam_id, f"Exam {exam_id}", available=True, attempt_count=0))
        self.exams_listed[exam_id] = replace(exam, attempt_count=(exam.attempt_count or 0) + len(rows))

    def change(self, exam_id: str, row: Attempt) -> None:
        self.rows[exam_id] = [row if other.key == row.key else other for other in self.rows[exam_id]]

    def exams(self, start: int, limit: int) -> ExamPage:
        self._ask("")
        part = tuple(self.exams_listed.values())[start : start + limit]
        return ExamPage(part, len(part))

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        self._ask(exam_id)
        listed = sorted(self.rows[exam_id], key=lambda row: row.key, reverse=not self.oldest_first)
        rows = [row for row in listed if candidate_id in {None, row.candidate_id}][start : start + limit]
        if candidate_id is not None:
            self.candidates_asked.append(candidate_id)
        unreadable = tuple(
            replace(row, place=row.place - start) for row in self.unreadable.get(exam_id, ()) if row.place >= start
        )
        if self.hide_status and candidate_id is None:
            rows = [replace(row, status_code=NO_STATUS) for row in rows]
        return ResultsPage(
            rows=tuple(rows),
            row_count=len(rows) + len(unreadable),
            unreadable=unreadable,
        )

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        self._ask(exam_id)
        return next((row for row in self.rows[exam_id] if row.key == key), None)

    def _ask(self, what: str) -> None:
        self.requests_made += 1
        self.asked.append(what)
        if self.requests_made == self.dies_at_request:
            raise KeyboardInterrupt
        if what in self.failures:
            raise self.failures[what]


def row(
    number: int, status_code: int = 1, ended_at: int | None = BEGAN_AT - 100, **fields: Unpack[RowFields]
) -> Attempt:
    ended = None if status_code == 0 else ended_at
    attempt = Attempt(
        candidate_id=str(number),
        started_at=BEGAN_AT - 1000 - number,
        status_code=status_code,
        candidate_name="Mei Chen",
        ended_at=ended,
        score_points=None if status_code == 0 else Decimal(50),
    )
    return replace(attempt, **fields)


SETTINGS = PollSettings(
    account="main",
    base_url="http://provider.test",
    dialect=Dialect.LEGACY,
    account_code_secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:code",
    requests_per_second=5,
    poll_interval_s=60,
    initial_sync=InitialSync.SILENT,
    full_scan_interval_s=3600,
    submissions_table="Submissions",
    exams_table="Exams",
    endpoints_table="Endpoints",
    operations_topic_arn="arn:aws:sns:eu-central-1:123456789012:operations",
)


@dataclass
class PlayedSecret(AccountCodeSecret):
    """The account code, without Secrets Manager."""

    version: str = "v1"

    def read(self, *, fresh: bool = False) -> AccountCode:
        del fresh
        return AccountCode("demo-code", self.version)


class PollFields(TypedDict, total=False):
    """Settings of Poll that a test sets."""

    initial_sync: InitialSync
    poll_interval_s: int
    full_scan_interval_s: int


class Stage:
    """A Poll with its provider, tables and clock."""

    def __init__(
        self,
        submissions: SubmissionsTable,
        exams: ExamsTable,
        exam_states: ExamStates | None = None,
    ) -> None:
        self.submissions = submissions
        self.exams = exams
        self.exam_states = MemoryExamStates() if exam_states is None else exam_states
        self.endpoints: list[Endpoint] = []
        self.provider = PlayedProvider()
        self.secret = PlayedSecret()
        self.refusals: list[tuple[str, int, str]] = []
        self.stream_is_off = False
        self.redrives: list[int] = []
        self.provider_ahead_s = 0
        """How far the provider's clock is ahead of ours."""
        self.time_left_s = 300.0
        self.requests_until_time_is_up: int | None = None
        self.open_erasure_key: Callable[[bytes], bytes] = bytes

    def poll(self, *, manual: bool = True, full: bool = False, **settings: Unpack[PollFields]) -> PollReport:
        workflow = self.workflow(**settings)
        return workflow.run(PollRequest(manual=manual, full=full), self._time_left_s)

    def minutes(self, count: int) -> Iterator[tuple[int, PollReport]]:
        """Polls of a schedule, one per minute: the number of each, and its report."""
        for minute in range(count):
            yield minute, self.poll(manual=False)
            self.provider.clock += 60

    def workflow(self, **settings: Unpack[PollFields]) -> Poll:
        """The Poll, with its provider reset for another run."""
        self.provider.requests_made = 0
        self.provider.asked.clear()
        self.provider.candidates_asked.clear()
        return Poll(
            settings=replace(SETTINGS, **settings),
            account_code=self.secret,
            client_for=lambda _code: self.provider,
            exams=self.exams,
            submissions=self.submissions,
            exam_states=self.exam_states,
            endpoints=lambda: self.endpoints,
            notify_refusal=lambda *notice: self.refusals.append(notice),
            monitor=DispatchMonitor(self._sent_among, self.redrives.append, lambda: float(self.provider.clock)),
            now=lambda: float(self.provider.clock - self.provider_ahead_s),
            sleep=self._sleep,
            open_erasure_key=self.open_erasure_key,
        )

    def _time_left_s(self) -> float:
        up_at = self.requests_until_time_is_up
        return 0.0 if up_at is not None and self.provider.requests_made >= up_at else self.time_left_s

    def _sent_among(self, event_ids: Sequence[str]) -> frozenset[str]:
        return frozenset() if self.stream_is_off else frozenset(event_ids)

    def _sleep(self, seconds: float) -> None:
        self.provider.clock += round(seconds)

    def stored(self) -> list[Submission]:
        """Everything that is stored, by exam and candidate."""
        found = (each for exam_id in self.provider.rows for each in self.submissions.of_exam("main", exam_id).values())
        return sorted(found, key=lambda each: int(each.attempt.candidate_id))

    def events(self) -> list[str]:
        """Types of all announced events of the stored submissions, by candidate."""
        return [
            f"{submission.attempt.candidate_id} {transition.event_type.removeprefix('submission.')}"
            for submission in self.stored()
            for transition in submission.transitions
        ]


class MemoryStage(Stage):
    """A Stage on tables in memory."""

    submissions: MemorySubmissions
    exams: MemoryExams
    exam_states: MemoryExamStates

    def __init__(self, submissions: MemorySubmissions | None = None) -> None:
        super().__init__(MemorySubmissions() if submissions is None else submissions, MemoryExams(), MemoryExamStates())


def asked(stage: Stage) -> int:
    """Requests about results in the last poll."""
    return sum(bool(what) for what in stage.provider.asked)


def state(stage: Stage) -> ExamState:
    """The known state of exam 7."""
    return stage.exam_states.of_account("main")["7"]
