"""Maps errors of ``requests``, ``urllib3`` and sockets to those of ``examhook.http.errors``."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Sequence

import requests
import urllib3

from examhook.http.call import Call
from examhook.http.errors import (
    BrokenResponseError,
    CertificateError,
    ConnectError,
    DeadlineError,
    HttpError,
    StaleConnectionError,
    TlsError,
)
from examhook.http.response import SwitchedProtocolsError

REQUEST_ERRORS = (
    HttpError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
"""Errors raised by a request when the peer or the network fails."""

_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)

_TLS_TOO_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION"})
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""Values of ``ssl.SSLError.reason``, as named by OpenSSL."""

_INCOMPLETE_CHAIN = frozenset({2, 20, 21})
"""OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, …_ISSUER_CERT_LOCALLY and UNABLE_TO_VERIFY_LEAF_SIGNATURE."""
_NOT_VALID_NOW = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def http_error_for(error: Exception, call: Call, host: str) -> HttpError:
    """The error to raise instead of ``error``, without cause and context."""
    if isinstance(error, HttpError) and not call.is_over:
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    chain = tuple(_chain(error))
    if call.is_over or any(isinstance(link, _TIMEOUTS) for link in chain):
        return DeadlineError(f"{host} did not answer in full within {call.deadline_at - call.started_at:g} s.")
    if call.status is not None:
        return BrokenResponseError(_problem_after_status_line(chain, host))
    if call.found_connection_stale:
        return StaleConnectionError(f"The reused connection to {host} was already closed.")
    return _error_before_response(chain, host)


def _problem_after_status_line(chain: Sequence[BaseException], host: str) -> str:
    for link in chain:
        if isinstance(link, http.client.LineTooLong):
            return f"The response of {host} has a header line of more than 64 KiB."
        if type(link) is http.client.HTTPException:
            # http.client raises only this error without a class of its own.
            return f"The response of {host} has more than 100 headers."
    return f"The response of {host} is incomplete or malformed."


def _error_before_response(chain: Sequence[BaseException], host: str) -> HttpError:
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return _untrusted(link, host)
        if isinstance(link, ssl.SSLError):
            return TlsError(_tls_problem(link, host))
        if isinstance(link, ConnectionError):
            break
        if isinstance(link, SwitchedProtocolsError):
            return BrokenResponseError(f"{host} switched to another protocol (101) without being asked to.")
        if isinstance(link, http.client.HTTPException | urllib3.exceptions.InvalidHeader):
            return BrokenResponseError(f"The response of {host} is not HTTP.")
    return ConnectError(f"The connection to {host} closed before a response arrived.")


def _untrusted(error: ssl.SSLCertVerificationError, host: str) -> TlsError:
    problem = f"The certificate of {host} cannot be trusted: {error.verify_message}."
    if error.verify_code in _INCOMPLETE_CHAIN:
        return CertificateError(
            f"{problem} The server must send its intermediate certificate along with its own,"
            " and a public authority must have issued it. Ask its operator to install the full certificate chain."
        )
    if error.verify_code in _NOT_VALID_NOW:
        return CertificateError(f"{problem} Ask the server's operator to renew it.")
    return TlsError(problem)


def _tls_problem(error: ssl.SSLError, host: str) -> str:
    if error.reason in _TLS_TOO_OLD:
        return f"{host} supports only TLS versions before 1.2, which are not secure."
    if error.reason in _NO_TLS:
        return f"{host} does not use TLS on this port; it may be an http:// server."
    return f"The TLS handshake with {host} failed."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and its causes, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
