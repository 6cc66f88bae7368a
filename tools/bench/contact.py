"""A first contact that takes several polls, while candidates start and submit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from examhook.detection.intervals import RETRY_S
from examhook_simulator.facts import AttemptRef
from tools.bench.cloud import Cloud
from tools.bench.product import Polled, Product
from tools.bench.provider import Provider, pages_of, started, submitted
from tools.bench.steady import TICK_S
from tools.bench.units import Event

_GLANCE_S = 0.01


@dataclass(frozen=True, slots=True)
class Contact:
    """What a first contact over several polls asked and announced."""

    polls: int
    requests: int
    rows: int
    """Attempts that had ended before it began, which are old results."""
    ended: int
    """Attempts that ended during it."""
    expected: int
    """Events that must come: those ends, and the starts of attempts that still run."""
    announced: int
    """Of those, how many came."""
    seen_running: int
    """Further announced starts, of attempts that a poll saw before they ended."""
    invented: int
    """Events of what did not happen, of old results, and repeated ones."""
    wall_s: float

    @property
    def lost(self) -> int:
        """Events that must come and did not."""
        return self.expected - self.announced


@dataclass(slots=True)
class _Crowd:
    """Candidates of some exams: each time, those who are there submit, and others start."""

    provider: Provider
    exam_ids: Sequence[str]
    running: list[AttemptRef]
    began: list[AttemptRef] = field(default_factory=list)
    ended: list[AttemptRef] = field(default_factory=list)

    def change(self) -> None:
        leaving, self.running = self.running, self.provider.start_in(self.exam_ids)
        self.began += self.running
        self.provider.submit_all(leaving)
        self.ended += leaving


def contact(  # noqa: PLR0913, PLR0917 - whose, how large, how slowly
    cloud: Cloud, provider: Provider, account: str, rows: int, busy: Sequence[str], requests_in_time: int
) -> Contact:
    """Read an account for the first time while candidates start and submit before, during and after each poll.

    A poll has time for ``requests_in_time`` requests. ``rows`` is how many attempts each exam has. Some polls follow
    in which nothing happens.
    """
    crowd = _Crowd(provider, busy, provider.start_in(busy))
    provider.control.advance(TICK_S)
    polls: list[Polled] = []
    pages = len(provider.exam_ids) * pages_of(rows)
    with Product(cloud, provider, account) as product:
        while not polls or not polls[-1].complete:
            asked = provider.results_asked()
            product.begin_poll(requests_in_time=requests_in_time)
            # In its middle; the last one may be short, so things change at its first page of results.
            middle = requests_in_time // 2 if pages - asked > requests_in_time else 1
            while provider.results_asked() - asked < middle:
                time.sleep(_GLANCE_S)
            crowd.change()
            polls.append(Polled.of(product.answer()))
            provider.control.advance(TICK_S)
            crowd.change()
        in_contact = len(polls)
        # An exam whose rows moved between two polls that read it is read again after a pause.
        for _ in range(RETRY_S // TICK_S + 1):
            product.begin_poll()
            polls.append(Polled.of(product.answer()))
            provider.control.advance(TICK_S)
        polls.append(product.poll())
    return _compared(polls[:in_contact], polls[in_contact:], crowd, rows * len(provider.exam_ids))


def _compared(polls: Sequence[Polled], after: Sequence[Polled], crowd: _Crowd, rows: int) -> Contact:
    told: Counter[Event] = sum((polled.events for polled in [*polls, *after]), Counter())
    expected = Counter(submitted(crowd.ended) | started(crowd.running))
    possible = expected | Counter(started(crowd.began))
    announced = (told & expected).total()
    return Contact(
        polls=len(polls),
        requests=sum(polled.requests for polled in polls),
        rows=rows,
        ended=len(crowd.ended),
        expected=expected.total(),
        announced=announced,
        seen_running=(told & possible).total() - announced,
        invented=(told - possible).total(),
        wall_s=sum(polled.wall_s for polled in polls),
    )
