"""The rate limit holds at the provider, whenever a request arrives there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.provider.pacing import Pacer


class Clock:
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.at += seconds


def most_within(times: list[float], seconds: float) -> int:
    """Return the largest number of ``times`` in any window of ``seconds``, excluding its end and float noise."""
    return max(sum(start <= at < start + seconds - 1e-6 for at in times) for start in times)


def test_requests_are_spaced_evenly_from_the_first() -> None:
    clock = Clock()
    pacer = Pacer(5, clock.now, clock.sleep)
    starts = []
    for _ in range(4):
        pacer.wait()
        starts.append(clock.at)
        pacer.finished()
    assert starts == pytest.approx([1000, 1000.2, 1000.4, 1000.6])


@given(
    requests_per_second=st.floats(0.1, 10),
    requests=st.lists(st.tuples(st.floats(0, 2), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40),
)
def test_arrivals_never_exceed_the_rate(requests_per_second: float, requests: list[tuple[float, float, float]]) -> None:
    """Each request takes any time, arrives at any point within it, and is followed by any idle time."""
    clock = Clock()
    pacer = Pacer(requests_per_second, clock.now, clock.sleep)
    arrivals = []
    for takes_s, arrives_at, idle_s in requests:
        pacer.wait()
        arrivals.append(clock.at + takes_s * arrives_at)
        clock.at += takes_s
        pacer.finished()
        clock.at += idle_s
    window = max(1, int(requests_per_second))
    assert most_within(arrivals, window / requests_per_second) <= window


def test_a_sleep_that_ends_early_is_continued() -> None:
    clock = Clock()
    pacer = Pacer(1, clock.now, lambda seconds: clock.sleep(seconds if seconds < 0.1 else seconds / 2))
    pacer.wait()
    pacer.wait()
    assert clock.at >= 1001
