"""The virtual clock: stands still until a script moves it, or runs at a multiple of real time."""

from __future__ import annotations

import time
from collections.abc import Callable

FROZEN_START_AT = 1_790_000_000
"""Default start of a clock: 21 September 2026."""


class VirtualClock:
    """Unix seconds that begin at ``start_at`` and pass ``speed`` times as fast as ``elapsed_s`` does.

    Args:
        start_at: the first instant, Unix seconds.
        speed: virtual seconds per real second; 0 stands still and only ``advance`` moves it.
        elapsed_s: real seconds from any fixed point, never going back.
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
        """Unix seconds."""
        return self._base_at + (self._elapsed_s() - self._base_elapsed_s) * self._speed

    def advance(self, seconds: float) -> None:
        """Move the clock ahead."""
        self._base_at += seconds

    def run_at(self, speed: float) -> None:
        """Run at another speed from now on."""
        self._base_at, self._base_elapsed_s = self.now(), self._elapsed_s()
        self._speed = speed
