"""The provider's clock was ahead and is put right, or one of its answers comes from a clock that is hours behind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from memory_tables import MemoryExams, MemorySubmissions
from played_provider import BEGAN_AT, Stage, row

from examhook.detection.beginning import put_right
from examhook.detection.watch import AccountWatch

DAY = 86_400
EARLIER, LATER = BEGAN_AT - 3600, BEGAN_AT + 30
"""When attempts ended, before the watch began and after it."""


@pytest.fixture
def ahead() -> Stage:
    """A watch that began while the provider's clock was two days ahead."""
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("1", row(1))
    set_clock(stage, BEGAN_AT, ahead_s=2 * DAY)
    assert stage.poll(manual=False).complete
    return stage


def set_clock(stage: Stage, at: int, *, ahead_s: int = 0) -> None:
    """Let it be ``at``, and the provider's clock be so far ahead."""
    stage.provider_ahead_s = ahead_s
    stage.provider.clock = at + ahead_s


def began_at(stage: Stage) -> int:
    watch = stage.exams.read("main").watch
    assert watch is not None
    return watch.began_at


def test_what_ended_after_the_watch_began_is_announced_once_the_clock_was_put_right(ahead: Stage) -> None:
    ahead.provider.add("2", row(20, ended_at=LATER), row(21, ended_at=EARLIER))
    set_clock(ahead, BEGAN_AT + 60)
    ahead.poll(manual=False)
    assert ahead.events() == ["20 submitted"], "and the other is old news"
    assert began_at(ahead) == BEGAN_AT


def test_an_exam_that_opens_or_closes_is_announced_once_the_clock_was_put_right(ahead: Stage) -> None:
    listed = ahead.provider.exams_listed["1"]
    ahead.provider.exams_listed["1"] = replace(listed, available=False)
    ahead.provider.exams_listed["2"] = replace(listed, exam_id="2", created_at=LATER)
    ahead.provider.exams_listed["3"] = replace(listed, exam_id="3", created_at=EARLIER)
    ahead.provider.rows |= {"2": [], "3": []}
    set_clock(ahead, BEGAN_AT + 60)
    ahead.poll(manual=False)
    histories = ahead.histories.of_account("main")
    told = {exam_id: [each.event_type for each in history.transitions] for exam_id, history in histories.items()}
    assert told == {"1": ["exam.closed"], "2": ["exam.opened"], "3": []}


def test_what_no_hint_shows_is_found_once_the_clock_was_put_right(ahead: Stage) -> None:
    """The last full pass seems to lie two days ahead."""
    ahead.provider.change("1", row(1, score_points=Decimal(77)))
    set_clock(ahead, BEGAN_AT + 60)
    ahead.poll(manual=False)
    assert ahead.events() == ["1 rescored"]


def test_a_removal_that_was_noted_while_the_clock_was_ahead_is_announced_once_that_was_put_right(ahead: Stage) -> None:
    ahead.provider.add("1", row(2))
    ahead.poll(manual=False)
    ahead.provider.rows["1"] = [row(2)]
    ahead.provider.clock += 60
    ahead.poll(full=True)
    assert ahead.events() == ["2 submitted"]
    set_clock(ahead, BEGAN_AT + 180)
    ahead.poll(full=True)
    assert ahead.events() == ["1 removed", "2 submitted"]


def test_one_answer_by_a_clock_that_is_behind_makes_no_news_of_what_is_old() -> None:
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("1", row(1))
    stage.poll(manual=False)
    stage.provider.add("2", row(20, ended_at=EARLIER))
    set_clock(stage, BEGAN_AT + 60, ahead_s=-5 * 3600)
    stage.poll(manual=False)
    assert (stage.events(), began_at(stage)) == ([], BEGAN_AT)


def test_one_answer_by_a_clock_that_is_ahead_puts_off_nothing_for_long() -> None:
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("1", row(1))
    stage.poll(manual=False)
    set_clock(stage, BEGAN_AT + 60, ahead_s=5 * 3600)
    stage.poll(manual=False)
    stage.provider.change("1", row(1, score_points=Decimal(77)))
    set_clock(stage, BEGAN_AT + 120)
    stage.poll(manual=False)
    assert stage.events() == ["1 rescored"]


def test_a_watch_that_an_older_version_began_begins_with_the_first_right_clock() -> None:
    watch = AccountWatch("main", BEGAN_AT + DAY)
    assert put_right(watch, BEGAN_AT + 60, BEGAN_AT + 62).began_at == BEGAN_AT + 60


@pytest.mark.parametrize(
    ("listed_at", "now"),
    [(BEGAN_AT + 60, BEGAN_AT - 60), (BEGAN_AT - 60, BEGAN_AT + 60), (BEGAN_AT + DAY, BEGAN_AT + DAY)],
    ids=["ours is behind", "the provider's is behind", "all is well"],
)
def test_a_beginning_that_one_clock_has_passed_stays(listed_at: int, now: int) -> None:
    watch = AccountWatch("main", BEGAN_AT, began_here_at=BEGAN_AT)
    assert put_right(watch, listed_at, now) == watch
