"""Many events to three endpoints, one of them down in the middle third: what arrives, and how often.

Time is passed in: twenty events a second, and Retry's tick each minute of that time. The tables
answer from memory, because an emulator of DynamoDB takes a quarter of an hour for so many.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tools.bench.delivery.pipeline import Pipeline
from tools.bench.delivery.receiver_process import BUSY, WELL
from tools.bench.delivery.receivers import Receivers

_ENDPOINTS, _SHAKY = 3, 2
_PER_SECOND = 20
_BATCH = 100
_TICK_S = 60
_MOST_TICKS = 600
"""So many minutes after the last event everything has arrived, or is lost."""


@dataclass(frozen=True, slots=True)
class Volume:
    """What arrived of how many, and what it cost."""

    events: int
    wanted: int
    """Deliveries."""
    delivered: int
    """Pairs of event and endpoint that were taken."""
    invented: int
    """Requests under an id that no event has."""
    attempts_when_well: float
    """Requests per delivery at the endpoints that were well."""
    attempts_shaky: float
    drained_in_s: float
    """From the receiver's return until all that waited had arrived, in the time that was passed in."""
    wall_s: float

    @property
    def lost(self) -> int:
        """Deliveries that never arrived."""
        return self.wanted - self.delivered


def measure(events: int, say: Callable[[str], None]) -> Volume:
    """Play it."""
    began_s = time.monotonic()
    with Receivers(_ENDPOINTS) as receivers, Pipeline(None, receivers.urls) as pipeline:
        play = _Play(pipeline, receivers)
        play.send(1, events // 3)
        say("one endpoint is down")
        receivers.behave(_SHAKY, BUSY)
        play.send(events // 3 + 1, events // 3)
        say("it is back")
        receivers.behave(_SHAKY, WELL)
        back_at = pipeline.at
        play.send(2 * (events // 3) + 1, events - 2 * (events // 3))
        drained_at = play.drain()
        arrivals = receivers.arrivals()
    came = Counter((each.receiver, each.event_id) for each in arrivals)
    taken = {(each.receiver, each.event_id) for each in arrivals if each.taken and each.event_id in play.ids}
    shaky = sum(count for (receiver, _), count in came.items() if receiver == _SHAKY)
    return Volume(
        events=events,
        wanted=len(play.ids) * _ENDPOINTS,
        delivered=len(taken),
        invented=sum(count for (_, event_id), count in came.items() if event_id not in play.ids),
        attempts_when_well=(came.total() - shaky) / (len(play.ids) * (_ENDPOINTS - 1)),
        attempts_shaky=shaky / len(play.ids),
        drained_in_s=drained_at - back_at,
        wall_s=time.monotonic() - began_s,
    )


class _Play:
    def __init__(self, pipeline: Pipeline, receivers: Receivers) -> None:
        self._pipeline = pipeline
        self._receivers = receivers
        self._tick_at = pipeline.at + _TICK_S
        self.ids: set[str] = set()

    def send(self, first: int, count: int) -> None:
        """Dispatch and deliver so many, with what falls due meanwhile."""
        for start in range(first, first + count, _BATCH):
            size = min(_BATCH, first + count - start)
            self.ids.update(self._pipeline.dispatch(start, size))
            self._pipeline.deliver()
            self._pass(size / _PER_SECOND)

    def drain(self) -> float:
        """Let minutes pass until all has arrived; when it had, in the time that was passed in."""
        for _ in range(_MOST_TICKS):
            taken = {(each.receiver, each.event_id) for each in self._receivers.arrivals() if each.taken}
            if len(taken) >= len(self.ids) * _ENDPOINTS:
                break
            self._pass(_TICK_S)
            self._pipeline.deliver()
        return self._pipeline.at

    def _pass(self, seconds: float) -> None:
        self._pipeline.at += seconds
        if self._pipeline.at >= self._tick_at:
            self._tick_at += _TICK_S
            self._pipeline.tick()
