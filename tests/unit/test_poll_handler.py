"""The rhythm of polls within one tick of the schedule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.handlers.poll import TICK_SECONDS, next_poll_in_s


@pytest.mark.parametrize(
    ("elapsed_s", "every_s", "wanted"),
    [
        (1, 60, None),
        (1, 10, 9),
        (3.5, 5, 1.5),
        (12, 10, 8),
        (51, 10, None),
        (61, 10, None),
        (46, 45, None),
        (2, 45, 43),
    ],
)
def test_polls_keep_to_their_beats_and_leave_the_next_tick_alone(
    elapsed_s: float, every_s: int, wanted: float | None
) -> None:
    assert next_poll_in_s(elapsed_s, every_s) == (None if wanted is None else pytest.approx(wanted))


@given(every_s=st.integers(5, 60), poll_s=st.floats(0.1, 4.9))
def test_a_tick_holds_as_many_polls_as_fit_and_none_begins_in_the_next_tick(every_s: int, poll_s: float) -> None:
    begins = [0.0]
    while (wait_s := next_poll_in_s(begins[-1] + poll_s, every_s)) is not None:
        begins.append(begins[-1] + poll_s + wait_s)
    assert begins == pytest.approx(list(range(0, TICK_SECONDS, every_s)))
