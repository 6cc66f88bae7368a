"""Sends webhooks and returns their results."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from examhook import __version__
from examhook.delivery.ip_address import ip_refusal_reason
from examhook.delivery.record import EXCERPT_BYTES, SendOutcome, SendResult
from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook.http.call import AddressCheck
from examhook.http.client import HttpClient
from examhook.http.errors import (
    BadUrlError,
    BlockedAddressError,
    BrokenResponseError,
    ConnectError,
    DeadlineError,
    HttpError,
    NameLookupError,
    StaleConnectionError,
    TlsError,
)
from examhook.http.response import HttpResponse

MAX_RESPONSE_BYTES = 16 * 1024
"""Maximum bytes to read of a decompressed response body."""

_OUTCOMES: Mapping[type[HttpError], SendOutcome] = {
    BadUrlError: SendOutcome.ADDRESS_REFUSED,
    BlockedAddressError: SendOutcome.ADDRESS_REFUSED,
    BrokenResponseError: SendOutcome.BROKEN_RESPONSE,
    ConnectError: SendOutcome.UNREACHABLE,
    DeadlineError: SendOutcome.TIMED_OUT,
    NameLookupError: SendOutcome.NAME_NOT_FOUND,
    TlsError: SendOutcome.TLS_FAILED,
}
"""Outcome of each error and its subclasses."""


def guarded_client(*, allow_private: bool) -> HttpClient:
    """An HTTP client that connects only to public IP addresses, or raises BlockedAddressError.

    The client resolves the host name once per connection, checks all its addresses, and connects to one of them. A DNS
    record that changes after the check therefore has no effect. TLS verifies the host name, and redirects are not
    followed.

    Args:
        allow_private: also allow private and loopback addresses (the stack's AllowPrivateEndpoints). Link-local
            addresses, where instance metadata is served, are never allowed.
    """
    return HttpClient(address_check(allow_private=allow_private))


def address_check(*, allow_private: bool) -> AddressCheck:
    """The check that ``guarded_client`` applies to IP addresses."""

    def check(ip: str) -> None:
        reason = ip_refusal_reason(ip, allow_private=allow_private)
        if reason:
            raise BlockedAddressError(f"Nothing was sent: {reason}.")

    return check


class WebhookSender:
    """Posts events to receivers; thread-safe."""

    def __init__(
        self,
        client: HttpClient,
        *,
        allow_http: bool,
        allow_private: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._allow_http = allow_http
        self._allow_private = allow_private
        self._monotonic = monotonic

    def send(self, endpoint_url: str, body: bytes, headers: Mapping[str, str], deadline_s: float) -> SendResult:
        """Make one attempt; failures of the receiver or the network are results, not errors.

        If a reused connection closes before the first byte of a response, the request is repeated once on a new
        connection, because the connection failed and not the receiver.
        """
        began_at = self._monotonic()
        try:
            check_endpoint_url(endpoint_url, allow_http=self._allow_http, allow_private=self._allow_private)
            try:
                response = self._post(endpoint_url, body, headers, deadline_s)
            except StaleConnectionError:
                left_s = max(deadline_s - (self._monotonic() - began_at), 0)
                response = self._post(endpoint_url, body, headers, left_s, new_connection=True)
        except EndpointUrlError as error:
            return SendResult(SendOutcome.ADDRESS_REFUSED, None, 0, detail=str(error))
        except HttpError as error:
            return _error_result(error, _milliseconds(self._monotonic() - began_at))
        return _result(response)

    def _post(
        self,
        endpoint_url: str,
        body: bytes,
        headers: Mapping[str, str],
        deadline_s: float,
        *,
        new_connection: bool = False,
    ) -> HttpResponse:
        return self._client.send(
            "POST",
            endpoint_url,
            deadline_s=deadline_s,
            max_body_bytes=MAX_RESPONSE_BYTES,
            # Short responses need no compression, and some receivers announce one that they do not use.
            headers={**headers, "Accept-Encoding": "identity", "User-Agent": f"examhook/{__version__}"},
            data=body,
            new_connection=new_connection,
        )


def _result(response: HttpResponse) -> SendResult:
    return SendResult(
        SendOutcome.ANSWERED,
        response.status,
        _milliseconds(response.elapsed_s),
        answer_excerpt=excerpt_of(response.body),
        # After a success there is no retry.
        retry_after=response.headers.get("Retry-After") if response.status >= HTTPStatus.MULTIPLE_CHOICES else None,
    )


def _error_result(error: HttpError, latency_ms: int) -> SendResult:
    """The result of an attempt without a complete response."""
    outcome = next(_OUTCOMES[kind] for kind in type(error).__mro__ if kind in _OUTCOMES)
    partial = SendResult(outcome, None, 0) if error.response is None else _result(error.response)
    return replace(partial, outcome=outcome, latency_ms=latency_ms, detail=str(error))


def excerpt_of(body: bytes) -> str:
    """The first EXCERPT_BYTES of a response as text, without control characters except tabs and line breaks."""
    text = body[:EXCERPT_BYTES].decode("utf-8", errors="replace")
    printable = "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
    return printable.encode()[:EXCERPT_BYTES].decode("utf-8", errors="ignore")


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
