"""What this process used of the machine so far."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def cpu_s() -> float:
    """Seconds of processor time of the whole process, all its threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_bytes() -> int:
    """The most memory that the process has held so far."""
    # ru_maxrss may be the parent's where the process was forked; the kernel's own mark is this process's alone.
    if _STATUS.exists():
        lines = _STATUS.read_text().splitlines()
        peak_kib = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
        if peak_kib is not None:
            return int(peak_kib) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
