"""A pause that the provider asks for is kept by every process that polls the account, and no longer than sensible."""

from __future__ import annotations

import pytest
from memory_tables import MemoryExams, MemorySubmissions
from played_provider import BEGAN_AT, Stage, row

from examhook.http.session import Answer
from examhook.provider.errors import ProviderThrottled
from examhook.provider.response_errors import LONGEST_PAUSE_S, Question, unusable

MINUTE = 60


@pytest.fixture
def stage() -> Stage:
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("7", row(1))
    return stage


def asked_at(stage: Stage, minutes: int) -> list[int]:
    """At which minutes a schedule of one poll a minute, each in a process of its own, asked the provider."""
    return [minute for minute, _ in stage.minutes(minutes) if stage.provider.requests_made]


@pytest.mark.parametrize("what", ["", "7"])
def test_a_pause_is_kept_whichever_question_was_answered_with_it(stage: Stage, what: str) -> None:
    stage.provider.failures[what] = ProviderThrottled("Too often.", retry_after_s=600)
    assert asked_at(stage, 21) == [0, 10, 20]


def test_when_the_pause_is_over_and_the_provider_answers_all_goes_on(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderThrottled("Too often.", retry_after_s=90.5)
    assert asked_at(stage, 2) == [0]
    stage.provider.failures.clear()
    assert stage.poll(manual=False).complete
    assert stage.exams.read("main").left_alone_until is None


def test_a_poll_that_keeps_to_a_pause_says_so_and_has_not_come_to_its_end(stage: Stage) -> None:
    stage.poll(manual=False)
    stage.provider.failures[""] = ProviderThrottled("Too often.", retry_after_s=600)
    stage.provider.clock += MINUTE
    stage.poll(manual=False)
    stage.provider.clock += MINUTE
    report = stage.poll(manual=False)
    (said,) = report.errors
    assert "asked for a pause" in said
    assert "another 9 min" in said
    assert (report.complete, report.refused, report.provider_failed, report.age_s) == (False, False, True, 120)
    assert stage.exams.read("main").completed_at == BEGAN_AT


def test_a_person_asks_all_the_same_and_an_answer_ends_the_pause(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderThrottled("Too often.", retry_after_s=600)
    stage.poll(manual=False)
    stage.provider.failures.clear()
    assert stage.poll(manual=True).complete
    assert asked_at(stage, 2) == [0, 1]


def test_too_often_without_a_pause_leaves_the_next_poll_as_it_is(stage: Stage) -> None:
    stage.provider.failures[""] = ProviderThrottled("Too often.")
    assert asked_at(stage, 3) == [0, 1, 2]


def test_a_moment_that_no_pause_reaches_to_is_not_believed(stage: Stage) -> None:
    """Some process wrote it whose clock was wrong."""
    stage.exams.leave_alone("main", BEGAN_AT + 86_400)
    assert asked_at(stage, 1) == [0]


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "31536000"}, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}], ids=["seconds", "date"]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_that_asks_for_a_year_gets_an_hour(headers: dict[str, str], status: int) -> None:
    answer = Answer(status, headers, b"", truncated=False, elapsed_s=0.1)
    error = unusable(answer, float(BEGAN_AT), Question.EXAMS)
    assert isinstance(error, ProviderThrottled)
    assert error.retry_after_s == LONGEST_PAUSE_S
