"""The provider's clock answers one question: how far it is ahead of ours, within believable bounds."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.provider.headers import MAX_CLOCK_OFFSET_S, NEGLIGIBLE_OFFSET_S, clock_offset_s

NOW = 1_800_000_000.0


def offset_of(ahead_s: float) -> int | None:
    return clock_offset_s({"Date": formatdate(NOW + ahead_s, usegmt=True)}, NOW)


@given(st.integers(-NEGLIGIBLE_OFFSET_S + 1, NEGLIGIBLE_OFFSET_S - 1))
def test_clocks_that_agree_to_the_minute_have_no_offset(ahead_s: int) -> None:
    assert offset_of(ahead_s) == 0


@given(st.integers(NEGLIGIBLE_OFFSET_S, MAX_CLOCK_OFFSET_S), st.sampled_from([1, -1]))
def test_a_believable_offset_is_what_it_is(ahead_s: int, sign: int) -> None:
    assert offset_of(sign * ahead_s) == sign * ahead_s


@given(st.integers(MAX_CLOCK_OFFSET_S + 1, int(NOW)), st.sampled_from([1, -1]))
def test_an_unbelievable_offset_is_none(ahead_s: int, sign: int) -> None:
    assert offset_of(sign * ahead_s) is None


@pytest.mark.parametrize(
    "date", [None, "", "yesterday", "0", "1800000000", "Sun, 32 May 2026 13:32:00 GMT", "x" * 5000, "Thu, 01 Jan 1970"]
)
def test_a_date_that_cannot_be_read_has_no_offset(date: str | None) -> None:
    assert clock_offset_s({} if date is None else {"Date": date}, NOW) is None
