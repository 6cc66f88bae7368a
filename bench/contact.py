"""A first contact that takes several polls, while candidates begin and hand in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.cloud import Cloud
from bench.product import Polled, Product
from bench.provider import Provider, handed_in, started
from bench.steady import TICK_S
from bench.units import Event
from examhook.detection.plan import RETRY_SECONDS
from examhook_cli.simulator.facts import AttemptRef

_GLANCE_S = 0.01


@dataclass(frozen=True, slots=True)
class Contact:
    """What a first contact over several polls asked and announced."""

    polls: int
    requests: int
    rows: int
    """Attempts that had ended before it began, which are old news."""
    ended: int
    """Attempts that ended while it went on."""
    expected: int
    """Events that must come: those ends, and the starts of what still runs."""
    announced: int
    """Of those, how many came."""
    seen_running: int
    """Starts that were announced beside, of attempts that a poll met before they ended."""
    invented: int
    """Events of what did not happen, or is old news, or that came twice."""
    wall_s: float

    @property
    def lost(self) -> int:
        """Events that must come and did not."""
        return self.expected - self.announced


@dataclass(slots=True)
class _Crowd:
    """Candidates of some exams: each time, those who are there hand in, and others begin."""

    provider: Provider
    exam_ids: Sequence[str]
    running: list[AttemptRef]
    began: list[AttemptRef] = field(default_factory=list)
    ended: list[AttemptRef] = field(default_factory=list)

    def goes_on(self) -> None:
        leaving, self.running = self.running, self.provider.start_in(self.exam_ids)
        self.began += self.running
        self.provider.hand_in(leaving)
        self.ended += leaving


def contact(  # noqa: PLR0913, PLR0917 - whose, how large, how slowly
    cloud: Cloud, provider: Provider, account: str, rows: int, busy: Sequence[str], requests_in_time: int
) -> Contact:
    """Read an account for the first time, so many requests a minute, while things happen before, in and after polls.

    ``rows`` is how many attempts each exam has. Then come some polls in which nothing happens any more.
    """
    crowd = _Crowd(provider, busy, provider.start_in(busy))
    provider.control.advance(TICK_S)
    polls: list[Polled] = []
    pages = len(provider.exam_ids) * (rows // 100 + 1)
    with Product(cloud, provider, account) as product:
        while not polls or not polls[-1].complete:
            asked = provider.results_asked()
            product.begin_poll(requests_in_time=requests_in_time)
            # In its middle; the last one may be short, so it is met at its first page of results.
            middle = requests_in_time // 2 if pages - asked > requests_in_time else 1
            while provider.results_asked() - asked < middle:
                time.sleep(_GLANCE_S)
            crowd.goes_on()
            polls.append(Polled.of(product.answer()))
            provider.control.advance(TICK_S)
            crowd.goes_on()
        in_contact = len(polls)
        # An exam whose rows moved between two polls that read it is read anew after a pause.
        for _ in range(RETRY_SECONDS // TICK_S + 1):
            polls.append(product.poll())
            provider.control.advance(TICK_S)
    return _compared(polls[:in_contact], polls[in_contact:], crowd, rows * len(provider.exam_ids))


def _compared(polls: Sequence[Polled], after: Sequence[Polled], crowd: _Crowd, rows: int) -> Contact:
    told: Counter[Event] = sum((polled.events for polled in [*polls, *after]), Counter())
    expected = Counter(handed_in(crowd.ended) | started(crowd.running))
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
