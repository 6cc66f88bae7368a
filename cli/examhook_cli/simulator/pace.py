"""The provider's limit on requests: so many in any second, all integrations of an account together."""

from __future__ import annotations

import threading
from collections import deque

_WINDOW_S = 1.0


class RequestLimit:
    """At most ``per_second`` requests within any second of real time; None allows any number."""

    def __init__(self, per_second: int | None = 10) -> None:
        self.per_second = per_second
        self.refused = 0
        """How many requests were refused so far."""
        self.most_in_a_second = 0
        """The most requests that came within any one second, refused ones included."""
        self._let_in: deque[float] = deque()
        self._came: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self, elapsed_s: float) -> bool:
        """Whether a request at ``elapsed_s`` (real seconds from any fixed point) is within the limit."""
        with self._lock:
            _forget(self._came, elapsed_s)
            _forget(self._let_in, elapsed_s)
            self._came.append(elapsed_s)
            self.most_in_a_second = max(self.most_in_a_second, len(self._came))
            if self.per_second is not None and len(self._let_in) >= self.per_second:
                self.refused += 1
                return False
            self._let_in.append(elapsed_s)
            return True


def _forget(times: deque[float], elapsed_s: float) -> None:
    while times and times[0] <= elapsed_s - _WINDOW_S:
        times.popleft()
