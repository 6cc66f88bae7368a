"""Exams too large for one poll: scanned in several, with nothing skipped or announced twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examhook.detection.erased import hash_of
from examhook.detection.exam_state import RowOrder, ScanCursor
from examhook.storage.exams import ErasureMarks
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, asked, row, state

REQUESTS = 9
"""What one poll has time for: up to three for the list, and six pages of ten."""
KEY = b"k" * 32


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> MemoryStage:
    return large_exam(monkeypatch)


def large_exam(monkeypatch: pytest.MonkeyPatch) -> MemoryStage:
    """An exam of 190 ended attempts, of which a poll can read a third."""
    monkeypatch.setattr("examhook.workflows.polling.full_scan.limits_at", lambda _now: (10, 9, 11, 8, 7))
    stage = MemoryStage()
    stage.provider.add("7", *(row(900 - number) for number in range(190)))
    stage.requests_until_time_is_up = REQUESTS
    return stage


def cursor(stage: MemoryStage) -> ScanCursor:
    found = state(stage).cursor
    assert found is not None
    return found


def next_poll(stage: MemoryStage, *new: int) -> None:
    """Poll after ``new`` attempts were listed, those of lower numbers having begun later."""
    stage.provider.clock += 60
    stage.provider.add("7", *(row(number, ended_at=stage.provider.clock) for number in new))
    stage.poll(manual=False)


def until_scanned(stage: MemoryStage, *new: int) -> None:
    """Poll until the exam was scanned completely, with one of ``new`` listed before each poll."""
    numbers: Iterator[int] = iter(new)
    for _ in range(60):
        if state(stage).scanned_at is not None:
            break
        next_poll(stage, *([number] if (number := next(numbers, None)) is not None else []))
    assert state(stage).scanned_at is not None


@pytest.mark.parametrize(
    ("oldest_first", "order"), [(False, RowOrder.NEWEST), (True, RowOrder.OLDEST)], ids=["newest first", "oldest first"]
)
def test_an_exam_too_large_for_one_poll_is_scanned_while_attempts_come(
    stage: MemoryStage,
    oldest_first: bool,  # noqa: FBT001
    order: RowOrder,
) -> None:
    """What comes between two of its polls is announced soon, and the order is known in the end."""
    stage.provider.oldest_first = oldest_first
    stage.poll(manual=False)
    until_scanned(stage, 50, 49, 48, 47)
    stage.requests_until_time_is_up = None
    for _ in range(6):
        next_poll(stage)
    listed = len(stage.provider.rows["7"]) - 190
    assert len(stage.events()) == listed >= 2
    assert state(stage).row_order is order
    next_poll(stage, 40)
    assert "40 submitted" in stage.events()
    assert asked(stage) <= 2, "the new rows only"


def test_more_attempts_than_a_page_holds_may_come_between_two_polls(stage: MemoryStage) -> None:
    stage.poll(manual=False)
    stage.requests_until_time_is_up = None
    # They move the row at which the scan continues further than it looks for the row.
    next_poll(stage, *range(50, 70))
    until_scanned(stage)
    for _ in range(6):
        next_poll(stage)
    assert len(stage.events()) == 20
    assert state(stage).row_order is RowOrder.NEWEST


def test_what_came_bit_by_bit_is_announced(stage: MemoryStage) -> None:
    stage.poll(manual=False)
    next_poll(stage, *range(56, 62))
    next_poll(stage, *range(46, 52))
    next_poll(stage, *range(36, 42))
    until_scanned(stage)
    stage.requests_until_time_is_up = None
    for _ in range(6):
        next_poll(stage)
    assert len(stage.events()) == 18


@pytest.mark.parametrize("erased", [719, 899], ids=["in an earlier poll", "in the last"])
def test_an_erased_candidate_who_is_still_shown_keeps_no_exam_incomplete(stage: MemoryStage, erased: int) -> None:
    stage.exams.store.erasures = ErasureMarks(KEY, {hash_of(str(erased), KEY): BEGAN_AT})
    stage.poll(manual=False)
    until_scanned(stage)
    assert len(stage.stored()) == 189
    assert stage.events() == []


def test_rows_that_were_reversed_between_two_polls_are_not_skipped(stage: MemoryStage) -> None:
    """The row at which the scan continues stands where it stood."""
    stage.provider.rows["7"] = [row(900 - number) for number in range(127)]
    stage.provider.exams_listed["7"] = replace(stage.provider.exams_listed["7"], attempt_count=127)
    stage.poll(manual=False)
    assert cursor(stage).start == 127 // 2
    stage.provider.oldest_first = True
    stage.requests_until_time_is_up = None
    until_scanned(stage)
    assert len(stage.stored()) == 127


def test_rows_that_are_removed_while_a_scan_is_interrupted_hide_no_other(stage: MemoryStage) -> None:
    """The row at which it continues stands one place higher."""
    stage.poll(manual=False)
    stage.provider.rows["7"] = [each for each in stage.provider.rows["7"] if each.candidate_id != "715"]
    until_scanned(stage)
    shown = {each.key for each in stage.provider.rows["7"]}
    assert shown <= {each.key for each in stage.stored()}


def test_a_running_attempt_that_an_earlier_poll_of_the_scan_met_is_followed(stage: MemoryStage) -> None:
    stage.provider.add("7", row(60, status_code=0))
    stage.poll(manual=False)
    until_scanned(stage, 50, 49, 48)
    assert (state(stage).running, state(stage).running_count) == ((row(60).key,), 1)
    stage.provider.change("7", row(60, ended_at=stage.provider.clock + 50))
    stage.requests_until_time_is_up = None
    next_poll(stage)
    assert "60 submitted" in stage.events()


def test_the_end_of_an_attempt_that_ran_when_an_earlier_poll_met_it_is_found(stage: MemoryStage) -> None:
    stage.provider.add("7", row(60, status_code=0))
    stage.poll(manual=False)
    stage.provider.change("7", row(60, ended_at=BEGAN_AT + 30))
    until_scanned(stage, 50)
    next_poll(stage)
    assert state(stage).running_count == 0
    assert sorted(stage.events()) == ["50 submitted", "60 submitted"]


@given(
    coming=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    pages=st.integers(5, 8),
    oldest_first=st.booleans(),
    erased=st.sets(st.integers(711, 900), max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_a_large_exam_is_scanned_in_the_end_and_all_of_it_stored(
    coming: list[int],
    pages: int,
    oldest_first: bool,  # noqa: FBT001
    erased: set[int],
) -> None:
    """However many attempts come between its polls, and wherever erased candidates stand."""
    with pytest.MonkeyPatch.context() as patch:
        stage = large_exam(patch)
        stage.provider.oldest_first = oldest_first
        stage.exams.store.erasures = ErasureMarks(KEY, {hash_of(str(number), KEY): BEGAN_AT for number in erased})
        stage.requests_until_time_is_up = 3 + pages
        numbers = iter(range(700, 0, -1))
        new: list[int] = []
        stage.poll(manual=False)
        polls = 0
        while state(stage).scanned_at is None:
            come = [next(numbers) for _ in range(coming[polls % len(coming)])]
            new += come
            polls += 1
            assert polls < 60
            next_poll(stage, *come)
        stage.requests_until_time_is_up = None
        for _ in range(6):
            next_poll(stage)
    assert sorted(stage.events()) == sorted(f"{number} submitted" for number in new)
    assert len(stage.stored()) == 190 - len(erased) + len(new)
