"""Many events to three endpoints, of which one is down during the middle third.

The clock is passed in: twenty events per second, and one tick of Retry per minute. The tables are in memory, because
the DynamoDB emulator takes a quarter of an hour for this number of events.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from tools.bench.delivery.pipeline import Pipeline
from tools.bench.delivery.receiver_process import BUSY, WELL
from tools.bench.delivery.receivers import Receivers
from tools.progress import Say

_ENDPOINTS, _DOWN = 3, 2
_PER_SECOND = 20
_BATCH = 100
_TICK_S = 60
_MOST_TICKS = 600
"""Deliveries that take longer after the last event count as lost."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Deliveries and attempts."""

    events: int
    expected: int
    """Deliveries: pairs of event and endpoint."""
    delivered: int
    invented: int
    """Requests with an id that no event has."""
    healthy_attempts: float
    """Attempts per delivery at the healthy endpoints."""
    down_attempts: float
    """Attempts per delivery at the endpoint that was down."""
    drained_in_s: float
    """Virtual seconds from the end of the failure until all waiting deliveries had arrived."""
    wall_s: float

    @property
    def lost(self) -> int:
        """Deliveries that never arrived."""
        return self.expected - self.delivered


def measure(events: int, say: Say) -> Volume:
    """Send the events in three parts and wait until all deliveries have arrived."""
    began_s = time.monotonic()
    with Receivers(_ENDPOINTS) as receivers, Pipeline(None, receivers.urls) as pipeline:
        sender = _Sender(pipeline, receivers)
        third = events // 3
        sender.send(1, third)
        say("one endpoint is down")
        receivers.behave(_DOWN, BUSY)
        sender.send(third + 1, third)
        say("it is up again")
        receivers.behave(_DOWN, WELL)
        up_again_at = pipeline.at
        sender.send(2 * third + 1, events - 2 * third)
        drained_at = sender.drain()
        arrivals = receivers.arrivals()
    requests = Counter((each.receiver, each.event_id) for each in arrivals)
    accepted = {(each.receiver, each.event_id) for each in arrivals if each.accepted and each.event_id in sender.ids}
    down_requests = sum(count for (receiver, _), count in requests.items() if receiver == _DOWN)
    return Volume(
        events=events,
        expected=len(sender.ids) * _ENDPOINTS,
        delivered=len(accepted),
        invented=sum(count for (_, event_id), count in requests.items() if event_id not in sender.ids),
        healthy_attempts=(requests.total() - down_requests) / (len(sender.ids) * (_ENDPOINTS - 1)),
        down_attempts=down_requests / len(sender.ids),
        drained_in_s=drained_at - up_again_at,
        wall_s=time.monotonic() - began_s,
    )


class _Sender:
    def __init__(self, pipeline: Pipeline, receivers: Receivers) -> None:
        self._pipeline = pipeline
        self._receivers = receivers
        self._tick_at = pipeline.at + _TICK_S
        self.ids: set[str] = set()

    def send(self, first: int, count: int) -> None:
        """Dispatch and deliver ``count`` events, with the ticks that are due meanwhile."""
        for start in range(first, first + count, _BATCH):
            size = min(_BATCH, first + count - start)
            self.ids.update(self._pipeline.dispatch(start, size))
            self._pipeline.deliver()
            self._advance(size / _PER_SECOND)

    def drain(self) -> float:
        """Let virtual minutes pass until everything has arrived; return the virtual time of the last arrival."""
        for _ in range(_MOST_TICKS):
            accepted = {(each.receiver, each.event_id) for each in self._receivers.arrivals() if each.accepted}
            if len(accepted) >= len(self.ids) * _ENDPOINTS:
                break
            self._advance(_TICK_S)
            self._pipeline.deliver()
        return self._pipeline.at

    def _advance(self, seconds: float) -> None:
        self._pipeline.at += seconds
        if self._pipeline.at >= self._tick_at:
            self._tick_at += _TICK_S
            self._pipeline.tick()
