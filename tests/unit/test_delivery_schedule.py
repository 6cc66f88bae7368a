"""The schedule of attempts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.delivery.schedule import CLAIM_TIMEOUT_S, DELAYS_S, MAX_ATTEMPTS, delay_before_s


def test_there_are_ten_attempts_in_about_three_days() -> None:
    assert MAX_ATTEMPTS == 10
    assert 3 <= sum(DELAYS_S) / 86_400 < 3.5


@given(attempt=st.integers(1, MAX_ATTEMPTS), rng=st.randoms())
def test_a_delay_is_within_a_tenth_of_the_planned_delay(attempt: int, rng: random.Random) -> None:
    delay_s = delay_before_s(attempt, rng)
    assert delay_s is not None
    assert 0.9 * DELAYS_S[attempt - 1] <= delay_s <= 1.1 * DELAYS_S[attempt - 1]


def test_delays_differ_so_that_simultaneous_failures_are_not_retried_simultaneously() -> None:
    rng = random.Random(1)
    assert len({delay_before_s(4, rng) for _ in range(50)}) > 20


@pytest.mark.parametrize("attempt", [MAX_ATTEMPTS + 1, MAX_ATTEMPTS + 5])
def test_no_delay_follows_the_last_attempt(attempt: int) -> None:
    assert delay_before_s(attempt, random.Random(0)) is None


def test_a_claim_outlasts_the_longest_attempt() -> None:
    """ATTEMPT_DEADLINE_SECONDS is at most 30; a claim that expired earlier would allow a second attempt."""
    assert CLAIM_TIMEOUT_S > 2 * 30
