"""Maps errors of ``requests``, ``urllib3`` and sockets to those of ``examhook.http.errors``."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import requests
import urllib3

from examhook.http.call import Call
from examhook.http.errors import (
    BrokenAnswerError,
    CertificateError,
    ConnectError,
    DeadlineError,
    HttpError,
    TlsError,
)

CAUGHT = (HttpError, requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""Everything that sending a request and reading its answer raises when the peer or the network is at fault."""

_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)


_INCOMPLETE_CHAIN = frozenset({2, 20, 21})
"""OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, …_ISSUER_CERT_LOCALLY and UNABLE_TO_VERIFY_LEAF_SIGNATURE."""
_NOT_VALID_NOW = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def failure(error: Exception, call: Call, host: str, *, answered: bool) -> HttpError:
    """The error to raise for ``error``, without any trace of it; ``answered`` says that headers had come."""
    if isinstance(error, HttpError) and not call.is_over:
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    chain = tuple(_chain(error))
    if call.is_over or any(isinstance(link, _TIMEOUTS) for link in chain):
        return DeadlineError(f"{host} did not answer in full within {call.deadline_at - call.started_at:g} s.")
    if answered:
        return BrokenAnswerError(f"The answer of {host} was cut off or is garbled.")
    return _before_answer(chain, host)


def _before_answer(chain: tuple[BaseException, ...], host: str) -> HttpError:
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return _untrusted(link, host)
        if isinstance(link, ssl.SSLError):
            return TlsError(f"{host} does not speak TLS as it should.")
        if isinstance(link, ConnectionError):
            break
        if isinstance(link, http.client.HTTPException | urllib3.exceptions.InvalidHeader):
            return BrokenAnswerError(f"The answer of {host} is not HTTP.")
    return ConnectError(f"The connection to {host} ended before an answer came.")


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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what it came from, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
