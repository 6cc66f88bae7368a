"""A process as large as a Lambda function: so much memory and no more, and its share of a core.

Memory is held by the kernel (``RLIMIT_DATA``: all that a process can write to, threads' stacks in full included), so
a process that wants more fails. Processor time is held by stopping the process whenever it has used more than its
share, as Lambda's own scheduler does.
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

from tools.bench.json_process import PROJECT

CORE_MB = 1769
"""Memory at which a Lambda function has one whole core (AWS Lambda developer guide, "Configure memory")."""

_MEMORY = "BENCH_MEMORY_MB"
_PERIOD_S = 0.02
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def share_of_core(memory_mb: int) -> float:
    """How much of a core a function with so much memory has, one at most."""
    return min(1.0, memory_mb / CORE_MB)


def memory_of_poll() -> int:
    """How much memory the template gives Poll, MB."""
    template = (PROJECT / "template.yaml").read_text(encoding="utf-8")
    found = re.search(r"^  PollFunction:\n(?:    .*\n|\n)*?      MemorySize: (\d+)$", template, re.MULTILINE)
    if found is None:
        raise LookupError("template.yaml does not say how much memory Poll has")
    return int(found[1])


def variables_of(memory_mb: int) -> Mapping[str, str]:
    """What tells a process how much memory it may take."""
    return {_MEMORY: str(memory_mb)}


def keep_to_memory(environ: Mapping[str, str]) -> None:
    """Take no more memory than ``environ`` says, from now on."""
    if _MEMORY in environ:
        most = int(environ[_MEMORY]) * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


@contextmanager
def held_to(share: float, pid: int) -> Iterator[None]:
    """Let a process have its ``share`` of a core and no more, for the length of a ``with`` block."""
    if share >= 1:
        yield
        return
    over = threading.Event()
    holder = threading.Thread(target=_hold, args=(share, pid, over))
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def _hold(share: float, pid: int, over: threading.Event) -> None:
    # What a period leaves unused is lost; what it took too much is owed.
    allowed_s, used_s, looked_s = 0.0, _cpu_s(pid), time.monotonic()
    # One that has ended is asked for its answer by somebody else.
    with suppress(ProcessLookupError, FileNotFoundError):
        while not over.wait(_PERIOD_S):
            now_s, now_used_s = time.monotonic(), _cpu_s(pid)
            allowed_s = min(allowed_s + share * (now_s - looked_s), share * _PERIOD_S) - (now_used_s - used_s)
            used_s, looked_s = now_used_s, now_s
            os.kill(pid, signal.SIGSTOP if allowed_s < 0 else signal.SIGCONT)
        os.kill(pid, signal.SIGCONT)


def _cpu_s(pid: int) -> float:
    """Seconds of processor time of another process, all its threads together."""
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS_PER_S
