"""Sockets that keep to the deadline of the call they are used in.

A socket's timeout covers one operation, so a peer that sends a byte now and then is never late.
These set it anew before each operation, to what is left of the call. Connecting, the TLS handshake
and ``sendall`` count as one operation each: Python sees to it that their timeout covers the whole.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from examhook.http.call import AddressCheck, current_call
from examhook.http.errors import ConnectError
from examhook.http.lookup import HostAddress, host_addresses

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class DeadlineSocket(socket.socket):
    """A TCP socket whose every operation ends with the call."""

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """Receive, within what is left of the call."""
        call = current_call()
        self.settimeout(call.left_s())
        received = super().recv_into(buffer, nbytes, flags)
        call.received_bytes = call.received_bytes or received > 0
        return received

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """Send all of ``data``, within what is left of the call."""
        self.settimeout(current_call().left_s())
        super().sendall(data, flags)


class DeadlineTlsSocket(ssl.SSLSocket):
    """The same, with TLS."""

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive, within what is left of the call."""
        call = current_call()
        self.settimeout(call.left_s())
        received = super().recv_into(buffer, nbytes, flags)
        call.received_bytes = call.received_bytes or received > 0
        return received

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send some of ``data``, within what is left of the call; ``sendall`` comes through here."""
        self.settimeout(current_call().left_s())
        return super().send(data, flags)


def connect(host: str, port: int, check_address: AddressCheck | None) -> DeadlineSocket:
    """A connection to ``host``, its name looked up once and every address checked before any is tried.

    Raises NameLookupError, ConnectError, what ``check_address`` raises, and TimeoutError when the
    call's deadline passes.
    """
    call = current_call()
    addresses = host_addresses(host, port, within_s=call.left_s())
    if check_address is not None:
        for address in addresses:
            check_address(address.ip)
    for address in addresses:
        connected = _connect_to(address)
        if connected is not None:
            connected.settimeout(call.left_s())
            return connected
    raise ConnectError(f"No connection to {host}: refused, unreachable, or no answer in time.")


def _connect_to(address: HostAddress) -> DeadlineSocket | None:
    timeout_s = current_call().left_to_connect_s()
    connecting = DeadlineSocket(address.family, socket.SOCK_STREAM)
    try:
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connecting.settimeout(timeout_s)
        connecting.connect(address.sockaddr)
    except OSError:
        connecting.close()
        return None
    return connecting
