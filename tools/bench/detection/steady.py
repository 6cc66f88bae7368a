"""A watched account, poll after poll: without changes, with changes, and in full scans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from examhook.detection.intervals import ROTATION_S
from examhook_simulator.facts import AttemptRef
from examhook_simulator.json_fields import Fields
from tools.bench.detection.peers import Naive
from tools.bench.detection.product import POLL_SECONDS, Polled, Product
from tools.bench.json_process import JsonProcess
from tools.bench.provider import Provider, started, submitted
from tools.bench.units import Event


@dataclass(slots=True)
class EventCheck:
    """Comparison of the announced events with the changes at the provider."""

    happened: int = 0
    invented: int = 0
    missed: int = 0

    def compare(self, polled: Polled, expected: set[Event]) -> None:
        """Add one poll."""
        wanted = Counter(expected)
        self.happened += len(expected)
        self.invented += (polled.events - wanted).total()
        self.missed += (wanted - polled.events).total()


@dataclass(frozen=True, slots=True)
class FullScan:
    """A full scan without changes, by the product and by the floor."""

    product: Polled
    floor: Fields

    @property
    def cpu_ratio(self) -> float:
        """Processor time of the product divided by that of the floor."""
        return self.product.cpu_s / self.floor.number("cpu_s")


@dataclass(frozen=True, slots=True)
class Quiet:
    """The polls of one rotation without changes."""

    polls: Sequence[Polled]

    @property
    def typical(self) -> Polled:
        """The poll with the median number of requests."""
        return _median(self.polls, lambda each: each.requests)

    @property
    def most_requests(self) -> int:
        """Requests of the poll that also proves where the exam list ends."""
        return max(each.requests for each in self.polls)

    def mean(self, figure: Callable[[Polled], float]) -> float:
        """Return the mean of a figure over all polls."""
        return sum(figure(each) for each in self.polls) / len(self.polls)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Runs polls of one account and compares their events with the changes."""

    product: Product
    provider: Provider
    check: EventCheck = field(default_factory=EventCheck)

    def quiet_poll(self) -> Polled:
        """Poll without changes."""
        return self._poll_after(set)

    def quiet(self) -> Quiet:
        """Poll without changes for one rotation through the exams."""
        self.provider.control.advance(ROTATION_S)
        return Quiet([self.quiet_poll() for _ in range(ROTATION_S // POLL_SECONDS)])

    def busy(self, ends: Sequence[str], begins: Sequence[str], naive: Naive | None = None) -> Polled:
        """Poll after one attempt ended in each exam of ``ends`` and one started in each exam of ``begins``."""
        running = self.provider.start_in(ends)
        self._poll_after(lambda: started(running))
        if naive:
            naive.store()
        fresh: list[AttemptRef] = []

        def change() -> set[Event]:
            self.provider.submit_all(running)
            fresh.extend(self.provider.start_in(begins))
            return submitted(running) | started(fresh)

        polled = self._poll_after(change)
        if naive:
            naive.compare()

        def finish() -> set[Event]:
            self.provider.submit_all(fresh)
            return submitted(fresh)

        self._poll_after(finish)
        return polled

    def few_busy(self, exam_ids: Sequence[str], naive: Naive | None = None) -> Polled:
        """Poll after five attempts ended and five started in each of a few exams."""
        five_in_each = [exam_id for exam_id in exam_ids for _ in range(5)]
        return self.busy(five_in_each, five_in_each, naive)

    def all_busy(self) -> Polled:
        """Poll after one attempt ended in each exam of one half, and one started in each exam of the other."""
        half = len(self.provider.exam_ids) // 2
        return self.busy(self.provider.exam_ids[:half], self.provider.exam_ids[half:])

    def full_scan(self, floor: JsonProcess) -> FullScan:
        """Run a full scan without changes, after the floor read the same."""
        read = floor.ask()
        polled = self.product.poll(full=True)
        self.check.compare(polled, set())
        return FullScan(polled, read)

    def _poll_after(self, change: Callable[[], set[Event]]) -> Polled:
        """Advance by one interval, call ``change``, which returns the expected events, and poll."""
        self.provider.control.advance(POLL_SECONDS)
        expected = change()
        polled = self.product.poll()
        self.check.compare(polled, expected)
        return polled


@dataclass(frozen=True, slots=True)
class Steady:
    """Figures of a watched account with one order of rows."""

    quiet: Quiet
    few_busy: Polled
    all_busy: Polled
    full_scans: Sequence[FullScan]
    check: EventCheck

    @property
    def full_scan(self) -> FullScan:
        """The full scan with the median ratio."""
        return _median(self.full_scans, lambda each: each.cpu_ratio)


def watch(watcher: Watcher, floor: JsonProcess, busy: Sequence[str], scans: int, naive: Naive | None = None) -> Steady:
    """Measure an account after its first full scan; ``busy`` are the exams of the measure with few busy exams."""
    return Steady(
        quiet=watcher.quiet(),
        few_busy=watcher.few_busy(busy, naive),
        all_busy=watcher.all_busy(),
        full_scans=[watcher.full_scan(floor) for _ in range(scans)],
        check=watcher.check,
    )


_T = TypeVar("_T")


def _median(items: Sequence[_T], figure: Callable[[_T], float]) -> _T:
    return sorted(items, key=figure)[len(items) // 2]
