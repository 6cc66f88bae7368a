"""When scheduled polls pause: rejected codes, pauses that the provider requests, and failures."""

from __future__ import annotations

import pytest

from examhook.http.response import HttpResponse
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderThrottled, ProviderUnavailable
from examhook.provider.response_errors import MAX_PAUSE_S, RequestKind, error_from_status
from examhook.storage.exams import AccountRecord
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row

MINUTE = 60
REFUSED = ProviderRefused("The provider refuses the account code.")
UNCLEAR = ProviderRefused("The provider refuses to list the exams.", plain=False)
DOWN = ProviderUnavailable("It does not answer.")


@pytest.fixture
def stage() -> MemoryStage:
    stage = MemoryStage()
    stage.provider.add("7", row(1))
    return stage


def record(stage: MemoryStage) -> AccountRecord:
    return stage.exams.read("main").record


def asked_at(stage: MemoryStage, minutes: int) -> list[int]:
    """The minutes in which a schedule of one poll per minute, each in a new process, sent requests."""
    return [minute for minute, _ in stage.minutes(minutes) if stage.provider.requests_made]


def test_a_refused_code_is_tried_again_after_an_hour(stage: MemoryStage) -> None:
    stage.provider.failures[""] = REFUSED
    assert asked_at(stage, 125) == [0, 60, 120]


def test_while_a_code_is_refused_every_poll_reports_one_error(stage: MemoryStage) -> None:
    stage.provider.failures[""] = REFUSED
    for _, report in stage.minutes(3):
        assert (report.refused, len(report.errors), report.complete) == (True, 1, False)


def test_after_a_refusal_that_does_not_name_the_code_the_pause_grows_from_minutes_to_an_hour(
    stage: MemoryStage,
) -> None:
    """The operators get every notice under the same id."""
    stage.provider.failures[""] = UNCLEAR
    assert asked_at(stage, 270) == [0, 5, 10, 20, 40, 80, 140, 200, 260]
    assert {since for _, since, _ in stage.refusals} == {BEGAN_AT}


def test_an_unclear_refusal_that_passes_costs_minutes(stage: MemoryStage) -> None:
    stage.provider.failures[""] = UNCLEAR
    assert asked_at(stage, 5) == [0]
    stage.provider.failures.clear()
    assert stage.poll(manual=False).complete
    stage.provider.failures[""] = UNCLEAR
    stage.provider.clock += MINUTE
    assert asked_at(stage, 6) == [0, 5], "a new refusal, a new pause"


def test_a_pause_after_a_refusal_says_how_long_it_lasts_and_what_to_do(stage: MemoryStage) -> None:
    stage.provider.failures[""] = UNCLEAR
    stage.poll(manual=False)
    stage.provider.clock += MINUTE
    (said,) = stage.poll(manual=False).errors
    assert "4 min" in said
    assert "account-code secret" in said


def test_a_new_code_and_a_manual_poll_end_the_pause_after_a_refusal(stage: MemoryStage) -> None:
    stage.provider.failures[""] = UNCLEAR
    stage.poll(manual=False)
    stage.poll(manual=True)
    assert stage.provider.requests_made == 1
    stage.secret.version = "v2"
    stage.poll(manual=False)
    assert stage.provider.requests_made == 1


@pytest.mark.parametrize("what", ["", "7"])
def test_a_pause_is_kept_whichever_request_received_it(stage: MemoryStage, what: str) -> None:
    stage.provider.failures[what] = ProviderThrottled("Too often.", retry_after_s=600)
    assert asked_at(stage, 21) == [0, 10, 20]


def test_after_a_pause_an_answer_clears_the_stored_pause(stage: MemoryStage) -> None:
    stage.provider.failures[""] = ProviderThrottled("Too often.", retry_after_s=90.5)
    assert asked_at(stage, 2) == [0]
    stage.provider.failures.clear()
    assert stage.poll(manual=False).complete
    assert (record(stage).left_alone_until, record(stage).failing_since) == (None, None)


def test_a_poll_during_a_pause_reports_it_and_is_incomplete(stage: MemoryStage) -> None:
    stage.poll(manual=False)
    stage.provider.failures[""] = ProviderThrottled("Too often.", retry_after_s=600)
    stage.provider.clock += MINUTE
    stage.poll(manual=False)
    stage.provider.clock += MINUTE
    report = stage.poll(manual=False)
    (said,) = report.errors
    assert "asked for a pause" in said
    assert "9 min" in said
    assert (report.complete, report.refused, report.provider_failed, report.age_s) == (False, False, True, 120)
    assert record(stage).completed_at == BEGAN_AT


def test_a_manual_poll_runs_during_a_pause_and_an_answer_ends_it(stage: MemoryStage) -> None:
    stage.provider.failures[""] = ProviderThrottled("Too often.", retry_after_s=600)
    stage.poll(manual=False)
    stage.provider.failures.clear()
    assert stage.poll(manual=True).complete
    assert asked_at(stage, 2) == [0, 1]


@pytest.mark.parametrize(
    "failure", [DOWN, ProviderThrottled("Too often.")], ids=["no answer", "too often, without a pause"]
)
def test_a_failing_list_is_requested_less_and_less_often(stage: MemoryStage, failure: ProviderError) -> None:
    stage.provider.failures[""] = failure
    assert asked_at(stage, 45) == [0, 1, 2, 4, 8, 16, 26, 36]


def test_a_temporary_failure_costs_one_poll(stage: MemoryStage) -> None:
    stage.provider.failures[""] = DOWN
    stage.poll(manual=False)
    stage.provider.failures.clear()
    stage.provider.clock += MINUTE
    assert stage.poll(manual=False).complete


def test_an_impossible_end_of_a_pause_is_ignored(stage: MemoryStage) -> None:
    """A process with a wrong clock wrote it."""
    stage.exams.write("main", AccountRecord(left_alone_until=BEGAN_AT + 86_400), 0)
    assert asked_at(stage, 1) == [0]


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "31536000"}, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}], ids=["seconds", "date"]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_requested_pause_of_a_year_lasts_an_hour(headers: dict[str, str], status: int) -> None:
    answer = HttpResponse(status, headers, b"", truncated=False, elapsed_s=0.1)
    error = error_from_status(answer, float(BEGAN_AT), RequestKind.EXAMS)
    assert isinstance(error, ProviderThrottled)
    assert error.retry_after_s == MAX_PAUSE_S
