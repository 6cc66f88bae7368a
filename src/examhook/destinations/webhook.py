"""Sends one webhook and tells what came of it; decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from examhook import __version__
from examhook.delivery.record import EXCERPT_BYTES, SendOutcome, SendResult
from examhook.delivery.url import EndpointUrlError, check_endpoint_url
from examhook.http.errors import (
    BadUrlError,
    BlockedAddressError,
    BrokenAnswerError,
    ConnectError,
    DeadlineError,
    HttpError,
    NameLookupError,
    StaleConnectionError,
    TlsError,
)
from examhook.http.session import Answer, BoundedSession

MAX_ANSWER_BYTES = 16 * 1024
"""So much of an answer is read, decompressed; what a receiver says beyond it is left unread."""

_OUTCOMES: Mapping[type[HttpError], SendOutcome] = {
    BadUrlError: SendOutcome.ADDRESS_REFUSED,
    BlockedAddressError: SendOutcome.ADDRESS_REFUSED,
    BrokenAnswerError: SendOutcome.BROKEN_ANSWER,
    ConnectError: SendOutcome.UNREACHABLE,
    DeadlineError: SendOutcome.TIMED_OUT,
    NameLookupError: SendOutcome.NAME_NOT_FOUND,
    TlsError: SendOutcome.TLS_FAILED,
}


class WebhookSender:
    """Posts events to receivers; safe to use from several threads."""

    def __init__(
        self,
        session: BoundedSession,
        *,
        allow_http: bool,
        allow_private: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._allow_http = allow_http
        self._allow_private = allow_private
        self._monotonic = monotonic

    def send(self, endpoint_url: str, body: bytes, headers: Mapping[str, str], deadline_s: float) -> SendResult:
        """What one attempt brought; never raises for what the receiver or the network does.

        A request that goes out on a reused connection, which breaks before any byte of an answer, is sent once
        more on a new one: it was the connection that failed, not the receiver.
        """
        began_at = self._monotonic()
        try:
            check_endpoint_url(endpoint_url, allow_http=self._allow_http, allow_private=self._allow_private)
            answer = self._post(endpoint_url, body, headers, deadline_s)
        except EndpointUrlError as error:
            return SendResult(SendOutcome.ADDRESS_REFUSED, None, 0, detail=str(error))
        except HttpError as error:
            return _broken(error, _ms(self._monotonic() - began_at))
        return _result(answer)

    def _post(self, endpoint_url: str, body: bytes, headers: Mapping[str, str], deadline_s: float) -> Answer:
        def post(deadline_s: float, *, new_connection: bool = False) -> Answer:
            return self._session.send(
                "POST",
                endpoint_url,
                deadline_s=deadline_s,
                max_body_bytes=MAX_ANSWER_BYTES,
                # Nothing is gained by a compressed answer, and some receivers name a compression that they do not use.
                headers={**headers, "Accept-Encoding": "identity", "User-Agent": f"examhook/{__version__}"},
                data=body,
                new_connection=new_connection,
            )

        began_at = self._monotonic()
        try:
            return post(deadline_s)
        except StaleConnectionError:
            return post(max(deadline_s - (self._monotonic() - began_at), 0), new_connection=True)


def _result(answer: Answer) -> SendResult:
    return SendResult(
        SendOutcome.ANSWERED,
        answer.status,
        _ms(answer.elapsed_s),
        answer_excerpt=excerpt_of(answer.body),
        # A success says nothing about waiting.
        retry_after=answer.headers.get("Retry-After") if answer.status >= HTTPStatus.MULTIPLE_CHOICES else None,
    )


def _broken(error: HttpError, latency_ms: int) -> SendResult:
    """The result of an attempt without an answer, or with one of which only the beginning can be read."""
    # Errors that are a special case of one in the table have its outcome.
    outcome = next(_OUTCOMES[kind] for kind in type(error).__mro__ if kind in _OUTCOMES)
    came = SendResult(outcome, None, 0) if error.answer is None else _result(error.answer)
    return replace(came, outcome=outcome, latency_ms=latency_ms, detail=str(error))


def excerpt_of(body: bytes) -> str:
    """The beginning of an answer as text of at most 1 KiB, safe to show: no control characters but line breaks."""
    text = body[:EXCERPT_BYTES].decode("utf-8", errors="replace")
    shown = "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown.encode()[:EXCERPT_BYTES].decode("utf-8", errors="ignore")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
