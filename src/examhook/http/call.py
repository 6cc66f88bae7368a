"""What the sockets of a request must know of it: until when, and which addresses are allowed.

``requests`` has no way to hand these down to a socket, so they travel beside it in a context
variable, which each thread has for itself. What the sockets find out travels back the same way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

AddressCheck = Callable[[str], None]
"""Raises BlockedAddressError when the given IP address (text) may not be connected to."""


@dataclass(slots=True)
class Call:
    """One request under way."""

    started_at: float
    """Monotonic seconds, as the deadline."""
    deadline_at: float
    connect_timeout_s: float
    needs_new_connection: bool = False
    """No connection that is kept alive may be used."""
    reused_connection: bool = False
    """The call began on a connection that was kept alive."""
    received_bytes: bool = False
    """Something of an answer came."""
    status: int | None = None
    """Status of the final answer, as soon as its status line came."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self.started_at

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline_at

    @property
    def found_connection_stale(self) -> bool:
        """Whether a reused connection gave nothing of an answer."""
        return self.reused_connection and not self.received_bytes

    def left_s(self) -> float:
        """Seconds until the deadline, more than 0; raises TimeoutError."""
        left = self.deadline_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def left_to_connect_s(self) -> float:
        """Seconds that one attempt to connect may take; raises TimeoutError."""
        return min(self.left_s(), self.connect_timeout_s)


_current: ContextVar[Call] = ContextVar("current_call")


def current_call() -> Call:
    """The call that this thread is making; raises LookupError outside of one."""
    return _current.get()


@contextmanager
def calling(deadline_s: float, connect_timeout_s: float, *, needs_new_connection: bool = False) -> Iterator[Call]:
    """Begin a call, whose clock starts now."""
    now = time.monotonic()
    call = Call(now, now + deadline_s, connect_timeout_s, needs_new_connection)
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
