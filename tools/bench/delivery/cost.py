"""What an event costs, and a day with an endpoint that fails beside the same day while it is well.

On an emulated AWS, which counts; time is passed in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tools.bench.delivery.pipeline import Used, running_pipeline
from tools.bench.delivery.receiver_process import BUSY
from tools.bench.delivery.receivers import Receivers

_DAY_S = 86_400
_TICK_S = 60


@dataclass(frozen=True, slots=True)
class Day:
    """What a day with one endpoint used."""

    events: int
    ticks: int
    well: Used
    failing: Used
    attempts_failing: int
    """Requests that the endpoint got on the day that it failed."""


def per_event(events: int, endpoints: int = 3) -> Used:
    """What it takes to bring so many events to endpoints that are well."""
    with Receivers(endpoints) as receivers, running_pipeline(receivers.urls) as pipeline:
        pipeline.tick()
        before = pipeline.used()
        pipeline.dispatch(1, events)
        pipeline.deliver()
        return pipeline.used().since(before)


def measure(events: int, ticks: int = _DAY_S // _TICK_S) -> Day:
    """Play both days; ``ticks`` shorter ones for a test."""
    well, _ = _day(events, ticks, fails=False)
    failing, attempts = _day(events, ticks, fails=True)
    return Day(events, ticks, well, failing, attempts)


def _day(events: int, ticks: int, *, fails: bool) -> tuple[Used, int]:
    with Receivers(1) as receivers, running_pipeline(receivers.urls) as pipeline:
        pipeline.tick()
        if fails:
            receivers.behave(0, BUSY)
        before = pipeline.used()
        # Spread over the day by chance, the same at every run.
        due = sorted(random.Random(events).sample(range(ticks), events))  # noqa: S311 - chance of a benchmark
        for minute in range(ticks):
            pipeline.at += _TICK_S
            if due and minute == due[0]:
                due.pop(0)
                pipeline.dispatch(events - len(due), 1)
            pipeline.tick()
            pipeline.deliver()
        return pipeline.used().since(before), len(receivers.arrivals())
