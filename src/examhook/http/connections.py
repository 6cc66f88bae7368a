"""Connections and their pools: they keep the deadline, skip interim responses, and are not reused when too old.

::

    connection from the pool ── is_connected ──▶ reuse
                             └─ otherwise ──▶ close, and open again with ``connect``

A connection counts as not connected if it was idle for longer than IDLE_S, if it has unread bytes, or if the call needs
a new connection. Idle time is measured with the wall clock, because monotonic clocks stop while Lambda freezes the
function.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from examhook.http.call import AddressCheck, current_call
from examhook.http.response import FinalResponse
from examhook.http.sockets import DeadlineSocket, DeadlineTlsSocket, connect

IDLE_S = 20.0
"""Maximum idle time of a connection that is reused."""

CONNECTIONS_KEPT = 20
"""Maximum idle connections per host, and maximum hosts with idle connections."""


class DeadlineAdapter(HTTPAdapter):
    """A ``requests`` adapter with these connections; HttpClient documents the arguments."""

    def __init__(
        self,
        check_address: AddressCheck | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(pool_connections=CONNECTIONS_KEPT, pool_maxsize=CONNECTIONS_KEPT)
        tls = tls or ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        tls.sslsocket_class = DeadlineTlsSocket
        self.poolmanager.pool_classes_by_scheme = _pools(check_address, now)
        self.poolmanager.connection_pool_kw["ssl_context"] = tls

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Do nothing: the shared TLS context has the authorities, and loading them per connection takes 20 ms."""


def _pools(check_address: AddressCheck | None, now: Callable[[], float]) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools by scheme."""

    class Connection(HTTPConnection):
        response_class = FinalResponse
        used_at = 0.0

        def _new_conn(self) -> DeadlineSocket:
            return connect(self._dns_host, self.port, check_address)

        @property
        def is_connected(self) -> bool:
            # urllib3 checks the socket for unread bytes, but not for bytes that TLS has already decrypted.
            has_unread = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0
            reuses = not has_unread and _is_reusable(self.used_at, now()) and super().is_connected
            # The pool asks before each use of an idle connection.
            current_call().reused_connection = reuses
            return reuses

        def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3's own connections
            self.used_at = now()
            return super().getresponse()

    class TlsConnection(Connection, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}


def _is_reusable(used_at: float, now: float) -> bool:
    """Whether the current call may reuse a connection last used at ``used_at``; both are Unix seconds."""
    # After the clock was set back, the idle time is unknown.
    return not current_call().needs_new_connection and 0 <= now - used_at <= IDLE_S
