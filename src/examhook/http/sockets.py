"""Connects to a host and limits every socket operation to the deadline of the call.

A plain socket timeout limits one operation, so a peer that sends one byte now and then never exceeds it. These sockets
set the timeout before each operation to the remaining time. Python applies it to the whole of a connect, TLS handshake
or ``sendall``.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.http.call import AddressCheck, current_call
from examhook.http.errors import ConnectError, NameLookupError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
"""Argument of ``socket.connect``; Python returns the last form if it was built without IPv6."""


class DeadlineSocket(socket.socket):
    """A TCP socket that keeps the deadline of the current call."""

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """Receive within the remaining time."""
        self.settimeout(current_call().left_s())
        return _record_received(super().recv_into(buffer, nbytes, flags))

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """Send all of ``data`` within the remaining time."""
        self.settimeout(current_call().left_s())
        super().sendall(data, flags)


class DeadlineTlsSocket(ssl.SSLSocket):
    """A TLS socket that keeps the deadline of the current call."""

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive within the remaining time."""
        self.settimeout(current_call().left_s())
        return _record_received(super().recv_into(buffer, nbytes, flags))

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send a part of ``data`` within the remaining time; ``sendall`` calls this method."""
        self.settimeout(current_call().left_s())
        return super().send(data, flags)


def _record_received(count: int) -> int:
    if count > 0:
        current_call().received_bytes = True
    return count


def connect(host: str, port: int, check_address: AddressCheck | None) -> DeadlineSocket:
    """Connect to ``host``: resolve its name once, check every address, then try the addresses in order.

    Raises NameLookupError, ConnectError, the errors of ``check_address``, and TimeoutError after the deadline.
    """
    call = current_call()
    addresses = _resolve(host, port, call.left_s())
    if check_address is not None:
        for address in addresses:
            check_address(address.ip)
    for address in addresses:
        connection = _connect_to(address)
        if connection is not None:
            connection.settimeout(call.left_s())
            return connection
    raise ConnectError(f"Cannot connect to {host}: the connection was refused or timed out, or there is no route.")


@dataclass(frozen=True, slots=True)
class _HostAddress:
    family: socket.AddressFamily
    sockaddr: _SocketAddress

    @property
    def ip(self) -> str:
        """The IP address as text; an IPv6 address may have a scope (``%eth0``)."""
        return str(self.sockaddr[0])


def _connect_to(address: _HostAddress) -> DeadlineSocket | None:
    timeout_s = current_call().left_to_connect_s()
    connection = DeadlineSocket(address.family, socket.SOCK_STREAM)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout_s)
        connection.connect(address.sockaddr)
    except OSError:
        connection.close()
        return None
    return connection


def _resolve(host: str, port: int, timeout_s: float) -> tuple[_HostAddress, ...]:
    """Addresses of ``host``, preferred first; raises NameLookupError and TimeoutError.

    ``getaddrinfo`` has no timeout, so it runs in a thread of its own. After a timeout the thread continues until the
    resolver gives up some seconds later.
    """
    # A numeric host needs no lookup, and therefore no thread.
    numeric = _addresses(host, port, socket.AI_NUMERICHOST)
    if numeric:
        return numeric
    results: queue.SimpleQueue[tuple[_HostAddress, ...]] = queue.SimpleQueue()
    threading.Thread(target=lambda: results.put(_addresses(host, port)), name="name-lookup", daemon=True).start()
    # Raised outside the handler, so that the error has no context.
    found = _next_or_none(results, timeout_s)
    if found is None:
        raise TimeoutError
    if not found:
        raise NameLookupError(f"The host name {host} has no address. Check its spelling and its DNS records.")
    return found


def _next_or_none(
    results: queue.SimpleQueue[tuple[_HostAddress, ...]], timeout_s: float
) -> tuple[_HostAddress, ...] | None:
    try:
        return results.get(timeout=timeout_s)
    except queue.Empty:
        return None


def _addresses(host: str, port: int, flags: int = 0) -> tuple[_HostAddress, ...]:
    """Addresses that the resolver returns; empty for an error."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        return ()
    return tuple(_HostAddress(family, sockaddr) for family, _, _, _, sockaddr in found)
