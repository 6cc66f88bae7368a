"""Whole polls against DynamoDB (moto) and a provider played in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from tables import EXAMS, SUBMISSIONS, create_tables

from examhook.model import Attempt, Exam
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderThrottled, ProviderUnavailable
from examhook.provider.pages import NO_STATUS, ExamPage, ResultsPage, UnreadableRow
from examhook.settings import Dialect, InitialSync, PollSettings
from examhook.storage.account_code import AccountCodeSecret
from examhook.storage.exams import ExamsTable
from examhook.storage.submission_item import submission_from_item
from examhook.storage.submissions import SubmissionsTable
from examhook.workflows.poll import Poll, PollRequest
from examhook.workflows.report import PollReport

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BEGAN_AT = 1_700_000_000


@dataclass
class PlayedProvider:
    """Exams and rows as a provider shows them, newest first; ``failures`` come by exam id ("" for the listing)."""

    exams_listed: dict[str, Exam] = field(default_factory=dict)
    rows: dict[str, list[Attempt]] = field(default_factory=dict)
    failures: dict[str, ProviderError] = field(default_factory=dict)
    clock: int = BEGAN_AT
    requests_made: int = 0
    asked: list[str] = field(default_factory=list)
    hide_status: bool = False
    unreadable: dict[str, tuple[UnreadableRow, ...]] = field(default_factory=dict)

    def add(self, exam_id: str, *rows: Attempt) -> None:
        self.rows[exam_id] = [*rows, *self.rows.get(exam_id, [])]
        exam = self.exams_listed.get(exam_id, Exam(exam_id, f"Exam {exam_id}", available=True, takings=0))
        self.exams_listed[exam_id] = replace(exam, takings=(exam.takings or 0) + len(rows))

    def change(self, exam_id: str, row: Attempt) -> None:
        self.rows[exam_id] = [row if other.key == row.key else other for other in self.rows[exam_id]]

    def exams(self, start: int, limit: int) -> ExamPage:
        self._ask("")
        part = tuple(self.exams_listed.values())[start : start + limit]
        return ExamPage(part, len(part), provider_time=self.clock)

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        self._ask(exam_id)
        rows = [row for row in self.rows[exam_id] if candidate_id in {None, row.candidate_id}][start : start + limit]
        unreadable = tuple(
            replace(row, place=row.place - start) for row in self.unreadable.get(exam_id, ()) if row.place >= start
        )
        if self.hide_status and candidate_id is None:
            rows = [replace(row, status_code=NO_STATUS) for row in rows]
        return ResultsPage(
            rows=tuple(rows),
            row_count=len(rows) + len(unreadable),
            unreadable=unreadable,
            provider_time=self.clock,
        )

    def _ask(self, what: str) -> None:
        self.requests_made += 1
        self.asked.append(what)
        if what in self.failures:
            raise self.failures[what]


def row(number: int, status_code: int = 1, ended_at: int | None = BEGAN_AT - 100, **facts: object) -> Attempt:
    ended = None if status_code == 0 else ended_at
    attempt = Attempt(
        candidate_id=str(number),
        started_at=BEGAN_AT - 1000 - number,
        status_code=status_code,
        candidate_name="Mei Chen",
        ended_at=ended,
        score_points=None if status_code == 0 else Decimal(50),
    )
    return replace(attempt, **facts)


class Stage:
    """A Poll with its provider, its tables and its clock."""

    def __init__(self, dynamodb: DynamoDBClient) -> None:
        self.dynamodb = dynamodb
        self.provider = PlayedProvider()
        self.refusals: list[tuple[str, int, str]] = []
        self.time_left_s = 300.0
        self.secrets = boto3.client("secretsmanager", region_name="eu-central-1")
        self.secret_arn = self.secrets.create_secret(Name="code", SecretString="demo-code")["ARN"]

    def poll(self, *, manual: bool = True, full: bool = False, **settings: object) -> PollReport:
        facts: dict[str, object] = {
            "account": "main",
            "base_url": "http://provider.test",
            "dialect": Dialect.LEGACY,
            "account_code_secret_arn": self.secret_arn,
            "requests_per_second": 5,
            "poll_seconds": 60,
            "initial_sync": InitialSync.SILENT,
            "full_pass_seconds": 3600,
            "submissions_table": SUBMISSIONS,
            "exams_table": EXAMS,
            "operations_topic_arn": "arn:aws:sns:eu-central-1:123456789012:operations",
            **settings,
        }
        workflow = Poll(
            settings=PollSettings(**facts),
            account_code=AccountCodeSecret(self.secrets, self.secret_arn, lambda: self.provider.clock),
            client_for=lambda _code: self.provider,
            exams=ExamsTable(self.dynamodb, EXAMS),
            submissions=SubmissionsTable(self.dynamodb, SUBMISSIONS),
            notify_refusal=lambda account, *, since, message: self.refusals.append((account, since, message)),
            now=lambda: float(self.provider.clock),
            sleep=self._sleep,
        )
        self.provider.requests_made = 0
        self.provider.asked.clear()
        return workflow.run(PollRequest(manual=manual, full=full), lambda: self.time_left_s)

    def _sleep(self, seconds: float) -> None:
        self.provider.clock += round(seconds)

    def events(self) -> list[str]:
        """Types of all events that the stored submissions have announced, by candidate."""
        stored = [submission_from_item(item) for item in self.dynamodb.scan(TableName=SUBMISSIONS)["Items"]]
        return [
            f"{submission.attempt.candidate_id} {transition.event_type.removeprefix('submission.')}"
            for submission in sorted(stored, key=lambda each: int(each.attempt.candidate_id))
            for transition in submission.transitions
        ]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(dynamodb)
        yield Stage(dynamodb)


def test_a_first_contact_is_silent_and_what_follows_is_announced(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(5)))
    report = stage.poll()
    assert (report.exams, report.rows, report.changes, report.complete) == (1, 5, 5, True)
    assert stage.events() == []
    stage.provider.clock += 60
    stage.provider.add("7", row(9, ended_at=BEGAN_AT + 50))
    assert stage.poll().changes == 1
    assert stage.events() == ["9 submitted"]


def test_a_first_contact_announces_everything_when_asked_to(stage: Stage) -> None:
    stage.provider.add("7", row(1), row(2, status_code=3))
    stage.poll(initial_sync=InitialSync.ANNOUNCE)
    assert stage.events() == ["1 submitted", "2 forced"]


def test_what_ran_at_the_first_contact_is_announced_when_it_closes(stage: Stage) -> None:
    stage.provider.add("7", row(1, status_code=0))
    stage.poll()
    assert stage.events() == []
    stage.provider.change("7", row(1, status_code=2, ended_at=BEGAN_AT + 30))
    stage.poll()
    assert stage.events() == ["1 timed_out"]


def test_what_ends_while_a_first_contact_goes_on_is_announced(stage: Stage) -> None:
    """The first tick had no time left for the exam; what ended meanwhile is news all the same."""
    stage.provider.add("7", row(1))
    stage.time_left_s = 0
    report = stage.poll()
    assert (report.exams, report.unfinished, report.complete) == (0, 1, False)
    stage.provider.clock += 60
    stage.provider.add("7", row(2, ended_at=BEGAN_AT + 10))
    stage.time_left_s = 300
    assert stage.poll().complete
    assert stage.events() == ["2 submitted"]


def test_old_attempts_of_an_exam_that_appears_later_are_old_news(stage: Stage) -> None:
    stage.poll()
    stage.provider.clock += 60
    stage.provider.add("8", row(1), row(2, ended_at=BEGAN_AT + 5))
    stage.poll()
    assert stage.events() == ["2 submitted"]


def test_a_row_that_shows_late_in_a_known_exam_is_announced_however_old_it_is(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.clock += 60
    stage.provider.add("7", row(2, ended_at=BEGAN_AT - 500))
    stage.poll()
    assert stage.events() == ["2 submitted"]


def test_nothing_is_asked_of_a_quiet_exam(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(5)))
    stage.poll()
    stage.provider.clock += 60
    report = stage.poll()
    # The listing takes two requests: a short page is the end only where a longer one was seen.
    assert set(stage.provider.asked) == {""}
    assert (report.exams, report.changes, report.complete) == (0, 0, True)


def test_a_marking_is_found_by_the_full_pass(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.change("7", row(1, score_points=Decimal(61)))
    stage.provider.clock += 3599
    stage.poll()
    assert stage.events() == []
    stage.provider.clock += 1
    stage.poll()
    assert stage.events() == ["1 rescored"]


def test_a_person_can_ask_for_a_full_pass(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.change("7", row(1, score_points=Decimal(61)))
    stage.poll(full=True)
    assert stage.events() == ["1 rescored"]


def test_trouble_with_one_exam_does_not_stop_the_others_and_it_stays_due(stage: Stage) -> None:
    stage.provider.add("7", row(1, ended_at=BEGAN_AT + 1))
    stage.provider.add("8", row(2, ended_at=BEGAN_AT + 1))
    stage.provider.failures["7"] = ProviderUnavailable("It does not answer.")
    report = stage.poll()
    assert report.errors == ["Exam 7 could not be read: It does not answer."]
    assert not report.complete
    assert stage.events() == ["2 submitted"]
    stage.provider.failures.clear()
    assert stage.poll().complete
    assert stage.events() == ["1 submitted", "2 submitted"]


def test_a_provider_that_wants_a_pause_gets_one(stage: Stage) -> None:
    for exam_id in ("7", "8", "9"):
        stage.provider.add(exam_id, row(1))
    stage.provider.failures["7"] = ProviderThrottled("Too often.", retry_after_s=600)
    report = stage.poll()
    assert [what for what in stage.provider.asked if what] == ["7"]
    assert report.unfinished == 3


def test_a_refused_code_leaves_everything_as_it_was_and_is_told_once(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    before = stage.dynamodb.scan(TableName=SUBMISSIONS)["Items"]
    stage.provider.failures[""] = ProviderRefused("The provider refuses the account code.")
    stage.provider.clock += 60
    report = stage.poll()
    assert report.errors == ["The provider refuses the account code."]
    assert stage.provider.requests_made == 1
    assert stage.dynamodb.scan(TableName=SUBMISSIONS)["Items"] == before
    assert stage.refusals == [("main", stage.provider.clock, "The provider refuses the account code.")]


def test_scheduled_polls_leave_a_refusing_provider_alone_until_the_hour_or_the_code_changes(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderRefused("The provider refuses the account code.")
    stage.poll(manual=False)
    stage.provider.clock += 60
    report = stage.poll(manual=False)
    assert stage.provider.requests_made == 0
    assert "not asked again" in report.errors[0]
    stage.provider.clock += 3600
    stage.poll(manual=False)
    assert stage.provider.requests_made == 1
    stage.secrets.put_secret_value(SecretId=stage.secret_arn, SecretString="the-right-code")
    stage.provider.failures.clear()
    stage.provider.clock += 60
    assert stage.poll(manual=False).complete
    assert len(stage.refusals) == 2
    assert {since for _, since, _ in stage.refusals} == {BEGAN_AT}, "one refusal, told under one id"


def test_a_scheduled_poll_steps_aside_while_another_runs(stage: Stage) -> None:
    table = ExamsTable(stage.dynamodb, EXAMS)
    table.take_lease("main", "other", now_ms=BEGAN_AT * 1000, expires_at_ms=(BEGAN_AT + 90) * 1000)
    report = stage.poll(manual=False)
    assert (report.skipped, report.errors, stage.provider.requests_made) == (True, [], 0)


def test_a_manual_poll_says_that_another_runs(stage: Stage) -> None:
    table = ExamsTable(stage.dynamodb, EXAMS)
    table.take_lease("main", "other", now_ms=BEGAN_AT * 1000, expires_at_ms=(BEGAN_AT + 90) * 1000)
    assert "Another poll of account main is running" in stage.poll().errors[0]


def test_rows_without_a_status_are_asked_for_one_by_one_and_only_once(stage: Stage) -> None:
    stage.provider.add("7", row(1), row(2, status_code=3, ended_at=BEGAN_AT + 5))
    stage.provider.hide_status = True
    assert stage.poll().complete
    assert stage.events() == ["2 forced"]
    stage.provider.clock += 3600
    stage.poll()
    assert stage.provider.asked.count("7") == 2, "two pages, no candidate alone"


def test_a_row_that_cannot_be_understood_is_counted_and_the_rest_still_counts(stage: Stage) -> None:
    stage.provider.add("7", row(1, ended_at=BEGAN_AT + 1))
    stage.provider.unreadable["7"] = (UnreadableRow(1, "startTime is missing"),)
    report = stage.poll()
    assert report.skipped_rows == 1
    assert not report.complete
    assert stage.events() == ["1 submitted"]


def test_an_empty_answer_where_rows_were_is_no_news_and_not_believed(stage: Stage) -> None:
    stage.provider.add("7", row(1), row(2))
    stage.poll()
    kept = stage.provider.rows.pop("7")
    stage.provider.rows["7"] = []
    stage.provider.clock += 3600
    assert not stage.poll().complete
    stage.provider.rows["7"] = kept
    stage.provider.clock += 3600
    assert stage.poll().complete
    assert stage.events() == []


def test_a_poll_that_dies_between_its_writes_repeats_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.clock += 60
    stage.provider.add("7", row(2, ended_at=BEGAN_AT + 5))
    with monkeypatch.context() as patch:
        patch.setattr(ExamsTable, "remember", _die)
        with pytest.raises(MemoryError):
            stage.poll()
    assert stage.events() == ["2 submitted"]
    assert stage.poll().exams == 1, "the exam stays due"
    assert stage.events() == ["2 submitted"]


def _die(*_arguments: object) -> None:
    raise MemoryError
