"""Name look-up that ends when it must.

``getaddrinfo`` knows no timeout, so it runs in a thread of its own, which is left behind when it
takes too long; the resolver gives up by itself some seconds later.
"""

from __future__ import annotations

import queue
import socket
import threading
from dataclasses import dataclass

from examhook.http.errors import NameLookupError

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
"""What ``socket.connect`` takes; the last form is what Python gives where it was built without IPv6."""


@dataclass(frozen=True, slots=True)
class HostAddress:
    """One address of a host, ready to connect to."""

    family: socket.AddressFamily
    sockaddr: SocketAddress

    @property
    def ip(self) -> str:
        """The IP address as text; an IPv6 one may carry a scope (``%eth0``)."""
        return str(self.sockaddr[0])


def host_addresses(host: str, port: int, *, within_s: float) -> tuple[HostAddress, ...]:
    """Addresses of ``host`` in the order to try them; raises NameLookupError, or TimeoutError after ``within_s``."""
    numeric = _numeric(host, port)
    if numeric:
        return numeric
    answers: queue.SimpleQueue[tuple[HostAddress, ...] | None] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), name="name-lookup", daemon=True).start()
    try:
        found = answers.get(timeout=within_s)
    except queue.Empty:
        found = ()
        late = True
    else:
        late = False
    if late:
        raise TimeoutError
    if not found:
        raise NameLookupError(f"The name {host} has no address. Check how it is spelled, and the DNS.")
    return found


def _numeric(host: str, port: int) -> tuple[HostAddress, ...]:
    """The address that ``host`` spells out, if it does: no look-up, so no thread."""
    try:
        return _addresses(host, port, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()


def _look_up(host: str, port: int, answers: queue.SimpleQueue[tuple[HostAddress, ...] | None]) -> None:
    try:
        answers.put(_addresses(host, port, 0))
    except (OSError, UnicodeError):
        answers.put(None)


def _addresses(host: str, port: int, flags: int) -> tuple[HostAddress, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple(HostAddress(family, sockaddr) for family, _, _, _, sockaddr in found)
