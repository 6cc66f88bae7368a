"""Spacing requests so that the provider is never asked more often than it may be.

The rate is held as the provider sees it. A request arrives some time between its start and its end,
so spacing the starts is not enough: after a slow request a quick one would arrive too close behind.
Hence two rules, for a rate of r per second and n = r rounded down, at least 1:

- a request starts at least 1/r seconds after the start of the one before (no bursts);
- it starts at least n/r seconds after the end of the n-th before it (never more than n arrive within n/r seconds).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Pacer:
    """Paces the requests to one account; for one thread. ``now`` gives seconds, ``sleep`` takes them."""

    def __init__(self, requests_per_second: float, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now = now
        self._sleep = sleep
        self._spacing_s = 1 / requests_per_second
        window = max(1, int(requests_per_second))
        self._window_s = window / requests_per_second
        self._ends: deque[float] = deque(maxlen=window)
        self._ready_at = 0.0

    def delay_s(self) -> float:
        """Seconds until the next request may start."""
        ready_at = self._ready_at
        if len(self._ends) == self._ends.maxlen:
            ready_at = max(ready_at, self._ends[0] + self._window_s)
        return max(0.0, ready_at - self._now())

    def wait(self) -> None:
        """Sleep until the next request may start, and count it as started."""
        # Once more where the sleep ended a little early, as sleeps may.
        while (delay_s := self.delay_s()) > 0:
            self._sleep(delay_s)
        self._ready_at = self._now() + self._spacing_s

    def finished(self) -> None:
        """The request that ``wait`` let start is over, whatever came of it."""
        self._ends.append(self._now())
