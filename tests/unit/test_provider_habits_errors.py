"""Errors in place of rows, beside rows and in other words: none becomes an event, and the provider is left alone."""

from __future__ import annotations

import pytest

from examhook.provider.errors import ProviderUnavailable
from examhook.settings import Dialect
from examhook.workflows.polling.exam_reading import MAX_FAILURES
from tests.support.provider.installation_with_quirks import DIALECTS, Habits
from tests.support.provider.memory_provider import MemoryStage, row

FIELDS = ("message", "code", "errcode", "status", "msg", "errmsg")
HOUR_S = 3600


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("field", FIELDS)
def test_an_error_beside_an_empty_list_of_results_removes_nothing(dialect: Dialect, field: str) -> None:
    habits = Habits(dialect)
    exam_ids = [habits.exam(10) for _ in range(4)]
    assert habits.poll().complete
    habits.provider.switch(f"error_beside_list={field}")
    for report in habits.polls(40, 300):
        assert not report.complete
        assert report.errors
    assert habits.events() == []
    assert all(habits.stored(exam_id) == habits.truth(exam_id) for exam_id in exam_ids)
    habits.provider.api.quirks.turn_off()
    ref = habits.submits(exam_ids[0])
    habits.polls(5, 300)
    assert habits.events() == [(ref.candidate_id, "submitted")]


@pytest.mark.parametrize("field", FIELDS)
def test_an_error_as_the_answer_to_everything_at_installation_is_no_empty_account(field: str) -> None:
    habits = Habits(switches=[f"error_beside_list={field}"])
    exam_id = habits.exam(10)
    assert not any(report.complete for report in habits.polls(5, HOUR_S))
    habits.provider.api.quirks.turn_off()
    assert habits.poll(HOUR_S).complete
    assert habits.stored(exam_id) == habits.truth(exam_id)
    assert habits.events() == []


def test_an_empty_exam_list_where_exams_were_is_no_complete_poll_and_closes_nothing() -> None:
    habits = Habits()
    exam_ids = [habits.exam(5) for _ in range(3)]
    assert habits.poll().complete
    habits.world.hidden |= set(exam_ids)
    for report in habits.polls(5):
        assert not report.complete
        assert report.notes
    habits.world.hidden.clear()
    assert habits.poll().complete
    assert habits.events() == []
    assert [state.transitions for state in habits.installation.exam_states.items.values()] != []
    assert not any(
        each.available is False
        for state in habits.installation.exam_states.items.values()
        for each in state.transitions
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_rate_limit_text_leads_to_a_pause_and_no_refusal(dialect: Dialect) -> None:
    habits = Habits(dialect)
    habits.exam(3)
    assert habits.poll().complete
    habits.provider.switch("throttle_text=any")
    for _ in range(10):
        report = habits.poll(HOUR_S)
        assert (report.refused, report.provider_failed) == (False, True)
    ((record, _),) = habits.installation.exams.records.values()
    assert record.refusal is None
    assert record.left_alone_until is not None


def test_a_provider_whose_results_all_fail_is_left_alone_more_and_more() -> None:
    """40 exams: without an end after a few failures, each poll would make 40 requests."""
    stage = MemoryStage()
    for number in range(40):
        stage.provider.add(str(number), row(number))
        stage.provider.failures[str(number)] = ProviderUnavailable("It does not answer.")
    requests = []
    for _, report in stage.minutes(60):
        requests.append(stage.provider.requests_made)
        assert not report.complete
    assert max(requests[:1]) <= 3 + MAX_FAILURES
    assert max(requests) <= 3 + MAX_FAILURES
    assert sum(made > 0 for made in requests) <= 12
    assert max(_pauses(requests)) >= 9, "pauses of minutes in the end"


def test_exams_that_fail_between_exams_that_answer_stop_nobody() -> None:
    stage = MemoryStage()
    for number in range(40):
        stage.provider.add(str(number), row(number))
        if number % 2:
            stage.provider.failures[str(number)] = ProviderUnavailable("It does not answer.")
    stage.poll(manual=False)
    scanned = {exam_id for exam_id, state in stage.exam_states.of_account("main").items() if state.scanned_at}
    assert scanned == {str(number) for number in range(0, 40, 2)}


def _pauses(requests: list[int]) -> list[int]:
    """Lengths of the runs of polls without a request."""
    lengths = [0]
    for made in requests:
        if made:
            lengths.append(0)
        else:
            lengths[-1] += 1
    return lengths
