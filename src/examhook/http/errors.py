"""What can go wrong with one HTTP request.

::

    HttpError                 trying again helps unless the row says no
    ├── BadUrlError           no: the address is no http:// or https:// URL
    ├── BlockedAddressError   no: the host stands at an address that may not be connected to
    ├── NameLookupError       yes, later: the host's name has no address, or none came in time
    ├── ConnectError          yes: refused, reset before an answer, unreachable
    │   └── StaleConnectionError  yes, at once: a reused connection broke before anything of an answer came
    ├── TlsError              seldom: the certificate or the protocol is wrong until somebody fixes it
    │   └── CertificateError  seldom: the address is right, and its operator must fix the certificate
    ├── DeadlineError         yes: not done within the deadline
    └── BrokenAnswerError     yes: the answer was cut off, or is not HTTP

Messages name the host and nothing else of the URL, since its path and query may hold secrets. For
the same reason none of these errors has a cause or a context: those of ``requests`` hold the URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examhook.http.answer import Answer


class HttpError(Exception):
    """A request got no usable answer; the message names the host only."""

    answer: Answer | None = None
    """What came of the answer, where its status line came and something after that line is broken."""


class BadUrlError(HttpError):
    """The address is not one that a request can be sent to."""


class BlockedAddressError(HttpError):
    """The host stands at an address that may not be connected to."""


class NameLookupError(HttpError):
    """The host's name could not be turned into an address."""


class ConnectError(HttpError):
    """No connection, or it ended before the first byte of an answer."""


class StaleConnectionError(ConnectError):
    """A connection that was kept alive ended before the first byte of an answer; a new one may be fine."""


class TlsError(HttpError):
    """The peer could not prove to be the host, or does not speak TLS."""


class CertificateError(TlsError):
    """The host's own certificate is incomplete or expired; the message says what its operator must do."""


class DeadlineError(HttpError):
    """The deadline passed before the last byte of the answer."""


class BrokenAnswerError(HttpError):
    """The answer ended too early, or breaks the rules of HTTP."""
