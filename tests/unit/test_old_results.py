"""Which results are old, with any clock wrong: no old result is announced, and no new result is silent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from examhook.detection.exam_state import ExamState
from examhook.detection.old_results import (
    CLOCKS_AGREE_S,
    SURELY_OLD_S,
    happened_at,
    old_before,
)
from tests.support.events.model_values import attempt, exam

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


def test_an_attempt_counts_by_its_end_or_by_its_start_while_it_runs() -> None:
    ended = attempt(started_at=10, ended_at=20)
    assert happened_at(ended) == 20
    assert happened_at(attempt(started_at=10, ended_at=None)) == 10
    assert happened_at(attempt(started_at=10, ended_at=20, status_code=0)) == 10


def test_in_exams_of_the_first_list_the_watch_start_divides_old_from_new_results() -> None:
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
def test_later_and_in_new_exams_no_clock_silences_results_of_the_day_before_the_watch(
    known: ExamState, newest_row_at: int, clock_offset_s: int | None, waited_s: int
) -> None:
    at = limit(known, now=BEGAN_AT + waited_s, newest_row_at=newest_row_at, clock_offset_s=clock_offset_s)
    assert at == BEGAN_AT - SURELY_OLD_S


OFFSETS = st.integers(-DAY, DAY)


@given(rows_s=OFFSETS, date_s=st.none() | OFFSETS, waited_s=st.integers(0, CLOCKS_AGREE_S), age_s=st.integers(1, 3600))
def test_at_the_first_poll_no_old_result_is_announced_whichever_clock_is_wrong(
    rows_s: int, date_s: int | None, waited_s: int, age_s: int
) -> None:
    """``rows_s``: how far the rows' clock is ahead of ours; the newest old result ended ``age_s`` ago.

    One clock may be wrong: the rows follow our clock or that of ``Date``.
    """
    now = BEGAN_AT + waited_s
    newest_row_at = BEGAN_AT + rows_s - age_s
    at = limit(state(), now=now, newest_row_at=newest_row_at, clock_offset_s=date_s)
    if newest_row_at > now + CLOCKS_AGREE_S and (date_s is None or rows_s == date_s):
        assert newest_row_at < at
    if rows_s == 0 and (date_s is None or date_s >= 0):
        assert newest_row_at < at == BEGAN_AT


@given(offset_s=OFFSETS, date_s=st.none() | OFFSETS, waited_s=st.integers(0, 7200), new_s=st.integers(0, 7200))
@example(offset_s=100, date_s=18_100, waited_s=1420, new_s=1357)
def test_after_the_first_poll_no_new_result_is_silent_whichever_clocks_are_wrong(
    offset_s: int, date_s: int | None, waited_s: int, new_s: int
) -> None:
    """A new result ended ``new_s`` after the watch began, by the rows' clock, which is ``offset_s`` ahead.

    All clocks may be wrong, but rows whose clock lags behind ours look like old rows.
    """
    assume(offset_s >= 0 and waited_s > CLOCKS_AGREE_S)
    ended_at = BEGAN_AT + offset_s + min(new_s, waited_s)
    at = limit(state(), now=BEGAN_AT + waited_s, newest_row_at=ended_at, clock_offset_s=date_s)
    assert at <= ended_at


@given(offset_s=OFFSETS, waited_s=st.integers(0, 7200), new_s=st.integers(0, 7200))
def test_with_a_provider_clock_that_is_off_no_new_result_is_silent(offset_s: int, waited_s: int, new_s: int) -> None:
    """The rows follow the provider's ``Date``, which is ``offset_s`` ahead of our clock."""
    ended_at = BEGAN_AT + offset_s + min(new_s, waited_s)
    date_s = offset_s if abs(offset_s) >= CLOCKS_AGREE_S else 0
    at = limit(state(), now=BEGAN_AT + waited_s, newest_row_at=ended_at, clock_offset_s=date_s)
    assert at <= ended_at + (CLOCKS_AGREE_S if date_s == 0 else 0)


@pytest.mark.parametrize(
    ("newest_row_s", "date_s", "old_before_s"),
    [
        (-500, 0, 0),
        (-500, None, 0),
        (-500, 7200, 0),
        (-500, -7200, 0),
        (-7500, -7200, -7200),
        (37, 18_100, 0),
        (7000, 7200, 7001),
        (7100, 7080, 7080),
        (7000, 0, 7001),
        (7000, None, 7001),
        (7000, -7200, 7001),
        (7000, 3600, 7001),
    ],
    ids=[
        "all agree",
        "no Date",
        "one server ahead, the rows by ours",
        "Date behind, refuted by rows in its future",
        "Date behind, and no row says otherwise",
        "Date hours ahead, the rows within a minute of ours",
        "Date ahead, and rows in our future",
        "Date ahead, and rows of the watch by it",
        "rows in the future of both clocks",
        "rows ahead without a Date",
        "rows ahead and Date behind",
        "rows further ahead than Date",
    ],
)
def test_at_the_first_poll_the_date_header_is_believed_if_the_rows_agree(
    newest_row_s: int, date_s: int | None, old_before_s: int
) -> None:
    at = limit(state(), newest_row_at=BEGAN_AT + newest_row_s, clock_offset_s=date_s)
    assert at == BEGAN_AT + old_before_s


@pytest.mark.parametrize(
    ("newest_row_s", "date_s", "old_before_s"),
    [(3600 + 5000, 7200, 5000), (3600 + 7200, 7200, 7200), (3600 + 7250, 7200, 7200), (3600 + 9000, 7200, 9000)],
    ids=["the rows show less than Date", "as much", "a minute more", "too much for Date"],
)
def test_after_the_first_poll_rows_in_the_future_give_a_lower_bound_for_their_clock(
    newest_row_s: int, date_s: int, old_before_s: int
) -> None:
    at = limit(state(), now=BEGAN_AT + 3600, newest_row_at=BEGAN_AT + newest_row_s, clock_offset_s=date_s)
    assert at == BEGAN_AT + old_before_s
