"""How fast attempts at one endpoint may follow each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.pace import (
    AHEAD_S,
    MAX_RATE,
    MIN_RATE,
    SLOWED_BURST,
    SLOWED_PER_SECOND,
    BadRateError,
    Pace,
    check_rate,
    pace_of,
    slows_down,
)

NOW = 1_777_818_720


def test_nothing_holds_back_an_endpoint_without_a_rate_that_is_not_slowed_down() -> None:
    assert pace_of(None, None, NOW) is None
    assert pace_of(None, NOW, NOW) is None


def test_slowed_down_is_the_slower_of_both() -> None:
    assert pace_of(None, NOW + 1, NOW) == Pace(SLOWED_PER_SECOND, SLOWED_BURST)
    assert pace_of(20.0, NOW + 1, NOW) == Pace(SLOWED_PER_SECOND)
    assert pace_of(0.5, NOW + 1, NOW) == Pace(0.5)
    assert pace_of(20.0, None, NOW) == Pace(20.0)


@given(rate=st.floats(MIN_RATE, MAX_RATE), count=st.integers(2, 200), burst=st.integers(1, 5))
def test_places_keep_to_the_rate_after_the_burst(rate: float, count: int, burst: int) -> None:
    pace = Pace(rate, burst)
    places = [pace.place(NOW + nth * pace.step_s, NOW) for nth in range(count)]
    assert places[:burst] == pytest.approx([NOW] * min(burst, count))
    assert places[-1] - NOW == pytest.approx(max(0, count - burst) / rate, abs=1e-3)
    assert places == sorted(places)


@given(rate=st.floats(MIN_RATE, MAX_RATE))
def test_a_minutes_worth_is_what_finds_a_place_within_it(rate: float) -> None:
    assert 1 <= Pace(rate).per_minute <= AHEAD_S * rate + 1


@pytest.mark.parametrize("rate", [0, -1, 0.05, 100.1, float("nan"), float("inf")])
def test_a_rate_out_of_bounds_is_refused_and_told_the_bounds(rate: float) -> None:
    with pytest.raises(BadRateError, match=r"0\.1 to 100"):
        check_rate(rate)


def test_only_answers_of_a_receiver_that_has_too_much_to_do_slow_it_down() -> None:
    assert [status for status in range(100, 600) if slows_down(status)] == [429, 502, 503, 504]
    assert not slows_down(None)
