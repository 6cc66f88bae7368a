"""An HTTP client on top of ``requests`` with bounded time, bounded memory and no redirects.

One deadline covers everything from the name lookup to the last byte of the response. Proxies, netrc and cookies are
ignored. Errors are those of ``examhook.http.errors``.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from examhook.http.call import AddressCheck, Call, begin_call
from examhook.http.connections import DeadlineAdapter
from examhook.http.error_mapping import REQUEST_ERRORS, http_error_for
from examhook.http.errors import BadUrlError, HttpError
from examhook.http.response import HttpResponse

_READ_BYTES = 65_536
_DEFAULT_HEADERS = {"Accept-Encoding": "gzip, deflate", "User-Agent": "examhook"}

_ENCODED_URL = re.compile(r"(?:[!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})*")
"""A URL whose special characters are all encoded (RFC 3986, section 2)."""

# These loggers write whole URLs with their query: always at level DEBUG, and at WARNING for malformed headers.
for _name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(lambda _record: False)


class HttpClient:
    """Sends requests and keeps connections alive between them; thread-safe.

    Args:
        check_address: called with each IP address of a host before connecting to any of them; raises
            BlockedAddressError. The connection uses a checked address, while TLS and ``Host`` use the name.
        tls: trusted authorities; by default those of certifi.
        now: returns Unix seconds.
    """

    def __init__(
        self,
        check_address: AddressCheck | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._adapter = DeadlineAdapter(check_address, tls, now)

    def send(  # noqa: PLR0913 - the parts of a request
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
    ) -> HttpResponse:
        """Send one request and return its final response; raises HttpError.

        ``connect_timeout_s`` applies to each address of the host. ``new_connection`` prevents the reuse of an idle
        connection; set it to retry at once after StaleConnectionError.
        """
        request = _prepared(method, url, {**_DEFAULT_HEADERS, **(headers or {})}, params, data)
        with begin_call(deadline_s, connect_timeout_s, needs_new_connection=new_connection) as call:
            outcome = self._outcome(request, call, max_body_bytes)
        # Raised outside any handler, so that its context is not an error of requests, which contains the URL.
        if isinstance(outcome, HttpError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Close idle connections."""
        self._adapter.close()

    def _outcome(self, request: requests.PreparedRequest, call: Call, max_body_bytes: int) -> HttpResponse | HttpError:
        host = urlsplit(request.url or "").hostname or ""
        headers: Mapping[str, str] = {}
        body = bytearray()
        try:
            response = self._adapter.send(request, stream=True, timeout=call.left_s())
            headers = CaseInsensitiveDict(response.headers)
            truncated = not _read(response.raw, body, max_body_bytes)
        except REQUEST_ERRORS as caught:
            error = http_error_for(caught, call, host)
            if call.status is not None:
                error.response = HttpResponse(
                    call.status, headers, bytes(body), truncated=True, elapsed_s=call.elapsed_s
                )
            return error
        return HttpResponse(response.status_code, headers, bytes(body[:max_body_bytes]), truncated, call.elapsed_s)


def _read(raw: urllib3.HTTPResponse, body: bytearray, max_bytes: int) -> bool:
    """Append the decompressed body to ``body`` until it exceeds ``max_bytes``; return whether it was read completely.

    The connection is kept alive only if the body was read completely.
    """
    is_complete = False
    try:
        while not is_complete and len(body) <= max_bytes:
            # Unlike read, read1 returns the bytes that arrived before the body breaks off.
            chunk = raw.read1(min(_READ_BYTES, max_bytes + 1 - len(body)), decode_content=True)
            is_complete = not chunk
            body += chunk
    finally:
        if not is_complete:
            raw.close()
    return is_complete


def _prepared(
    method: str, url: str, headers: Mapping[str, str], params: Mapping[str, str] | None, data: bytes | None
) -> requests.PreparedRequest:
    """The request without cookies and authentication; raises BadUrlError."""
    prepared = requests.PreparedRequest()
    encoded = _encoded_url(url)
    try:
        prepared.prepare_method(method)
        prepared.prepare_headers(headers)
        prepared.prepare_body(data, None)
    except (requests.RequestException, ValueError):
        encoded = None
    if encoded is None:
        raise BadUrlError("The URL must begin with http:// or https:// and have a host.")
    prepared.url = f"{encoded}{'&' if '?' in encoded else '?'}{urlencode(params)}" if params else encoded
    return prepared


@lru_cache(maxsize=128)
def _encoded_url(url: str) -> str | None:
    """``url``, encoded and without its fragment; None if it is not a valid HTTP URL."""
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        encoded, given = urlsplit(prepared.url or ""), urlsplit(url)
    except (requests.RequestException, ValueError):
        return None
    if encoded.scheme not in {"http", "https"}:
        return None
    # requests decodes characters that need no encoding (%7E), which some receivers treat as another URL.
    path, query = given[2:4] if _ENCODED_URL.fullmatch(url) else encoded[2:4]
    return urlunsplit((encoded.scheme, encoded.netloc, path, query, ""))
