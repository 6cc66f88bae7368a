"""Progress of a long run, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Say = Callable[[str], None]
"""Prints one line of progress."""


def progress() -> Say:
    """Return a function that prints a line, preceded by the seconds since this call."""
    began_s = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.0f} s  {line}\n")
        sys.stderr.flush()

    return say
