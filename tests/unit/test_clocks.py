"""Clocks that are off, at installation and later: no old result is announced, and no new one is silent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row

DAY = 86_400
EARLIER = BEGAN_AT - 3600
"""When attempts ended, before the watch began."""


@pytest.fixture
def stage() -> MemoryStage:
    stage = MemoryStage()
    stage.provider.add("1", row(1))
    return stage


@pytest.fixture
def ahead(stage: MemoryStage) -> MemoryStage:
    """A watch that began by a clock of ours that was two days ahead."""
    stage.provider_ahead_s = -2 * DAY
    assert stage.poll(manual=False).complete
    stage.provider.clock += 60
    return stage


def set_right(stage: MemoryStage) -> None:
    """From now on our clock is right."""
    stage.provider_ahead_s = 0
    stage.provider.clock += 60


def test_what_no_count_shows_is_found_once_our_clock_is_right(ahead: MemoryStage) -> None:
    """The last full scan seems to lie two days ahead."""
    ahead.provider.change("1", row(1, score_points=Decimal(77)))
    set_right(ahead)
    ahead.poll(manual=False)
    assert ahead.events() == ["1 rescored"]


def test_an_exam_that_opens_or_closes_is_announced_once_our_clock_is_right(ahead: MemoryStage) -> None:
    listed = ahead.provider.exams_listed["1"]
    ahead.provider.exams_listed["1"] = replace(listed, available=False)
    ahead.provider.exams_listed["2"] = replace(listed, exam_id="2")
    ahead.provider.rows["2"] = []
    set_right(ahead)
    ahead.poll(manual=False)
    states = ahead.exam_states.of_account("main")
    events = {exam_id: [each.event_type for each in state.transitions] for exam_id, state in states.items()}
    assert events == {"1": ["exam.closed"], "2": ["exam.opened"]}


def test_a_removal_that_was_noted_while_our_clock_was_ahead_is_announced_once_it_is_right(ahead: MemoryStage) -> None:
    ahead.provider.add("1", row(2, ended_at=EARLIER))
    ahead.poll(manual=False)
    ahead.provider.rows["1"] = [row(2, ended_at=EARLIER)]
    ahead.provider.clock += 60
    ahead.poll(full=True)
    set_right(ahead)
    ahead.poll(full=True)
    assert ahead.events() == ["1 removed"]


@pytest.mark.parametrize("offset_s", [5 * 3600, -5 * 3600, DAY, -DAY, None])
def test_one_answer_with_a_wrong_date_announces_nothing_old_and_delays_nothing(
    stage: MemoryStage, offset_s: int | None
) -> None:
    """One of two servers has another clock."""
    stage.provider.add("1", row(2, ended_at=EARLIER))
    stage.poll(manual=False)
    stage.provider.clock_offset_s = offset_s
    stage.provider.clock += 60
    stage.poll(manual=False, full=True)
    assert stage.events() == []
    stage.provider.clock_offset_s = 0
    stage.provider.change("1", row(1, score_points=Decimal(77)))
    stage.provider.add("1", row(3, ended_at=stage.provider.clock))
    stage.provider.clock += 3600
    stage.poll(manual=False)
    assert stage.events() == ["1 rescored", "3 submitted"]
