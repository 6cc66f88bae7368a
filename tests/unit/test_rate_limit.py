"""How fast attempts to one endpoint may follow each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.rate_limit import (
    MAX_PER_SECOND,
    MAX_POSTPONE_S,
    MIN_PER_SECOND,
    SLOWDOWN_BURST,
    SLOWDOWN_PER_SECOND,
    BadRateError,
    RateLimit,
    check_rate,
    effective_rate_limit,
    is_overloaded,
)

NOW = 1_777_818_720


def test_an_endpoint_without_a_rate_has_no_limit_unless_slowed_down() -> None:
    assert effective_rate_limit(None, None, NOW) is None
    assert effective_rate_limit(None, NOW, NOW) is None


def test_a_slowed_down_endpoint_has_the_lower_of_both_rates() -> None:
    assert effective_rate_limit(None, NOW + 1, NOW) == RateLimit(SLOWDOWN_PER_SECOND, SLOWDOWN_BURST)
    assert effective_rate_limit(20.0, NOW + 1, NOW) == RateLimit(SLOWDOWN_PER_SECOND)
    assert effective_rate_limit(0.5, NOW + 1, NOW) == RateLimit(0.5)
    assert effective_rate_limit(20.0, None, NOW) == RateLimit(20.0)


@given(rate=st.floats(MIN_PER_SECOND, MAX_PER_SECOND), count=st.integers(2, 200), burst=st.integers(1, 5))
def test_rate_slots_keep_the_rate_after_the_burst(rate: float, count: int, burst: int) -> None:
    pace = RateLimit(rate, burst)
    places = [pace.slot_at(NOW + nth * pace.interval_s, NOW) for nth in range(count)]
    assert places[:burst] == pytest.approx([NOW] * min(burst, count))
    assert places[-1] - NOW == pytest.approx(max(0, count - burst) / rate, abs=1e-3)
    assert places == sorted(places)


@given(rate=st.floats(MIN_PER_SECOND, MAX_PER_SECOND))
def test_a_minutes_share_is_the_number_of_slots_within_it(rate: float) -> None:
    assert 1 <= RateLimit(rate).per_minute <= MAX_POSTPONE_S * rate + 1


@pytest.mark.parametrize("rate", [0, -1, 0.05, 100.1, float("nan"), float("inf")])
def test_a_rate_out_of_range_is_rejected_with_the_range(rate: float) -> None:
    with pytest.raises(BadRateError, match=r"0\.1 to 100"):
        check_rate(rate)


def test_only_answers_of_an_overloaded_receiver_slow_it_down() -> None:
    assert [status for status in range(100, 600) if is_overloaded(status)] == [429, 502, 503, 504]
    assert not is_overloaded(None)
