"""State of the HTTP call that the current thread makes: its deadline, and how far it got.

``requests`` cannot pass these values to sockets, so they are stored in a context variable, one per thread. Sockets and
responses record there what they observe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

AddressCheck = Callable[[str], None]
"""Raises BlockedAddressError if connections to an IP address (text) are not allowed."""


@dataclass(slots=True)
class Call:
    """One request in progress."""

    started_at: float
    """Monotonic seconds, like ``deadline_at``."""
    deadline_at: float
    connect_timeout_s: float
    needs_new_connection: bool = False
    """Whether the call must not reuse an idle connection."""
    reused_connection: bool = False
    received_bytes: bool = False
    """Whether any byte of a response arrived."""
    status: int | None = None
    """Status of the final response, set when its status line arrives."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start of the call."""
        return time.monotonic() - self.started_at

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline_at

    @property
    def found_connection_stale(self) -> bool:
        """Whether a reused connection returned no byte."""
        return self.reused_connection and not self.received_bytes

    def left_s(self) -> float:
        """Seconds until the deadline, greater than 0; raises TimeoutError."""
        left = self.deadline_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def left_to_connect_s(self) -> float:
        """Maximum seconds for one attempt to connect; raises TimeoutError."""
        return min(self.left_s(), self.connect_timeout_s)


_current: ContextVar[Call] = ContextVar("current_call")


def current_call() -> Call:
    """The call of this thread; raises LookupError if there is none."""
    return _current.get()


@contextmanager
def begin_call(deadline_s: float, connect_timeout_s: float, *, needs_new_connection: bool = False) -> Iterator[Call]:
    """Make a new call the current one; its deadline is ``deadline_s`` from now."""
    now = time.monotonic()
    call = Call(now, now + deadline_s, connect_timeout_s, needs_new_connection)
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
