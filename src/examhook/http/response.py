"""The response to a request, parsed more leniently than by ``http.client``.

``http.client`` skips ``100 Continue``, but returns every other interim response (``102``, ``103``) as if it were final.
The final response then stays in the connection and is returned for the next request. Its header parser stops at the
first malformed line, so it loses a ``Content-Length`` after that line.

Source: RFC 9110, section 15.2 (a client skips interim responses that it does not understand).
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from examhook.http.call import current_call

if TYPE_CHECKING:
    from io import BufferedReader

_HEADER = re.compile(rb"[!-9;-~]+:")
"""Start of a header line that the parser behind ``http.client`` accepts."""

_END_OF_HEAD = frozenset({b"\r\n", b"\n"})


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response with any status."""

    status: int
    headers: Mapping[str, str]
    """Names are case-insensitive."""
    body: bytes = field(repr=False)
    """Decompressed."""
    truncated: bool
    """Whether the rest of the body was not read."""
    elapsed_s: float


class SwitchedProtocolsError(http.client.HTTPException):
    """The peer answered ``101``, although no request asks for another protocol."""


class FinalResponse(http.client.HTTPResponse):
    """The final response. It sets the status of the current call when the status line arrives."""

    def begin(self) -> None:
        """Read the head of the final response, and skip interim responses before it.

        Raises SwitchedProtocolsError and the errors of ``http.client``.
        """
        reader = self.fp
        self.fp = _HeadReader(reader)  # type: ignore[assignment]
        try:
            self._begin_final()
        finally:
            if self.fp is not None:
                self.fp = reader
        if self.length == 0 and self._announces_body():
            # A 204 or 304 with a body: the next response on this connection would begin with that body.
            self.will_close = True

    def _begin_final(self) -> None:
        while True:
            # If headers are set, ``begin`` assumes that the response was already read.
            self.headers = self.msg = None  # type: ignore[assignment]
            try:
                super().begin()
            finally:
                # Until the version is known, http.client stores a text here.
                version: object = self.version
                if isinstance(version, int) and self.status >= HTTPStatus.OK:
                    current_call().status = self.status
            if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise SwitchedProtocolsError
            if self.status >= HTTPStatus.OK:
                return

    def _announces_body(self) -> bool:
        return self.headers.get("Content-Length", "0").strip() != "0" or "Transfer-Encoding" in self.headers


class _HeadReader:
    """Reads the lines of heads, and skips malformed header lines.

    ``http.client`` reads a head only with ``readline``.
    """

    def __init__(self, reader: BufferedReader) -> None:
        self._reader = reader
        self._is_status_line = True
        self._is_skipping = False

    def readline(self, limit: int) -> bytes:
        """Return the next status line, header line, continuation line or end of a head."""
        while True:
            line = self._reader.readline(limit)
            if not line and not self._is_status_line:
                # http.client would treat the end of the connection as the end of the head.
                raise http.client.IncompleteRead(b"")
            if self._is_status_line or line in _END_OF_HEAD:
                self._is_status_line = not self._is_status_line
                self._is_skipping = False
                return line
            if len(line) >= limit:
                # http.client raises LineTooLong.
                return line
            if line[:1] not in {b" ", b"\t"}:
                self._is_skipping = _HEADER.match(line) is None
            if not self._is_skipping:
                return line

    def close(self) -> None:
        """Close the reader; ``http.client`` does this after an invalid status line."""
        self._reader.close()
