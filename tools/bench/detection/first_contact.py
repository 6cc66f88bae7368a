"""A first contact that takes several polls, while candidates start and submit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from examhook.detection.intervals import RETRY_S
from examhook_simulator.facts import AttemptRef
from tools.bench.cloud import Cloud
from tools.bench.detection.product import POLL_SECONDS, Polled, Product
from tools.bench.provider import Provider, pages_of, started, submitted
from tools.bench.units import Event

_CHECK_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class FirstContact:
    """Requests and events of a first contact over several polls."""

    polls: int
    requests: int
    rows: int
    """Attempts that ended before the first contact; they are old results."""
    ended: int
    """Attempts that ended during the first contact."""
    expected: int
    """Required events: ends during the first contact, and starts of attempts that still run."""
    announced: int
    """Required events that were announced."""
    seen_running: int
    """Announced starts of attempts that a poll saw running and that ended later."""
    invented: int
    """Events without a change, events of old results, and repeated events."""
    wall_s: float

    @property
    def lost(self) -> int:
        """Required events that were not announced."""
        return self.expected - self.announced


@dataclass(slots=True)
class _Candidates:
    """Candidates in some exams. At each change all running attempts are submitted and new ones start."""

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


def first_contact(  # noqa: PLR0913, PLR0917 - account, size and speed
    cloud: Cloud, provider: Provider, account: str, rows: int, busy: Sequence[str], requests_in_time: int
) -> FirstContact:
    """Read an account for the first time while attempts start and end before, during and after each poll.

    Args:
        cloud: AWS of the polls.
        provider: the polled provider.
        account: name of the account.
        rows: attempts per exam.
        busy: exams in which attempts start and end.
        requests_in_time: requests after which a poll runs out of time.
    """
    candidates = _Candidates(provider, busy, provider.start_in(busy))
    provider.control.advance(POLL_SECONDS)
    polls: list[Polled] = []
    pages = len(provider.exam_ids) * pages_of(rows)
    with Product(cloud, provider, account) as product:
        while not polls or not polls[-1].complete:
            before = provider.result_pages()
            product.begin_poll(requests_in_time=requests_in_time)
            # The last poll may be short, so there the change comes at its first page of results.
            middle = requests_in_time // 2 if pages - before > requests_in_time else 1
            while provider.result_pages() - before < middle:
                time.sleep(_CHECK_EVERY_S)
            candidates.change()
            polls.append(Polled.of(product.receive()))
            provider.control.advance(POLL_SECONDS)
            candidates.change()
        contact_polls = len(polls)
        # An exam whose rows moved between two polls is read again after a pause.
        for _ in range(RETRY_S // POLL_SECONDS + 1):
            product.begin_poll()
            polls.append(Polled.of(product.receive()))
            provider.control.advance(POLL_SECONDS)
        polls.append(product.poll())
    return _compared(polls, contact_polls, candidates, rows * len(provider.exam_ids))


def _compared(polls: Sequence[Polled], contact_polls: int, candidates: _Candidates, rows: int) -> FirstContact:
    announced: Counter[Event] = sum((polled.events for polled in polls), Counter())
    expected = Counter(submitted(candidates.ended) | started(candidates.running))
    possible = expected | Counter(started(candidates.began))
    required_announced = (announced & expected).total()
    return FirstContact(
        polls=contact_polls,
        requests=sum(polled.requests for polled in polls[:contact_polls]),
        rows=rows,
        ended=len(candidates.ended),
        expected=expected.total(),
        announced=required_announced,
        seen_running=(announced & possible).total() - required_announced,
        invented=(announced - possible).total(),
        wall_s=sum(polled.wall_s for polled in polls[:contact_polls]),
    )
