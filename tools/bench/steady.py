"""A watched account, poll after poll: nothing changed, some changed, everything was read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from examhook.detection.intervals import ROTATION_S
from examhook_simulator.facts import AttemptRef
from examhook_simulator.wire import Fields
from tools.bench.child import Child
from tools.bench.product import POLL_SECONDS, Polled, Product
from tools.bench.provider import Provider, started, submitted
from tools.bench.units import Event

TICK_S = POLL_SECONDS


@dataclass(slots=True)
class Truth:
    """How the events of the measured polls compare with what happened."""

    happened: int = 0
    invented: int = 0
    missed: int = 0

    def compare(self, polled: Polled, expected: set[Event]) -> None:
        """Take in one poll."""
        wanted = Counter(expected)
        self.happened += len(expected)
        self.invented += (polled.events - wanted).total()
        self.missed += (wanted - polled.events).total()


@dataclass(frozen=True, slots=True)
class FullScan:
    """All results read again while nothing changed, by the product and by the floor."""

    product: Polled
    floor: Fields

    @property
    def cpu_ratio(self) -> float:
        """The product's processor time for each second of the floor's."""
        return self.product.cpu_s / self.floor.number("cpu_s")


@dataclass(frozen=True, slots=True)
class Quiet:
    """The polls of one rotation, in which nothing happened."""

    polls: Sequence[Polled]

    @property
    def typical(self) -> Polled:
        """The one with the middle number of requests."""
        return sorted(self.polls, key=lambda each: each.requests)[len(self.polls) // 2]

    @property
    def requests(self) -> int:
        """Requests of most polls."""
        return self.typical.requests

    @property
    def most_requests(self) -> int:
        """Requests of the poll that made most: it also proves where the list of exams ends."""
        return max(each.requests for each in self.polls)

    @property
    def mean_requests(self) -> float:
        """Requests of a poll on average."""
        return sum(each.requests for each in self.polls) / len(self.polls)

    @property
    def read_units(self) -> float:
        """DynamoDB read units of a poll on average."""
        return sum(each.read_units for each in self.polls) / len(self.polls)

    @property
    def write_units(self) -> float:
        """DynamoDB write units of a poll on average."""
        return sum(each.write_units for each in self.polls) / len(self.polls)


class Aside(Protocol):
    """Another way to do the work, run on the same changes."""

    def before(self) -> None:
        """What was known before the changes is known now."""

    def after(self) -> None:
        """The changes have happened."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """One account, watched tick by tick."""

    product: Product
    provider: Provider
    truth: Truth = field(default_factory=Truth)

    def quiet_poll(self) -> Polled:
        """A tick in which nothing happens."""
        return self._tick(set)

    def quiet(self) -> Quiet:
        """One rotation through the exams, in which nothing happens."""
        self.provider.control.advance(ROTATION_S)
        return Quiet([self.quiet_poll() for _ in range(ROTATION_S // TICK_S)])

    def busy(self, ends: Sequence[str], begins: Sequence[str], aside: Aside | None = None) -> Polled:
        """A tick in which one attempt ends in each exam of ``ends`` and one begins in each of ``begins``."""
        running = self.provider.start_in(ends)
        self._tick(lambda: started(running))
        if aside:
            aside.before()
        fresh: list[AttemptRef] = []

        def change() -> set[Event]:
            self.provider.submit_all(running)
            fresh.extend(self.provider.start_in(begins))
            return submitted(running) | started(fresh)

        polled = self._tick(change)
        if aside:
            aside.after()

        def finish() -> set[Event]:
            self.provider.submit_all(fresh)
            return submitted(fresh)

        self._tick(finish)
        return polled

    def few_busy(self, exam_ids: Sequence[str], aside: Aside | None = None) -> Polled:
        """A tick in which five attempts end in each of a few exams, and five begin."""
        five_in_each = [exam_id for exam_id in exam_ids for _ in range(5)]
        return self.busy(five_in_each, five_in_each, aside)

    def all_busy(self) -> Polled:
        """A tick in which an attempt ends in one half of the exams, and one begins in the other half."""
        half = len(self.provider.exam_ids) // 2
        return self.busy(self.provider.exam_ids[:half], self.provider.exam_ids[half:])

    def full_scan(self, floor: Child) -> FullScan:
        """Read everything again, by the floor first."""
        read = floor.ask()
        polled = self.product.poll(full=True)
        self.truth.compare(polled, set())
        return FullScan(polled, read)

    def _tick(self, change: Callable[[], set[Event]]) -> Polled:
        self.provider.control.advance(TICK_S)
        expected = change()
        polled = self.product.poll()
        self.truth.compare(polled, expected)
        return polled


@dataclass(frozen=True, slots=True)
class Steady:
    """What one order of the rows gave."""

    quiet: Quiet
    few_busy: Polled
    all_busy: Polled
    full_scans: Sequence[FullScan]
    truth: Truth

    @property
    def full_scan(self) -> FullScan:
        """The one with the middle ratio."""
        return sorted(self.full_scans, key=lambda each: each.cpu_ratio)[len(self.full_scans) // 2]


def watch(watcher: Watcher, floor: Child, busy: Sequence[str], scans: int, aside: Aside | None = None) -> Steady:
    """Measure an account that has been read whole before; ``busy`` are the exams that are busy when few are."""
    return Steady(
        quiet=watcher.quiet(),
        few_busy=watcher.few_busy(busy, aside),
        all_busy=watcher.all_busy(),
        full_scans=[watcher.full_scan(floor) for _ in range(scans)],
        truth=watcher.truth,
    )
