"""Limits a process to the memory and the processor time of a Lambda function.

The kernel limits memory (``RLIMIT_DATA``: all writable memory, including whole thread stacks), so a process that needs
more fails. A process that used more than its share of a core is stopped for a while, as Lambda's scheduler does.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.processes import PROJECT

CORE_MB = 1769
"""Memory at which a Lambda function has one whole core (AWS Lambda developer guide, "Configure memory")."""

_MEMORY = "BENCH_MEMORY_MB"
_PERIOD_S = 0.02
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def share_of_core(memory_mb: int) -> float:
    """Return the share of a core that a function with this memory has, at most 1."""
    return min(1.0, memory_mb / CORE_MB)


def memory_of_poll() -> int:
    """Return the memory of Poll in the template, in MB; raises LookupError."""
    template = (PROJECT / "template.yaml").read_text(encoding="utf-8")
    found = re.search(r"^  PollFunction:\n(?:    .*\n|\n)*?      MemorySize: (\d+)$", template, re.MULTILINE)
    if found is None:
        raise LookupError("template.yaml has no MemorySize for PollFunction")
    return int(found[1])


def variables_of(memory_mb: int) -> Mapping[str, str]:
    """Return the variable that ``keep_to_memory`` reads."""
    return {_MEMORY: str(memory_mb)}


def keep_to_memory(environ: Mapping[str, str]) -> None:
    """Limit the memory of this process as ``environ`` says."""
    if _MEMORY in environ:
        most = int(environ[_MEMORY]) * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


@contextmanager
def limited_to_share(share: float, pid: int) -> Iterator[None]:
    """Limit a process to ``share`` of a core until the ``with`` block ends."""
    if share >= 1:
        yield
        return
    ended = threading.Event()
    limiter = threading.Thread(target=_limit, args=(share, pid, ended))
    limiter.start()
    try:
        yield
    finally:
        ended.set()
        limiter.join()


def _limit(share: float, pid: int, ended: threading.Event) -> None:
    # Unused time of a period is lost. Overuse reduces the next period.
    allowed_s, used_s, checked_s = 0.0, _cpu_s(pid), time.monotonic()
    # The caller notices if the process has ended.
    with suppress(ProcessLookupError, FileNotFoundError):
        while not ended.wait(_PERIOD_S):
            now_s, now_used_s = time.monotonic(), _cpu_s(pid)
            allowed_s = min(allowed_s + share * (now_s - checked_s), share * _PERIOD_S) - (now_used_s - used_s)
            used_s, checked_s = now_used_s, now_s
            os.kill(pid, signal.SIGSTOP if allowed_s < 0 else signal.SIGCONT)
        os.kill(pid, signal.SIGCONT)


def _cpu_s(pid: int) -> float:
    """Return the processor time of another process, all threads together."""
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS_PER_S
