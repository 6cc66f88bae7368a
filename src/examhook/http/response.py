"""The final answer to a request, read more leniently than ``http.client`` reads it.

``http.client`` skips ``100 Continue`` and takes every other interim answer (``102``, ``103``) for the
final one, which then waits in the connection and answers the next request. Its header parser stops
at the first malformed line, so a ``Content-Length`` after that line is lost.

Source: RFC 9110, section 15.2 (a client skips interim answers that it does not understand).
"""

from __future__ import annotations

import http.client
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from examhook.http.call import current_call

if TYPE_CHECKING:
    from io import BufferedReader

_HEADER = re.compile(rb"[!-9;-~]+:")
"""How the parser behind ``http.client`` expects a header line to begin."""

_END_OF_HEAD = frozenset({b"\r\n", b"\n"})


class SwitchedProtocolsError(http.client.HTTPException):
    """The peer answered ``101`` although no request asks for another protocol."""


class FinalResponse(http.client.HTTPResponse):
    """An answer that is never an interim one; tells the call its status as soon as the status line came."""

    def begin(self) -> None:
        """Read the head of the final answer, and skip all interim answers before it.

        Raises what ``http.client`` raises, and SwitchedProtocolsError.
        """
        reader = self.fp
        self.fp = _Head(reader)  # type: ignore[assignment]
        try:
            self._begin_final()
        finally:
            if self.fp is not None:
                self.fp = reader
        if self.length == 0 and self._announces_a_body():
            # A 204 or 304 with a body: the body would be taken for the beginning of the next answer.
            self.will_close = True

    def _begin_final(self) -> None:
        while True:
            # Otherwise ``begin`` takes the answer for read.
            self.headers = self.msg = None  # type: ignore[assignment]
            try:
                super().begin()
            finally:
                # http.client keeps a text here until it knows the version.
                version: object = self.version
                if isinstance(version, int) and self.status >= HTTPStatus.OK:
                    current_call().status = self.status
            if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise SwitchedProtocolsError
            if self.status >= HTTPStatus.OK:
                return

    def _announces_a_body(self) -> bool:
        return self.headers.get("Content-Length", "0").strip() != "0" or "Transfer-Encoding" in self.headers


class _Head:
    """Lines of a head, without those that are no header.

    ``http.client`` reads a head by ``readline`` only.
    """

    def __init__(self, reader: BufferedReader) -> None:
        self._reader = reader
        self._is_status_line = True
        self._skips = False

    def readline(self, limit: int) -> bytes:
        """The next line that is a status line, a header, the continuation of one, or the end of the head."""
        while True:
            line = self._reader.readline(limit)
            if not line and not self._is_status_line:
                # http.client takes the end of the connection for the end of the head.
                raise http.client.IncompleteRead(b"")
            if self._is_status_line or line in _END_OF_HEAD:
                self._is_status_line = not self._is_status_line
                self._skips = False
                return line
            if len(line) >= limit:
                # http.client raises LineTooLong.
                return line
            if line[:1] not in {b" ", b"\t"}:
                self._skips = _HEADER.match(line) is None
            if not self._skips:
                return line

    def close(self) -> None:
        """Close the reader; ``http.client`` does so where the status line is none."""
        self._reader.close()
