"""The ``requests`` adapter whose connections keep the deadline and may be told which addresses to refuse."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter

from examhook.http.call import AddressCheck
from examhook.http.connections import pools
from examhook.http.sockets import DeadlineTlsSocket

CONNECTIONS_KEPT = 20
"""Kept-alive connections to one host, and hosts with kept-alive connections."""


class BoundedAdapter(HTTPAdapter):
    """An adapter for BoundedSession.

    ``check_address`` is called with each IP address of the host before any of them is connected to,
    and may raise BlockedAddressError; the connection then goes to an address that was checked, while
    TLS and the ``Host`` header keep to the name. ``tls`` is what to trust instead of certifi's
    authorities. ``now`` gives Unix seconds.
    """

    def __init__(
        self,
        check_address: AddressCheck | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(pool_connections=CONNECTIONS_KEPT, pool_maxsize=CONNECTIONS_KEPT)
        tls = tls or ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        tls.sslsocket_class = DeadlineTlsSocket
        self.poolmanager.pool_classes_by_scheme = pools(check_address, now)
        self.poolmanager.connection_pool_kw["ssl_context"] = tls

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Do nothing: the one TLS context holds the authorities; to load them for each connection costs 20 ms."""
