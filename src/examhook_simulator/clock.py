"""A virtual clock that a script moves, or that runs at a multiple of real time."""

from __future__ import annotations

import time
from collections.abc import Callable

FROZEN_START_AT = 1_790_000_000
"""Default start of a clock: 21 September 2026."""


class VirtualClock:
    """Virtual Unix seconds.

    Args:
        start_at: the time at the start.
        speed: virtual seconds per real second; at 0, only ``advance`` moves the clock.
        elapsed_s: monotonic real seconds from any fixed point.
    """

    def __init__(
        self,
        start_at: float = FROZEN_START_AT,
        speed: float = 0.0,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._elapsed_s = elapsed_s
        self._base_at = start_at
        self._base_elapsed_s = elapsed_s()
        self._speed = speed

    @property
    def speed(self) -> float:
        """Virtual seconds per real second."""
        return self._speed

    def now(self) -> float:
        """Return the virtual time."""
        return self._base_at + (self._elapsed_s() - self._base_elapsed_s) * self._speed

    def advance(self, seconds: float) -> None:
        """Move the clock ahead."""
        self._base_at += seconds

    def run_at(self, speed: float) -> None:
        """Change the speed."""
        self._base_at, self._base_elapsed_s = self.now(), self._elapsed_s()
        self._speed = speed
