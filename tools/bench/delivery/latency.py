"""Time from the write of a submission to the first byte at each receiver, on the local stack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from examhook.detection.transition import Change
from tools.bench.delivery.receiver_process import HANGING, WELL
from tools.bench.delivery.receivers import Receivers, percentile
from tools.bench.delivery.stack import Stack, running_stack
from tools.bench.delivery.submissions import submitted
from tools.progress import Say

_WRITERS = 30
_WARM_UP_EVENTS = 200
"""Events in a first burst, which starts all processes of Deliver. docs/package.md measures the start of a process."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of the deliveries that arrived."""

    deliveries: int
    expected: int
    p50_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latencies on the local stack."""

    per_second: float
    steady: Latency
    """With two receivers that answer at once."""
    isolated_per_second: float
    without_hanging: Latency
    """Of five receivers, while a sixth answers at once."""
    with_hanging: Latency
    """Of the same five, while the sixth hangs until the deadline."""

    @property
    def ratio(self) -> float:
        """p99 with the hanging receiver, divided by p99 without it."""
        return self.with_hanging.p99_s / self.without_hanging.p99_s


def measure(per_second: float, seconds: int, isolated_per_second: float, say: Say) -> Latencies:
    """Measure each latency for ``seconds``."""
    say("the local stack with two receivers")
    with Receivers(2) as receivers, running_stack(receivers.urls) as stack:
        writer = _Writer(stack, receivers, count(1))
        writer.warm_up()
        steady = writer.measured(per_second, seconds, range(2))
    say("the local stack with six receivers")
    with Receivers(6) as receivers, running_stack(receivers.urls) as stack:
        writer = _Writer(stack, receivers, count(1))
        writer.warm_up()
        without_hanging = writer.measured(isolated_per_second, seconds, range(5))
        say("one of them hangs")
        receivers.behave(5, HANGING)
        with_hanging = writer.measured(isolated_per_second, seconds, range(5))
        receivers.behave(5, WELL)
    return Latencies(per_second, steady, isolated_per_second, without_hanging, with_hanging)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes submissions as Poll does."""

    stack: Stack
    receivers: Receivers
    numbers: count[int]

    def warm_up(self) -> None:
        self.measured(_WARM_UP_EVENTS, 1, range(len(self.receivers.urls)))

    def measured(self, per_second: float, seconds: int, receivers: Sequence[int]) -> Latency:
        """Write submissions at a constant rate and wait for their webhooks at these receivers."""
        self.receivers.arrivals(clear=True)
        written_at: dict[str, float] = {}
        began_s = time.monotonic()
        with ThreadPoolExecutor(_WRITERS) as pool:
            for nth in range(int(per_second * seconds)):
                time.sleep(max(0.0, began_s + nth / per_second - time.monotonic()))
                pool.submit(self._write, written_at)
        latencies_s = self.receivers.await_latencies_s(written_at, receivers)
        expected = len(written_at) * len(receivers)
        return Latency(len(latencies_s), expected, percentile(latencies_s, 0.5), percentile(latencies_s, 0.99))

    def _write(self, written_at: dict[str, float]) -> None:
        at = time.time()
        submission = submitted(next(self.numbers), int(at))
        written_at[submission.transitions[0].event_id] = at
        self.stack.submissions.write([Change(None, submission)])
