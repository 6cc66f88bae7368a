"""Processor time and memory of this process."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")


class Stopwatch:
    """Processor and wall clock time since the stopwatch was made."""

    def __init__(self) -> None:
        self._cpu_s, self._began_s = _cpu_s(), time.monotonic()

    def figures(self, uncounted_cpu_s: float = 0) -> dict[str, object]:
        """Return ``cpu_s`` (all threads, minus ``uncounted_cpu_s``), ``wall_s`` and ``peak_bytes`` of the process."""
        cpu_s, wall_s = _cpu_s() - self._cpu_s, time.monotonic() - self._began_s
        return {"cpu_s": cpu_s - uncounted_cpu_s, "wall_s": wall_s, "peak_bytes": _peak_bytes()}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_bytes() -> int:
    # In a forked process ru_maxrss may be the parent's figure; VmHWM belongs to this process alone.
    if _STATUS.exists():
        lines = _STATUS.read_text().splitlines()
        peak_kib = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
        if peak_kib is not None:
            return int(peak_kib) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
