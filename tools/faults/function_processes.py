"""The processes of the deployed functions on this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_NAME = b"AWS_LAMBDA_FUNCTION_NAME="


@dataclass(frozen=True, slots=True)
class FunctionProcess:
    """One process of a function."""

    pid: int
    function: str
    """The function's deployed name."""
    memory_kb: int
    """Resident memory, KiB."""


def function_processes(emulator_pid: int) -> Iterator[FunctionProcess]:
    """Yield the function processes that this emulator started."""
    for path in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, StopIteration):
            if _parent(path) != emulator_pid:
                continue
            variables = (path / "environ").read_bytes().split(b"\0")
            name = next(one for one in variables if one.startswith(_NAME)).removeprefix(_NAME).decode()
            yield FunctionProcess(int(path.name), name, _resident_kb(path))


def kill_function(emulator_pid: int, function: str, number: int) -> int:
    """Send signal ``number`` to every process of a function; return the number of processes."""
    killed = 0
    for process in function_processes(emulator_pid):
        if process.function == function:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)
                killed += 1
    return killed


def _parent(path: Path) -> int:
    # The process name comes first, in brackets, and may contain spaces.
    return int((path / "stat").read_text().rpartition(")")[2].split()[1])


def _resident_kb(path: Path) -> int:
    line = next(one for one in (path / "status").read_text().splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1])
