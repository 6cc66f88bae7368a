"""Rows that are stale, foreign, corrected, or hide their status: what is announced, and what a receipt certifies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.detection.intervals import WEEK_S
from examhook.settings import Dialect
from tests.support.provider.installation_with_quirks import DIALECTS, Habits
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row
from tests.support.storage.memory_tables import MemoryExamStates

ASKING = Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, types=("exam.*",))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("answers", [1, 2])
def test_one_stale_answer_invents_no_event(dialect: Dialect, answers: int) -> None:
    """Attempts ended within the last minute, so an answer as of a minute ago shows them as running."""
    habits = Habits(dialect)
    exam_id = habits.exam(5)
    habits.poll()
    refs = [habits.world.start(exam_id) for _ in range(5)]
    habits.poll()
    for ref in refs:
        habits.world.submit(ref, 50)
    habits.poll(5)
    announced = sorted(habits.events())
    assert [kind for _, kind in announced] == ["started", "submitted"] * 5
    for _ in range(4):
        habits.provider.switch(f"stale_replica=70@next{answers}")
        habits.poll(5, full=True)
    habits.provider.api.quirks.turn_off()
    habits.polls(5, 300)
    assert sorted(habits.events()) == announced


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_attempt_that_was_truly_reopened_is_announced(dialect: Dialect) -> None:
    habits = Habits(dialect)
    exam_id = habits.exam(5)
    ref = habits.world.start(exam_id)
    habits.poll()
    habits.world.submit(ref, 50)
    habits.poll()
    habits.world.advance(5)
    habits.world.reopen(ref)
    habits.poll(full=True)
    assert habits.events()[-1] == (ref.candidate_id, "reopened")


@pytest.mark.parametrize("attempts", [1, 40])
def test_a_changed_status_of_a_final_attempt_is_found_within_a_week_where_lists_show_none(attempts: int) -> None:
    """1 becomes 3 with the same end and score."""
    stage = MemoryStage()
    stage.provider.hide_status = True
    stage.provider.add("7", *(row(number) for number in range(attempts)))
    stage.poll(manual=False)
    for _ in range(3):
        stage.provider.clock += 3600
        stage.poll(manual=False)
    stage.provider.change("7", row(0, 3))
    changed_at = stage.provider.clock
    while not stage.events() and stage.provider.clock - changed_at <= WEEK_S + 86_400 + 3600:
        stage.provider.clock += 3600
        stage.poll(manual=False)
    assert stage.events() == ["0 forced"]
    assert stage.provider.clock - changed_at <= WEEK_S + 86_400


def test_the_weekly_look_at_hidden_statuses_is_spread_over_the_week() -> None:
    stage = MemoryStage()
    stage.provider.hide_status = True
    stage.provider.add("7", *(row(number) for number in range(60)))
    stage.poll(manual=False)
    asked = []
    for _ in range(14 * 24):
        stage.provider.clock += 3600
        stage.poll(manual=False)
        asked.append(len(stage.provider.candidates_asked))
    assert 60 <= sum(asked) <= 3 * 60 + 10
    assert max(asked) <= 30


def test_a_receipt_does_not_certify_statuses_that_were_not_looked_at() -> None:
    stage = MemoryStage()
    stage.endpoints = [ASKING]
    stage.provider.hide_status = True
    stage.provider.add("7", row(1), row(2))
    assert stage.poll().complete
    states = stage.exam_states
    first = _receipts(states)
    for _ in range(5):
        stage.provider.clock += 60
        stage.poll(full=True)
    assert _receipts(states) == first, "the statuses were taken over from the first scan"
    stage.provider.hide_status = False
    stage.provider.clock += 60
    stage.poll(full=True)
    assert len(_receipts(states)) == len(first) + 1


def _receipts(states: MemoryExamStates) -> set[int]:
    changes = states.store.stream
    return {each.receipt.watermark for change in changes for each in change.after.transitions if each.receipt}


def test_a_row_that_names_another_exam_is_announced_under_none_that_was_asked_for() -> None:
    habits = Habits()
    exam_ids = [habits.exam(6) for _ in range(3)]
    habits.poll()
    habits.provider.switch("foreign_rows=2")
    refs = [habits.submits(exam_id) for exam_id in exam_ids]
    reports = habits.polls(40, 120)
    assert sorted(habits.events()) == sorted((ref.candidate_id, "submitted") for ref in refs)
    for exam_id in exam_ids:
        assert habits.stored(exam_id) == habits.truth(exam_id)
    assert any("eid is not the requested one" in note for report in reports for note in report.notes)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("seconds", [1, -1, 3600, -3600])
def test_a_corrected_start_keeps_the_same_attempt_where_records_have_ids(dialect: Dialect, seconds: int) -> None:
    habits = Habits(dialect, ["tid_and_passed"])
    exam_id = habits.exam(20)
    running = habits.world.start(exam_id)
    habits.poll()
    habits.world.advance(4000)
    habits.provider.switch(f"corrected_start={seconds}")
    for report in habits.polls(3):
        assert report.errors == []
    for _ in range(3):
        habits.poll(3600, full=True)
    assert habits.events() == []
    habits.world.submit(running, 70)
    new = habits.submits(exam_id)
    habits.polls(3)
    for _ in range(3):
        habits.poll(3600, full=True)
    assert sorted(habits.events()) == sorted([(running.candidate_id, "submitted"), (new.candidate_id, "submitted")])


def test_two_attempts_of_one_candidate_with_ids_of_their_own_stay_two() -> None:
    stage = MemoryStage()
    stage.provider.add("7", row(1, record_id="a"))
    stage.poll()
    again = replace(row(1), started_at=row(1).started_at + 1, record_id="b", ended_at=BEGAN_AT + 20)
    stage.provider.clock += 60
    stage.provider.add("7", again)
    stage.poll()
    assert stage.events() == ["1 submitted"]
    assert len(stage.stored()) == 2
