"""Errors of one HTTP request.

::

    HttpError                    Does a retry help?
    ├── BadUrlError              no: the URL is not a valid http:// or https:// URL
    ├── BlockedAddressError      no: requests to the host's IP address are not allowed
    ├── NameLookupError          yes, later: the host name has no address, or DNS did not respond in time
    ├── ConnectError             yes: refused, unreachable, or closed before a response
    │   └── StaleConnectionError yes, at once: a reused connection closed before a response
    ├── TlsError                 rarely: the certificate or the TLS version is wrong until someone fixes it
    │   └── CertificateError     rarely: the operator of the host must fix its certificate
    ├── DeadlineError            yes: the deadline passed
    └── BrokenResponseError      yes: the response is incomplete or is not HTTP

Messages contain the host and no other part of the URL, because path and query may contain secrets. For the same reason
these errors have no cause and no context: errors of ``requests`` contain the URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examhook.http.response import HttpResponse


class HttpError(Exception):
    """A request without a usable response."""

    response: HttpResponse | None = None
    """The part of the response that was read, if its status line was."""


class BadUrlError(HttpError):
    """The URL is not a valid http:// or https:// URL."""


class BlockedAddressError(HttpError):
    """Requests to the IP address of the host are not allowed."""


class NameLookupError(HttpError):
    """The host name has no address, or DNS did not respond in time."""


class ConnectError(HttpError):
    """The connection failed, or closed before the first byte of a response."""


class StaleConnectionError(ConnectError):
    """A reused connection closed before the first byte of a response; a new connection may work."""


class TlsError(HttpError):
    """The peer has no valid certificate for the host, or does not support TLS."""


class CertificateError(TlsError):
    """The certificate is incomplete or expired; the message tells the operator of the host what to do."""


class DeadlineError(HttpError):
    """The deadline passed before the last byte of the response."""


class BrokenResponseError(HttpError):
    """The response is incomplete or is not HTTP."""
