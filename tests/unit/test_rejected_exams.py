"""Exams whose results the provider refuses, though it lists them: what they cost, and that they stop nobody else."""

from __future__ import annotations

import pytest

from examhook.provider.errors import ProviderRejected
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row

FORBIDDEN = ProviderRejected("The provider refuses the exam's results (HTTP 403).", plain=False)
MINUTE = 60


@pytest.fixture
def stage() -> MemoryStage:
    stage = MemoryStage()
    for number in (1, 2, 3, 4):
        stage.provider.add(str(number), row(number))
    return stage


def asked_of(stage: MemoryStage, exam_id: str, minutes: int) -> list[int]:
    """The polls of ``minutes`` scheduled ones, one a minute, that requested the exam."""
    asked = []
    for minute in range(minutes):
        stage.poll(manual=False)
        if exam_id in stage.provider.asked:
            asked.append(minute)
        stage.provider.clock += MINUTE
    return asked


def test_one_forbidden_exam_stops_no_other_and_is_no_refusal_of_the_code(stage: MemoryStage) -> None:
    stage.provider.failures["2"] = FORBIDDEN
    report = stage.poll(manual=False)
    known = {exam_id for exam_id, state in stage.exam_states.of_account("main").items() if state.scanned_at is not None}
    assert (report.refused, report.provider_failed, report.complete) == (False, True, False)
    assert (known, stage.refusals) == ({"1", "3", "4"}, [])
    stage.provider.clock += MINUTE
    stage.provider.add("3", row(30, ended_at=BEGAN_AT + 30))
    stage.poll(manual=False)
    assert stage.events() == ["30 submitted"]


def test_a_forbidden_exam_does_not_come_first_again(stage: MemoryStage) -> None:
    stage.provider.failures["2"] = FORBIDDEN
    stage.poll(manual=False)
    stage.provider.clock += MINUTE
    for exam_id in ("1", "3", "5"):
        stage.provider.add(exam_id, row(50 + int(exam_id), ended_at=BEGAN_AT + 30))
    stage.poll(manual=False)
    order = [exam_id for exam_id in dict.fromkeys(stage.provider.asked) if exam_id]
    assert order == ["1", "3", "5", "2"]


def test_a_forbidden_exam_is_asked_about_more_and_more_rarely_down_to_every_five_minutes(stage: MemoryStage) -> None:
    stage.provider.failures["2"] = FORBIDDEN
    assert asked_of(stage, "2", 26) == [0, 1, 2, 4, 8, 13, 18, 23]


def test_a_changed_attempt_count_does_not_bring_a_forbidden_exam_forward(stage: MemoryStage) -> None:
    stage.poll()
    stage.provider.add("2", row(20, ended_at=BEGAN_AT + 30))
    stage.provider.failures["2"] = FORBIDDEN
    assert asked_of(stage, "2", 10) == [0, 1, 2, 4, 8]


def test_while_a_forbidden_exam_waits_no_poll_is_complete(stage: MemoryStage) -> None:
    stage.provider.failures["2"] = FORBIDDEN
    for _ in range(10):
        report = stage.poll(manual=False)
        assert (report.complete, report.unfinished + len(report.errors)) == (False, 1)
        stage.provider.clock += MINUTE


def test_an_exam_that_was_forbidden_for_a_moment_loses_a_minute(stage: MemoryStage) -> None:
    stage.poll()
    stage.provider.clock += MINUTE
    stage.provider.add("2", row(20, ended_at=BEGAN_AT + 30))
    stage.provider.failures["2"] = FORBIDDEN
    stage.poll(manual=False)
    stage.provider.failures.clear()
    stage.provider.clock += MINUTE
    assert stage.poll(manual=False).complete
    assert stage.events() == ["20 submitted"]
    assert stage.exam_states.of_account("main")["2"].failed_since is None


def test_a_person_who_polls_is_shown_how_a_forbidden_exam_stands_now(stage: MemoryStage) -> None:
    stage.provider.failures["2"] = FORBIDDEN
    asked_of(stage, "2", 6)
    stage.provider.failures.clear()
    assert stage.poll(manual=True).complete


def test_a_first_scan_that_is_forbidden_midway_continues_where_it_stopped(stage: MemoryStage) -> None:
    """The pages before it are not read again."""
    stage.provider.add("9", *(row(number) for number in range(1000, 1700)))
    results = stage.provider.results
    stage.provider.results = lambda exam_id, start, *rest: (  # type: ignore[method-assign]
        results("forbidden" if start > 550 else exam_id, start, *rest)
    )
    stage.provider.failures["forbidden"] = FORBIDDEN
    stage.poll(manual=False)
    state = stage.exam_states.of_account("main")["9"]
    assert state.cursor is not None
    assert (state.cursor.start, state.failed_since) == (396, BEGAN_AT)


def test_an_exam_that_left_the_list_and_was_forbidden_for_a_moment_is_followed_again(stage: MemoryStage) -> None:
    stage.provider.add("7", row(7, status_code=0))
    stage.poll()
    del stage.provider.exams_listed["7"]
    stage.provider.failures["7"] = FORBIDDEN
    stage.provider.clock += 5 * MINUTE
    assert stage.poll(manual=False).errors == []
    stage.provider.failures.clear()
    stage.provider.change("7", row(7, ended_at=stage.provider.clock))
    stage.provider.clock += 5 * MINUTE
    stage.poll(manual=False)
    assert stage.events() == ["7 submitted"]


def test_an_exam_that_left_the_list_is_given_up_only_after_it_was_forbidden_for_a_while(stage: MemoryStage) -> None:
    """After ten minutes it is asked about once a day, and no poll is incomplete because of it."""
    stage.provider.add("7", row(7, status_code=0))
    stage.poll()
    del stage.provider.exams_listed["7"]
    stage.provider.failures["7"] = FORBIDDEN
    assert asked_of(stage, "7", 60) == [5, 10]
    assert stage.poll(manual=False).complete
