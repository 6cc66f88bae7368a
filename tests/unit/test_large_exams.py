"""Exams too large for one poll: read whole in several, whatever comes meanwhile, and nothing jumped over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_tables import MemoryExams, MemorySubmissions
from played_provider import BEGAN_AT, Stage, row

from examhook.detection.erased import hash_of
from examhook.detection.watch import ExamWatch, PassProgress, RowOrder
from examhook.storage.erasures import Erasures

REQUESTS = 8
"""What one poll has time for: two for the list, six pages of ten."""
KEY = b"k" * 32


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return large_exam(monkeypatch)


def large_exam(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """An exam of 190 ended attempts, of which a poll can read a third."""
    monkeypatch.setattr("examhook.workflows.poll.PAGE_LIMIT", 10)
    stage = Stage(MemorySubmissions(), MemoryExams())
    stage.provider.add("7", *(row(900 - number) for number in range(190)))
    stage.requests_until_time_is_up = REQUESTS
    return stage


def watch(stage: Stage) -> ExamWatch:
    return stage.exams.read("main").exams["7"]


def progress(stage: Stage) -> PassProgress:
    found = watch(stage).progress
    assert found is not None
    return found


def next_poll(stage: Stage, *new: int) -> None:
    """Poll after ``new`` attempts were listed, those of lower numbers having begun later."""
    stage.provider.clock += 60
    stage.provider.add("7", *(row(number, ended_at=stage.provider.clock) for number in new))
    stage.poll(manual=False)


def asked(stage: Stage) -> int:
    return sum(bool(what) for what in stage.provider.asked)


@pytest.mark.parametrize(
    ("oldest_first", "order"), [(False, RowOrder.NEWEST), (True, RowOrder.OLDEST)], ids=["newest first", "oldest first"]
)
def test_an_exam_too_large_for_one_poll_is_read_whole_while_attempts_come(
    stage: Stage,
    oldest_first: bool,  # noqa: FBT001
    order: RowOrder,
) -> None:
    """Those that come between two of its polls are announced, and the order is known in the end."""
    stage.provider.oldest_first = oldest_first
    new = [50, 49, 48, 47]
    stage.poll(manual=False)
    for number in new:
        assert not watch(stage).is_known
        next_poll(stage, number)
        if watch(stage).is_known:
            break
    assert watch(stage).is_known, "read whole, in as many polls as a third of it takes each"
    assert sorted(stage.events()) == sorted(f"{number} submitted" for number in new[: new.index(number) + 1])
    assert (watch(stage).rows, watch(stage).order) == (190 + new.index(number) + 1, order)
    next_poll(stage, 40)
    assert "40 submitted" in stage.events()
    assert asked(stage) == 1, "its edge only"


def test_what_came_between_two_polls_is_looked_for_by_the_one_that_ends_the_pass(stage: Stage) -> None:
    """Nothing came since that one's predecessor, so nothing but what that left on record calls for the head."""
    stage.poll(manual=False)
    next_poll(stage, 50, 49)
    assert progress(stage).inserted == 2
    while not watch(stage).is_known:
        next_poll(stage)
    assert sorted(stage.events()) == ["49 submitted", "50 submitted"]
    assert watch(stage).rows == 192


def test_more_attempts_than_a_page_holds_may_come_between_two_polls(stage: Stage) -> None:
    stage.poll(manual=False)
    stage.requests_until_time_is_up = None
    # They push the row at which it goes on down a page, where it is not looked for: it begins anew.
    next_poll(stage, *range(50, 70))
    assert len(stage.events()) == 20
    assert (watch(stage).is_known, watch(stage).rows, watch(stage).order) == (True, 210, RowOrder.NEWEST)


def test_a_page_and_more_that_came_bit_by_bit_are_all_found_at_the_head(stage: Stage) -> None:
    stage.poll(manual=False)
    next_poll(stage, *range(56, 62))
    next_poll(stage, *range(46, 52))
    next_poll(stage, *range(36, 42))
    while not watch(stage).is_known:
        next_poll(stage)
    assert len(stage.events()) == 18
    assert watch(stage).rows == 208


def test_a_pass_that_ends_at_the_head_goes_on_there(stage: Stage) -> None:
    """There was time for its last page, and not for the head: no row of that page counts twice."""
    stage.poll(manual=False)
    next_poll(stage, 50)
    stage.requests_until_time_is_up = 2 + 1
    while progress(stage).start < 190:
        next_poll(stage)
    assert (progress(stage).rows, progress(stage).inserted) == (190, 1)
    stage.requests_until_time_is_up = None
    next_poll(stage)
    assert (watch(stage).is_known, watch(stage).rows, stage.events()) == (True, 191, ["50 submitted"])


