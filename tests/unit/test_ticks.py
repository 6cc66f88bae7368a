"""The polls of one minute, and the messages that start them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.destinations.tick_queue import parse_expiry
from examhook.detection.intervals import MINUTE_S, SCHEDULE_LATE_S, longest_gap_s, ticks_of_minute


@pytest.mark.parametrize(
    ("poll_seconds", "delays_s"),
    [
        (60, [0]),
        (59, [0, 30]),
        (45, [0, 30]),
        (30, [0, 30]),
        (15, [0, 15, 30, 45]),
        (7, [0, 6, 13, 20, 26, 33, 40, 46, 53]),
        (5, [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]),
    ],
)
def test_the_ticks_of_a_minute_are_spaced_evenly(poll_seconds: int, delays_s: list[int]) -> None:
    assert [tick.delay_s for tick in ticks_of_minute(0, poll_seconds)] == delays_s


@given(began_at=st.integers(0, 2**33), poll_seconds=st.integers(5, MINUTE_S))
def test_each_tick_counts_until_the_next_and_the_last_until_the_next_minute(began_at: int, poll_seconds: int) -> None:
    ticks = ticks_of_minute(began_at, poll_seconds)
    assert len(ticks) == math.ceil(MINUTE_S / poll_seconds)
    due = [began_at + tick.delay_s for tick in ticks] + [began_at + MINUTE_S]
    assert due[0] == began_at
    assert [tick.expires_at for tick in ticks] == due[1:]
    assert all(0 < later - earlier <= poll_seconds for earlier, later in pairwise(due))


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", '{"trigger":"schedule"}', '{"expires_at":"1"}', '{"expires_at":null}']
)
def test_an_invalid_tick_is_rejected(body: str) -> None:
    with pytest.raises(ValueError, match="is not a tick"):
        parse_expiry(body)


@given(
    poll_seconds=st.integers(5, MINUTE_S),
    late_s=st.lists(st.integers(0, SCHEDULE_LATE_S), min_size=2, max_size=20),
)
def test_no_two_polls_are_further_apart_than_stated_however_late_the_schedule_is(
    poll_seconds: int, late_s: list[int]
) -> None:
    began = [nth * MINUTE_S + late for nth, late in enumerate(late_s)]
    polls = sorted(at + tick.delay_s for at in began for tick in ticks_of_minute(0, poll_seconds))
    gaps_s = [later - earlier for earlier, later in pairwise(polls) if earlier < began[-1]]
    assert max(gaps_s, default=0) <= longest_gap_s(poll_seconds)


@pytest.mark.parametrize(("poll_seconds", "gap_s"), [(5, 65), (15, 75), (45, 90), (60, 120), (300, 360)])
def test_the_longest_gap_is_reached(poll_seconds: int, gap_s: int) -> None:
    """One tick of the schedule is on time, and the next is as late as possible."""
    assert longest_gap_s(poll_seconds) == gap_s
