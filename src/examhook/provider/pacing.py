"""Rate limit for requests, as the provider measures it.

A request arrives at the provider between its start and its end. Spacing the starts alone is therefore not enough: after
a slow request, a fast one could arrive too soon. For a rate of r per second and n = max(1, floor(r)), a request starts

- at least 1/r seconds after the start of the previous request, so there are no bursts;
- at least n/r seconds after the end of the n-th previous request, so at most n arrive within n/r seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Pacer:
    """Paces the requests to one account. Use it in one thread only. ``now`` and ``sleep`` use seconds."""

    def __init__(self, requests_per_second: float, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now = now
        self._sleep = sleep
        self._spacing_s = 1 / requests_per_second
        window = max(1, int(requests_per_second))
        self._window_s = window / requests_per_second
        self._ends: deque[float] = deque(maxlen=window)
        self._ready_at = 0.0

    def delay_s(self) -> float:
        """Return the seconds until the next request may start."""
        ready_at = self._ready_at
        if len(self._ends) == self._ends.maxlen:
            ready_at = max(ready_at, self._ends[0] + self._window_s)
        return max(0.0, ready_at - self._now())

    def wait(self) -> None:
        """Sleep until the next request may start, and count it as started."""
        # A sleep may end slightly early.
        while (delay_s := self.delay_s()) > 0:
            self._sleep(delay_s)
        self._ready_at = self._now() + self._spacing_s

    def finished(self) -> None:
        """Record the end of the request that followed ``wait``, whatever its outcome."""
        self._ends.append(self._now())
