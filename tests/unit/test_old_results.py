"""Which results are old, whatever clock is wrong: neither may an old result be announced nor a new one be silent."""

from __future__ import annotations

from typing import Any

import pytest
from builders import attempt, exam
from hypothesis import assume, given
from hypothesis import strategies as st

from examhook.detection.exam_state import ExamState
from examhook.detection.old_results import (
    CLOCKS_AGREE_S,
    SURELY_OLD_S,
    happened_at,
    old_before,
    row_clock_offset_s,
)

BEGAN_AT = 1_700_000_000
DAY = 86_400


def state(**facts: Any) -> ExamState:
    return ExamState("main", exam(), **{"predates_watch": True, **facts})


def limit(
    known: ExamState,
    *,
    now: int = BEGAN_AT,
    newest_row_at: int = BEGAN_AT - 50,
    clock_offset_s: int | None = 0,
) -> int:
    return old_before(
        known, watch_started_at=BEGAN_AT, now=now, newest_row_at=newest_row_at, clock_offset_s=clock_offset_s
    )


def test_an_attempt_happens_when_it_ends_and_while_it_runs_when_it_began() -> None:
    ended = attempt(started_at=10, ended_at=20)
    assert happened_at(ended) == 20
    assert happened_at(attempt(started_at=10, ended_at=None)) == 10
    assert happened_at(attempt(started_at=10, ended_at=20, status_code=0)) == 10


def test_at_the_first_scan_of_an_exam_of_the_first_list_the_watch_start_tells_old_from_new() -> None:
    assert limit(state()) == BEGAN_AT
    assert limit(state(), now=BEGAN_AT + 7200) == BEGAN_AT, "a first scan may take hours"


@pytest.mark.parametrize(
    "known", [state(predates_watch=False), state(scanned_at=BEGAN_AT), state(scanned_at=BEGAN_AT + DAY)]
)
@given(
    newest_row_at=st.integers(BEGAN_AT - 2 * DAY, BEGAN_AT + 30 * DAY),
    clock_offset_s=st.none() | st.integers(-DAY, DAY),
    waited_s=st.integers(0, 30 * DAY),
)
def test_afterwards_and_in_new_exams_no_clock_silences_what_ended_within_a_day_before_the_watch(
    known: ExamState, newest_row_at: int, clock_offset_s: int | None, waited_s: int
) -> None:
    at = limit(known, now=BEGAN_AT + waited_s, newest_row_at=newest_row_at, clock_offset_s=clock_offset_s)
    assert at == BEGAN_AT - SURELY_OLD_S


OFFSETS = st.integers(-DAY, DAY)


@given(rows_s=OFFSETS, date_s=st.none() | OFFSETS, waited_s=st.integers(0, CLOCKS_AGREE_S), age_s=st.integers(1, 3600))
def test_at_the_first_poll_no_old_result_is_announced_whichever_clock_is_wrong(
    rows_s: int, date_s: int | None, waited_s: int, age_s: int
) -> None:
    """``rows_s``: how far the clock of the rows is ahead of ours; the newest old result ended ``age_s`` ago.

    One clock may be wrong: the rows follow ours or that of ``Date``.
    """
    now = BEGAN_AT + waited_s
    newest_row_at = BEGAN_AT + rows_s - age_s
    follows_date = date_s is not None and rows_s == date_s
    at = limit(state(), now=now, newest_row_at=newest_row_at, clock_offset_s=date_s)
    if rows_s >= 0 and newest_row_at > now + CLOCKS_AGREE_S:
        assert newest_row_at < at or follows_date
    if rows_s == 0 and (date_s is None or date_s >= 0):
        assert newest_row_at < at == BEGAN_AT


@given(offset_s=st.integers(-DAY, DAY), waited_s=st.integers(0, 3600), new_s=st.integers(0, 3600))
def test_with_a_clock_that_is_off_and_says_so_old_and_new_are_told_apart(
    offset_s: int, waited_s: int, new_s: int
) -> None:
    """The rows follow the provider's ``Date``: what ended after the watch began is new by its own clock."""
    new_s = min(new_s, waited_s)
    newest_row_at = BEGAN_AT + offset_s + new_s
    # Rows that could have ended by our clock as well do not show which clock they follow.
    assume(offset_s <= 0 or newest_row_at > BEGAN_AT + waited_s + CLOCKS_AGREE_S)
    date_s = offset_s if abs(offset_s) >= CLOCKS_AGREE_S else 0
    at = limit(state(), now=BEGAN_AT + waited_s, newest_row_at=newest_row_at, clock_offset_s=date_s)
    assert at == BEGAN_AT + date_s


@pytest.mark.parametrize(
    ("newest_row_s", "date_s", "offset_s"),
    [
        (-500, 0, 0),
        (-500, None, 0),
        (-500, 7200, 0),
        (-500, -7200, 0),
        (-7500, -7200, -7200),
        (7000, 7200, 7200),
        (7000, 0, None),
        (7000, None, None),
        (7000, -7200, None),
        (7000, 3600, None),
    ],
    ids=[
        "all agree",
        "no Date",
        "one server ahead, the rows by ours",
        "Date behind, refuted by rows in its future",
        "Date behind, and no row says otherwise",
        "Date ahead, and rows in our future",
        "rows in the future of both clocks",
        "rows ahead without a Date",
        "rows ahead and Date behind",
        "rows further ahead than Date",
    ],
)
def test_the_date_header_is_believed_where_the_rows_agree_with_it(
    newest_row_s: int, date_s: int | None, offset_s: int | None
) -> None:
    found = row_clock_offset_s(now=BEGAN_AT, newest_row_at=BEGAN_AT + newest_row_s, clock_offset_s=date_s)
    assert found == offset_s
