"""Time from the write of a submission to the first byte at each receiver, through the whole local stack."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from examhook.detection.transition import Change
from tools.bench.delivery.receiver_process import HANGING, WELL
from tools.bench.delivery.receivers import Receivers
from tools.bench.delivery.stack import Stack, running_stack
from tools.bench.delivery.submissions import submitted

_SETTLE_S = 120
"""So long after the last write everything has come, or is lost."""
_GLANCE_S = 0.5
_WRITERS = 30
_WARM_UP = 200
"""Events at once before the measured ones, so that as many processes run as there may be: one that starts takes its
time, and how long stands in docs/package.md."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long it took, of so many deliveries."""

    deliveries: int
    wanted: int
    p50_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Soon:
    """The measures in the local stack."""

    per_second: float
    steady: Latency
    """Two receivers that answer at once."""
    isolated_per_second: float
    without: Latency
    """Of five receivers, while a sixth answers at once too."""
    beside: Latency
    """Of the same five, while the sixth hangs until the deadline."""

    @property
    def ratio(self) -> float:
        """How much longer the slowest hundredth takes beside a receiver that hangs."""
        return self.beside.p99_s / self.without.p99_s


def measure(per_second: float, seconds: int, isolated_per_second: float, say: Callable[[str], None]) -> Soon:
    """Play all of them, each for ``seconds``."""
    say("the local stack with two receivers")
    with Receivers(2) as receivers, running_stack(receivers.urls) as stack:
        play = _Play(stack, receivers, count(1))
        play.warm_up()
        steady = play.measured(per_second, seconds, range(2))
    say("the local stack with six receivers")
    with Receivers(6) as receivers, running_stack(receivers.urls) as stack:
        play = _Play(stack, receivers, count(1))
        play.warm_up()
        without = play.measured(isolated_per_second, seconds, range(5))
        say("one of them hangs")
        receivers.behave(5, HANGING)
        beside = play.measured(isolated_per_second, seconds, range(5))
        receivers.behave(5, WELL)
    return Soon(per_second, steady, isolated_per_second, without, beside)


@dataclass(frozen=True, slots=True)
class _Play:
    stack: Stack
    receivers: Receivers
    numbers: count[int]

    def warm_up(self) -> None:
        """Write more at once than one process can send."""
        self.measured(_WARM_UP, 1, range(len(self.receivers.urls)))

    def measured(self, per_second: float, seconds: int, of: Sequence[int]) -> Latency:
        """Write so many submissions, evenly, and wait for what comes of them at the receivers ``of``."""
        self.receivers.arrivals(forget=True)
        written: dict[str, float] = {}
        began_s = time.monotonic()
        with ThreadPoolExecutor(_WRITERS) as pool:
            for nth in range(int(per_second * seconds)):
                time.sleep(max(0.0, began_s + nth / per_second - time.monotonic()))
                pool.submit(self._write, written)
        wanted = len(written) * len(of)
        give_up_s = time.monotonic() + _SETTLE_S
        while len(first := self._first(written, of)) < wanted and time.monotonic() < give_up_s:
            time.sleep(_GLANCE_S)
        took_s = sorted(at - written[event_id] for (_, event_id), at in first.items())
        return Latency(len(took_s), wanted, share_of(took_s, 0.5), share_of(took_s, 0.99))

    def _first(self, written: dict[str, float], of: Sequence[int]) -> dict[tuple[int, str], float]:
        first: dict[tuple[int, str], float] = {}
        for each in self.receivers.arrivals():
            if each.receiver in of and each.event_id in written:
                first.setdefault((each.receiver, each.event_id), each.at)
        return first

    def _write(self, written: dict[str, float]) -> None:
        at = time.time()
        submission = submitted(next(self.numbers), int(at))
        written[submission.transitions[0].event_id] = at
        self.stack.submissions.write([Change(None, submission)])


def share_of(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of them do not exceed; infinite where there are none."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.inf
