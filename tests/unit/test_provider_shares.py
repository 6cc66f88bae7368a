"""Polls and renewals of links together never ask more often than one of them alone might."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.provider.pacing import Pacer
from examhook.provider.shares import LINKS_PER_SECOND, polls_share, renews_links


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    at: float = 1000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def arrivals(rate: float, requests: list[tuple[float, float, float]]) -> list[float]:
    """When requests arrive that take, arrive within, and are followed by idling of, any time."""
    clock = Clock()
    pacer = Pacer(rate, clock.now, clock.sleep)
    found = []
    for takes_s, arrives_at, idle_s in requests:
        pacer.wait()
        found.append(clock.at + takes_s * arrives_at)
        clock.at += takes_s
        pacer.finished()
        clock.at += idle_s
    return found


_requests = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


@given(rate=st.integers(2, 10), of_polls=_requests, of_links=_requests, offset_s=st.floats(0, 2))
def test_within_any_second_the_two_make_no_more_requests_than_are_allowed(
    rate: int,
    of_polls: list[tuple[float, float, float]],
    of_links: list[tuple[float, float, float]],
    offset_s: float,
) -> None:
    links = [at + offset_s for at in arrivals(LINKS_PER_SECOND, of_links)]
    times = arrivals(polls_share(rate), of_polls) + links
    assert max(sum(start <= at < start + 1 - 1e-6 for at in times) for start in times) <= rate


@pytest.mark.parametrize("rate", [0.1, 1, 1.9])
def test_where_little_is_allowed_polls_have_it_all(rate: float) -> None:
    assert not renews_links(rate)
    assert polls_share(rate) == rate


@pytest.mark.parametrize("rate", [2, 2.5, 5, 10])
def test_from_two_on_one_is_for_links(rate: float) -> None:
    assert renews_links(rate)
    assert polls_share(rate) + LINKS_PER_SECOND == rate
