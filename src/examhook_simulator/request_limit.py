"""The provider's rate limit: requests per second of all integrations of an account together."""

from __future__ import annotations

import threading
from collections import deque

_WINDOW_S = 1.0


class RequestLimit:
    """At most ``per_second`` requests within any second of real time; None for no limit."""

    def __init__(self, per_second: int | None = 10) -> None:
        self.per_second = per_second
        self.refused = 0
        """Refused requests since the start."""
        self.most_in_a_second = 0
        """Maximum number of requests within one second, including refused ones."""
        self._admitted: deque[float] = deque()
        self._arrived: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self, elapsed_s: float) -> bool:
        """Return whether a request at ``elapsed_s`` (real seconds from any fixed point) is within the limit."""
        with self._lock:
            _drop_old(self._arrived, elapsed_s)
            _drop_old(self._admitted, elapsed_s)
            self._arrived.append(elapsed_s)
            self.most_in_a_second = max(self.most_in_a_second, len(self._arrived))
            if self.per_second is not None and len(self._admitted) >= self.per_second:
                self.refused += 1
                return False
            self._admitted.append(elapsed_s)
            return True


def _drop_old(times: deque[float], elapsed_s: float) -> None:
    while times and times[0] <= elapsed_s - _WINDOW_S:
        times.popleft()
