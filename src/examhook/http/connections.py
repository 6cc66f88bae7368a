"""Connections that keep the deadline, skip interim answers, and know when they are too old to be used again.

::

    taken from the pool ─▶ is_connected? ── no ─▶ closed, and opened again by ``connect``
                              │
                              └ no: idle for longer than IDLE_S by the wall clock, bytes waiting that no
                                request asked for, or a call that wants a new connection

Idleness is measured by the wall clock, because monotonic clocks stop while Lambda freezes the function.
Like urllib3, these connections answer with a response of another class than ``http.client`` (``getresponse``).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from examhook.http.call import AddressCheck, current_call
from examhook.http.response import FinalResponse
from examhook.http.sockets import DeadlineSocket, connect

IDLE_S = 20.0
"""A connection that was unused for longer is not used again."""


def pools(check_address: AddressCheck | None, now: Callable[[], float]) -> dict[str, type[HTTPConnectionPool]]:
    """Pools by scheme whose connections open their sockets by ``connect``; ``now`` gives Unix seconds."""

    class Plain(HTTPConnection):
        response_class = FinalResponse
        used_at = 0.0

        def _new_conn(self) -> DeadlineSocket:
            return connect(self._dns_host, self.port, check_address)

        @property
        def is_connected(self) -> bool:
            return _noted(usable=_may_be_used_again(self.used_at, now()) and super().is_connected)

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]
            self.used_at = now()
            return super().getresponse()

    class Tls(HTTPSConnection):
        response_class = FinalResponse
        used_at = 0.0

        def _new_conn(self) -> DeadlineSocket:
            return connect(self._dns_host, self.port, check_address)

        @property
        def is_connected(self) -> bool:
            # Bytes that TLS has decrypted already are not seen by a look at the socket.
            unread = self.sock.pending() if isinstance(self.sock, ssl.SSLSocket) else 0
            usable = not unread and _may_be_used_again(self.used_at, now()) and super().is_connected
            return _noted(usable=usable)

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]
            self.used_at = now()
            return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


def _may_be_used_again(used_at: float, now: float) -> bool:
    """Whether the current call may use a connection that was last used at ``used_at``; both are Unix seconds."""
    # A clock that was set back says nothing about how long the connection was idle.
    return not current_call().needs_new_connection and 0 <= now - used_at <= IDLE_S


def _noted(*, usable: bool) -> bool:
    """``usable``, which the pool asks for before each use of a kept connection, noted in the current call."""
    current_call().reused_connection = usable
    return usable
