"""Whole polls with DynamoDB (moto) and a provider in memory."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.provider.errors import ProviderRefused, ProviderThrottled, ProviderUnavailable
from examhook.provider.port import UnreadableRow
from examhook.settings import InitialSync
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from examhook.workflows.polling.lease import LEASE_S
from tests.support.provider.memory_provider import BEGAN_AT, Stage, row
from tests.support.storage.tables import EXAMS, SUBMISSIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def stage(dynamodb: DynamoDBClient) -> Stage:
    return Stage(
        SubmissionsTable(dynamodb, SUBMISSIONS), ExamsTable(dynamodb, EXAMS), ExamStates(dynamodb, SUBMISSIONS)
    )


def test_a_first_contact_is_silent_and_later_changes_are_announced(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(5)))
    report = stage.poll()
    assert (report.exams, report.rows, report.changes, report.complete) == (1, 5, 5, True)
    assert stage.events() == []
    stage.provider.clock += 60
    stage.provider.add("7", row(9, ended_at=BEGAN_AT + 50))
    assert stage.poll().changes == 1
    assert stage.events() == ["9 submitted"]


def test_a_first_contact_announces_everything_if_configured(stage: Stage) -> None:
    stage.provider.add("7", row(1), row(2, status_code=3))
    stage.poll(initial_sync=InitialSync.ANNOUNCE)
    assert stage.events() == ["1 submitted", "2 forced"]


def test_attempts_running_at_first_contact_are_announced_when_they_end(stage: Stage) -> None:
    stage.provider.add("7", row(1, status_code=0))
    stage.poll()
    assert stage.events() == []
    stage.provider.change("7", row(1, status_code=2, ended_at=BEGAN_AT + 30))
    stage.poll()
    assert stage.events() == ["1 timed_out"]


def test_attempts_that_end_before_the_first_scan_of_their_exam_are_announced(stage: Stage) -> None:
    """The first tick had no time left for the exam."""
    stage.provider.add("7", row(1))
    stage.time_left_s = 0
    report = stage.poll()
    assert (report.exams, report.unfinished, report.complete) == (0, 1, False)
    stage.provider.clock += 60
    stage.provider.add("7", row(2, ended_at=BEGAN_AT + 10))
    stage.time_left_s = 300
    assert stage.poll().complete
    assert stage.events() == ["2 submitted"]


def test_an_exam_that_was_not_on_the_first_list_has_no_old_results(stage: Stage) -> None:
    """By time alone, only an attempt that ended at least a day before the watch is old."""
    stage.provider.add("7")
    stage.poll()
    stage.provider.clock += 60
    stage.provider.add("8", row(1, ended_at=BEGAN_AT - 86_401), row(2, ended_at=BEGAN_AT - 3600))
    stage.poll()
    assert stage.events() == ["2 submitted"]


def test_a_row_that_appears_late_in_a_known_exam_is_announced_however_old_it_is(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.clock += 60
    stage.provider.add("7", row(2, ended_at=BEGAN_AT - 500))
    stage.poll()
    assert stage.events() == ["2 submitted"]


def test_a_quiet_exam_gets_no_request(stage: Stage) -> None:
    stage.provider.add("7", *(row(number) for number in range(5)))
    stage.poll()
    stage.provider.clock += 60
    report = stage.poll(manual=False)
    assert stage.provider.asked == [""]
    assert (report.exams, report.changes, report.complete) == (0, 0, True)


def test_a_rescore_is_found_by_the_full_scan(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.change("7", row(1, score_points=Decimal(61)))
    stage.provider.clock += 3600
    stage.poll(manual=False)
    assert stage.events() == ["1 rescored"]


def test_a_manual_poll_can_run_full_scans(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.change("7", row(1, score_points=Decimal(61)))
    stage.poll(full=True)
    assert stage.events() == ["1 rescored"]


def test_an_exam_that_fails_stops_no_other_and_stays_due(stage: Stage) -> None:
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


def test_a_requested_pause_is_kept(stage: Stage) -> None:
    for exam_id in ("7", "8", "9"):
        stage.provider.add(exam_id, row(1))
    stage.provider.failures["7"] = ProviderThrottled("Too often.", retry_after_s=600)
    report = stage.poll()
    assert [what for what in stage.provider.asked if what] == ["7"]
    assert (report.unfinished, len(report.errors), report.complete) == (2, 1, False)


def test_a_refused_code_changes_nothing_and_is_reported_once(stage: Stage) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    before = stage.stored()
    stage.provider.failures[""] = ProviderRefused("The provider refuses the account code.")
    stage.provider.clock += 60
    report = stage.poll()
    assert report.errors == ["The provider refuses the account code."]
    assert stage.provider.requests_made == 1
    assert stage.stored() == before
    assert stage.refusals == [("main", stage.provider.clock, "The provider refuses the account code.")]


def test_scheduled_polls_pause_after_a_refusal_until_an_hour_passes_or_the_code_changes(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderRefused("The provider refuses the account code.")
    stage.poll(manual=False)
    stage.provider.clock += 60
    report = stage.poll(manual=False)
    assert stage.provider.requests_made == 0
    assert "sends no requests" in report.errors[0]
    stage.provider.clock += 3600
    stage.poll(manual=False)
    assert stage.provider.requests_made == 1
    stage.secret.version = "v2"
    stage.provider.failures.clear()
    stage.provider.clock += 60
    assert stage.poll(manual=False).complete
    assert len(stage.refusals) == 2
    assert {since for _, since, _ in stage.refusals} == {BEGAN_AT}, "one refusal, reported under one id"


def test_a_scheduled_poll_does_nothing_while_another_runs(stage: Stage) -> None:
    stage.exams.take_lease("main", "other", now_ms=BEGAN_AT * 1000, expires_at_ms=(BEGAN_AT + 90) * 1000)
    report = stage.poll(manual=False)
    assert (report.skipped, report.errors, stage.provider.requests_made) == (True, [], 0)


def test_a_manual_poll_reports_that_another_runs(stage: Stage) -> None:
    stage.exams.take_lease("main", "other", now_ms=BEGAN_AT * 1000, expires_at_ms=(BEGAN_AT + 9000) * 1000)
    assert "Another poll of account main is running" in stage.poll().errors[0]


def test_a_manual_poll_waits_for_the_lease_of_a_poll_that_died(stage: Stage) -> None:
    died_at = stage.provider.clock
    stage.exams.take_lease("main", "dead", now_ms=died_at * 1000, expires_at_ms=int(died_at + LEASE_S) * 1000)
    assert stage.poll().complete
    assert stage.provider.clock - died_at >= LEASE_S


def test_rows_without_a_status_are_requested_individually_and_only_once(stage: Stage) -> None:
    stage.provider.add("7", row(1), row(2, status_code=3, ended_at=BEGAN_AT + 5))
    stage.provider.hide_status = True
    assert stage.poll().complete
    assert stage.events() == ["2 forced"]
    stage.provider.clock += 3600
    stage.poll()
    assert stage.provider.asked.count("7") == 2, "the rows and what proves their end, no candidate alone"


def test_an_unreadable_row_is_counted_and_the_others_are_announced(stage: Stage) -> None:
    stage.provider.add("7", row(1, ended_at=BEGAN_AT + 1))
    stage.provider.unreadable["7"] = (UnreadableRow(1, "startTime is missing"),)
    report = stage.poll()
    assert report.skipped_rows == 1
    assert not report.complete
    assert stage.events() == ["1 submitted"]


def test_an_empty_answer_about_an_exam_with_rows_is_not_believed(stage: Stage) -> None:
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
        patch.setattr(ExamStates, "write", _die)
        with pytest.raises(MemoryError):
            stage.poll()
    assert stage.events() == ["2 submitted"]
    assert stage.poll().exams == 1, "the exam stays due"
    assert stage.events() == ["2 submitted"]


def _die(*_arguments: object) -> None:
    raise MemoryError


def test_exams_that_open_and_close_are_in_the_outbox_and_not_confused_with_attempts(stage: Stage) -> None:
    stage.endpoints = [Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, types=("*",))]
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.clock += 60
    stage.provider.add("8", row(2, ended_at=BEGAN_AT + 30))
    closed = replace(stage.provider.exams_listed["7"], available=False)
    stage.provider.exams_listed["7"] = closed
    assert stage.poll(full=True).complete
    states = stage.exam_states.of_account("main")
    types = {exam_id: [each.event_type for each in state.transitions] for exam_id, state in states.items()}
    assert types == {"7": ["exam.closed", "exam.verified"], "8": ["exam.opened", "exam.verified"]}
    assert [each.exam_id for each in stage.stored()] == ["7", "8"]
    assert stage.events() == ["2 submitted"]
    report = stage.poll(full=True)
    assert (report.changes, report.complete) == (0, True)
