"""A ``requests`` session in which no call can hang, grow without bound, or be led elsewhere.

One deadline runs from the name look-up to the last byte of the answer, also against a peer that
sends a byte now and then. Redirects come back as they are. Proxies, netrc and cookies play no part.
Errors are those of ``examhook.http.errors``:

::

    HttpError
    ├── BadUrlError, BlockedAddressError, TlsError                      trying again does not help
    └── NameLookupError, ConnectError, DeadlineError, BrokenAnswerError  trying again may help
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from examhook.http.adapter import BoundedAdapter
from examhook.http.answer import Answer
from examhook.http.call import Call, calling
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
from examhook.http.failure import CAUGHT, failure

__all__ = [
    "Answer",
    "BadUrlError",
    "BlockedAddressError",
    "BoundedAdapter",
    "BoundedSession",
    "BrokenAnswerError",
    "ConnectError",
    "DeadlineError",
    "HttpError",
    "NameLookupError",
    "StaleConnectionError",
    "TlsError",
]

_READ_BYTES = 65_536
_DEFAULT_HEADERS = {"Accept-Encoding": "gzip, deflate", "User-Agent": "examhook"}

_ENCODED = re.compile(r"(?:[!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})*")
"""A URL in which everything is encoded that must be (RFC 3986, section 2)."""

# These log whole URLs, query string and all: at level DEBUG always, at WARNING when headers are malformed.
for _name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(lambda _record: False)


class BoundedSession:
    """Sends requests; safe to use from several threads. Connections are kept alive between calls."""

    def __init__(self, adapter: BoundedAdapter | None = None) -> None:
        self._adapter = adapter or BoundedAdapter()

    def send(  # noqa: PLR0913 - a request has this many parts
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,
        max_body_bytes: int,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        connect_timeout_s: float = 5.0,
        new_connection: bool = False,
    ) -> Answer:
        """The final answer to one request; raises HttpError.

        ``connect_timeout_s`` is for each address of the host. With ``new_connection`` no connection that was kept
        alive is used. After StaleConnectionError, trying again with it helps at once.
        """
        request = _prepared(method, url, {**_DEFAULT_HEADERS, **(headers or {})}, params, data)
        with calling(deadline_s, connect_timeout_s, needs_new_connection=new_connection) as call:
            outcome = self._outcome(request, call, max_body_bytes)
        # Raised outside any handler, so that no error of requests, which holds the URL, comes along.
        if isinstance(outcome, HttpError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._adapter.close()

    def _outcome(self, request: requests.PreparedRequest, call: Call, max_body_bytes: int) -> Answer | HttpError:
        host = urlsplit(request.url or "").hostname or ""
        headers: Mapping[str, str] = {}
        body = bytearray()
        try:
            response = self._adapter.send(request, stream=True, timeout=call.left_s())
            headers = CaseInsensitiveDict(response.headers)
            truncated = not _read(response.raw, body, max_body_bytes)
        except CAUGHT as error:
            broken = failure(error, call, host)
            if call.status is not None:
                broken.answer = Answer(call.status, headers, bytes(body), truncated=True, elapsed_s=call.elapsed_s)
            return broken
        return Answer(response.status_code, headers, bytes(body[:max_body_bytes]), truncated, call.elapsed_s)


def _read(raw: urllib3.HTTPResponse, body: bytearray, max_bytes: int) -> bool:
    """Read the decompressed body into ``body`` until it is longer than ``max_bytes``; whether it was read whole.

    A connection with an unread rest is closed, one without is kept alive.
    """
    whole = False
    try:
        while not whole and len(body) <= max_bytes:
            # read1 hands out what came before the body breaks off.
            chunk = raw.read1(min(_READ_BYTES, max_bytes + 1 - len(body)), decode_content=True)
            whole = not chunk
            body += chunk
    finally:
        if not whole:
            raw.close()
    return whole


def _prepared(
    method: str, url: str, headers: Mapping[str, str], params: Mapping[str, str] | None, data: bytes | None
) -> requests.PreparedRequest:
    """The request, ready to send, without cookies and authentication; raises BadUrlError."""
    prepared = requests.PreparedRequest()
    address = _address(url)
    try:
        prepared.prepare_method(method)
        prepared.prepare_headers(headers)
        prepared.prepare_body(data, None)
    except (requests.RequestException, ValueError):
        address = None
    if address is None:
        raise BadUrlError("The address is no http:// or https:// URL with a host.")
    prepared.url = f"{address}{'&' if '?' in address else '?'}{urlencode(params)}" if params else address
    return prepared


@lru_cache(maxsize=128)
def _address(url: str) -> str | None:
    """``url`` as it is sent, without a fragment; None where it is none that a request can be sent to."""
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        made, given = urlsplit(prepared.url or ""), urlsplit(url)
    except (requests.RequestException, ValueError):
        return None
    if made.scheme not in {"http", "https"}:
        return None
    # requests decodes what need not be encoded (%7E), which some receivers take for another address.
    path, query = given[2:4] if _ENCODED.fullmatch(url) else made[2:4]
    return urlunsplit((made.scheme, made.netloc, path, query, ""))