@pytest.mark.parametrize("erased", [719, 899], ids=["in an earlier poll", "in the last"])
def test_a_candidate_who_was_erased_and_is_still_shown_keeps_no_exam_from_being_known(
    stage: Stage, erased: int
) -> None:
    stage.exams.store.erasures = Erasures(KEY, {hash_of(str(erased), KEY): BEGAN_AT})
    for _ in range(4):
        next_poll(stage)
    assert watch(stage).is_known
    assert watch(stage).rows == 190
    assert len(stage.stored()) == 189


def test_rows_that_moved_unseen_between_two_polls_are_not_jumped_over_for_an_erased_one(stage: Stage) -> None:
    """The rows turned round, and the row at which the pass goes on stands where it stood."""
    stage.provider.rows["7"] = [row(900 - number) for number in range(109)]
    stage.exams.store.erasures = Erasures(KEY, {hash_of("795", KEY): BEGAN_AT})
    stage.poll(manual=False)
    assert progress(stage).start == 109 // 2
    stage.provider.oldest_first = True
    stage.requests_until_time_is_up = None
    next_poll(stage)
    assert not watch(stage).is_known
    assert watch(stage).failed_at is not None
    stage.provider.clock += 300
    next_poll(stage)
    assert watch(stage).is_known
    assert len(stage.stored()) == 108


def test_a_row_inserted_in_the_middle_of_what_was_read_is_missed_by_no_pass_that_counts_as_complete(
    stage: Stage,
) -> None:
    stage.poll(manual=False)
    late = replace(row(731), candidate_id="1", ended_at=BEGAN_AT + 5)
    stage.provider.rows["7"].append(late)
    while watch(stage).failed_at is None:
        assert not watch(stage).is_known
        next_poll(stage)
    assert not watch(stage).is_known


def test_a_pass_that_begins_anew_after_it_went_on_counts_no_row_twice(stage: Stage) -> None:
    """A row that was read is gone, so the one at which it goes on stands one place higher."""
    stage.poll(manual=False)
    stage.provider.rows["7"] = [each for each in stage.provider.rows["7"] if each.candidate_id != "715"]
    next_poll(stage)
    assert progress(stage).rows < 60
    for _ in range(4):
        next_poll(stage)
    assert (watch(stage).is_known, watch(stage).failed_at, watch(stage).rows) == (True, None, 189)


def test_a_running_attempt_that_an_earlier_poll_of_the_pass_met_is_followed_at_the_edge(stage: Stage) -> None:
    stage.provider.add("7", row(60, status_code=0))
    stage.poll(manual=False)
    next_poll(stage, 50)
    next_poll(stage, 49)
    next_poll(stage, 48)
    known = watch(stage)
    assert known.is_known
    assert (known.open_attempts, known.open_depth) == ((row(60).key,), 4)
    stage.provider.change("7", row(60, ended_at=stage.provider.clock + 50))
    next_poll(stage)
    assert "60 submitted" in stage.events()
    assert asked(stage) == 1


def test_the_end_of_an_attempt_that_ran_when_an_earlier_poll_met_it_is_found_at_the_head(stage: Stage) -> None:
    stage.provider.add("7", row(60, status_code=0))
    stage.poll(manual=False)
    stage.provider.change("7", row(60, ended_at=BEGAN_AT + 30))
    next_poll(stage, 50)
    while not watch(stage).is_known:
        next_poll(stage)
    assert watch(stage).open_count == 0
    assert sorted(stage.events()) == ["50 submitted", "60 submitted"]


@given(
    coming=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    pages=st.integers(5, 8),
    oldest_first=st.booleans(),
    erased=st.sets(st.integers(711, 900), max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_a_large_exam_is_known_in_the_end_and_all_of_it_stored(
    coming: list[int],
    pages: int,
    oldest_first: bool,  # noqa: FBT001
    erased: set[int],
) -> None:
    """However many attempts come between its polls, and wherever erased candidates stand."""
    with pytest.MonkeyPatch.context() as patch:
        stage = large_exam(patch)
        stage.provider.oldest_first = oldest_first
        stage.exams.store.erasures = Erasures(KEY, {hash_of(str(number), KEY): BEGAN_AT for number in erased})
        stage.requests_until_time_is_up = 2 + pages
        numbers = iter(range(700, 0, -1))
        new: list[int] = []
        stage.poll(manual=False)
        polls = 0
        while not watch(stage).is_known:
            come = [next(numbers) for _ in range(coming[polls % len(coming)])]
            new += come
            polls += 1
            assert polls < 60
            next_poll(stage, *come)
    assert sorted(stage.events()) == sorted(f"{number} submitted" for number in new)
    assert len(stage.stored()) == 190 - len(erased) + len(new)
