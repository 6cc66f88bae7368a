"""AWS usage per event, and per day with a failing and with a healthy endpoint.

The emulator counts; the clock is passed in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tools.bench.delivery.pipeline import Usage, running_pipeline
from tools.bench.delivery.receiver_process import BUSY
from tools.bench.delivery.receivers import Receivers

_DAY_S = 86_400
_TICK_S = 60


@dataclass(frozen=True, slots=True)
class Day:
    """Usage of a day with one endpoint."""

    events: int
    healthy: Usage
    failing: Usage
    failing_attempts: int
    """Requests to the failing endpoint."""


def per_event(events: int, endpoints: int = 3) -> Usage:
    """Return the total usage of delivering this number of events to healthy endpoints."""
    with Receivers(endpoints) as receivers, running_pipeline(receivers.urls) as pipeline:
        pipeline.tick()
        before = pipeline.usage()
        pipeline.dispatch(1, events)
        pipeline.deliver()
        return pipeline.usage().since(before)


def per_day(events: int, ticks: int = _DAY_S // _TICK_S) -> Day:
    """Measure both days; tests pass fewer ``ticks``."""
    healthy, _ = _day(events, ticks, fails=False)
    failing, attempts = _day(events, ticks, fails=True)
    return Day(events, healthy, failing, attempts)


def _day(events: int, ticks: int, *, fails: bool) -> tuple[Usage, int]:
    with Receivers(1) as receivers, running_pipeline(receivers.urls) as pipeline:
        pipeline.tick()
        if fails:
            receivers.behave(0, BUSY)
        before = pipeline.usage()
        due_ticks = sorted(random.Random(events).sample(range(ticks), events))  # noqa: S311 - reproducible times
        for tick in range(ticks):
            pipeline.at += _TICK_S
            if due_ticks and tick == due_ticks[0]:
                due_ticks.pop(0)
                pipeline.dispatch(events - len(due_ticks), 1)
            pipeline.tick()
            pipeline.deliver()
        return pipeline.usage().since(before), len(receivers.arrivals())
