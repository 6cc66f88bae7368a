"""``Date`` headers that are wrong, at installation and later: nothing old is announced, and nothing new is silent."""

from __future__ import annotations

import pytest

from examhook.settings import Dialect
from examhook_simulator.world import World
from tests.model.plans import PollPlan
from tests.support.provider.installation_with_quirks import DIALECTS, Habits

DATES = ("date=1970", "date=absent", "date=stuck", "date=+18000", "date=-18000", "date=two_servers")


def install(habits: Habits, *, minutes: int = 3) -> str:
    """An exam with results of the last days and of just now, watched for some minutes."""
    exam_id = habits.exam(30)
    for age_s in (3, 50, 130, 1000, 7000, 80_000):
        _ended(habits.world, exam_id, age_s)
    for report in habits.polls(minutes):
        assert report.errors == []
    return exam_id


def _ended(world: World, exam_id: str, age_s: int) -> None:
    ended_at = world.now() - age_s
    world.submit(world.start(exam_id, at=ended_at - 30), 5, at=ended_at)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("date", DATES)
def test_a_wrong_date_at_installation_announces_nothing_old_and_silences_nothing_new(
    dialect: Dialect, date: str
) -> None:
    habits = Habits(dialect, [date])
    exam_id = install(habits)
    assert habits.events() == []
    refs = [habits.submits(exam_id) for _ in range(3)]
    habits.polls(6)
    assert sorted(habits.events()) == sorted((ref.candidate_id, "submitted") for ref in refs)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("date", DATES)
def test_an_exam_created_while_the_date_is_wrong_is_announced_from_its_first_attempt(
    dialect: Dialect, date: str
) -> None:
    habits = Habits(dialect, [date])
    install(habits, minutes=1)
    exam_id = habits.world.create_exam()
    refs = [habits.submits(exam_id) for _ in range(2)]
    habits.polls(5)
    refs.append(habits.submits(exam_id))
    habits.polls(5)
    assert sorted(habits.events()) == sorted((ref.candidate_id, "submitted") for ref in refs)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("date", DATES)
def test_a_date_that_becomes_wrong_later_changes_nothing_and_scans_still_become_due(
    dialect: Dialect, date: str
) -> None:
    habits = Habits(dialect)
    exam_id = install(habits)
    habits.provider.switch(date)
    habits.polls(10, 600)
    assert habits.events() == []
    old = habits.world.truth(exam_id)[0].ref
    habits.world.mark(old, 77.5)
    ref = habits.submits(exam_id)
    habits.polls(30, 600)
    assert sorted(habits.events()) == sorted([(old.candidate_id, "rescored"), (ref.candidate_id, "submitted")])


def announces_only_what_is_new(habits: Habits) -> None:
    exam_id = install(habits)
    assert habits.events() == []
    ref = habits.submits(exam_id)
    habits.polls(6)
    assert habits.events() == [(ref.candidate_id, "submitted")]


@pytest.mark.parametrize("hours", [-5, 5])
def test_rows_and_date_by_another_clock_than_ours_are_told_apart_at_installation(hours: int) -> None:
    """The provider's clock is hours off ours, and its rows follow its own."""
    announces_only_what_is_new(Habits(skew_s=hours * 3600))


@pytest.mark.parametrize("hours", [-5, 5])
def test_rows_by_a_clock_that_no_date_shows_silence_nothing_after_the_first_poll(hours: int) -> None:
    announces_only_what_is_new(Habits(switches=[f"row_clock={hours * 3600:+d}"]))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("skew_s", [-7200, -1000, -100])
@pytest.mark.parametrize("date", DATES)
def test_where_our_clock_and_date_are_wrong_an_exam_scanned_later_silences_nothing_new(
    dialect: Dialect, skew_s: int, date: str
) -> None:
    """The first poll has time for the list only, and somebody submits before the next."""
    habits = Habits(dialect, [date], skew_s)
    exam_id = habits.exam(3)
    habits.world.advance(60)
    habits.installation.poll(PollPlan(requests_in_time=2))
    habits.world.advance(600)
    ref = habits.submits(exam_id)
    habits.polls(3)
    assert (ref.candidate_id, "submitted") in habits.events()
