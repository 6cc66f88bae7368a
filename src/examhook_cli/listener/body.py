"""Reads request bodies with Content-Length or chunked transfer encoding (RFC 9112, section 7.1).

Proxies such as Cloudflare Tunnel send chunked bodies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedIOBase

MAX_BODY_BYTES = 1024 * 1024

_MAX_LINE_BYTES = 8192
_LENGTH = re.compile(r"[0-9]{1,12}", re.ASCII)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


@dataclass
class UnreadableBodyError(Exception):
    """The body is invalid; ``status`` is the HTTP status to respond with, ``problem`` the reason."""

    status: HTTPStatus
    problem: str


def read_body(headers: Mapping[str, str], stream: BufferedIOBase) -> bytes:
    """Read a body (header names in lower case); raises UnreadableBodyError, and EOFError at a premature end."""
    if "transfer-encoding" in headers:
        return _chunks(headers["transfer-encoding"], stream)
    length = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        raise UnreadableBodyError(HTTPStatus.BAD_REQUEST, "its Content-Length is not a number")
    return _exactly(_within_limit(int(length)), stream)


def _chunks(encoding: str, stream: BufferedIOBase) -> bytes:
    if encoding.strip().lower() != "chunked":
        raise UnreadableBodyError(HTTPStatus.NOT_IMPLEMENTED, "its Transfer-Encoding is not chunked")
    body = b""
    while size := _chunk_size(stream):
        _within_limit(len(body) + size)
        body += _exactly(size, stream)
        if stream.readline(_MAX_LINE_BYTES).strip():
            raise UnreadableBodyError(HTTPStatus.BAD_REQUEST, "a chunk is longer than it says")
    while stream.readline(_MAX_LINE_BYTES).strip():
        # Trailers are ignored.
        continue
    return body


def _chunk_size(stream: BufferedIOBase) -> int:
    line = stream.readline(_MAX_LINE_BYTES)
    if not line:
        raise EOFError
    size = _CHUNK_SIZE.fullmatch(line)
    if size is None:
        raise UnreadableBodyError(HTTPStatus.BAD_REQUEST, "a chunk has no size")
    return int(size[1], 16)


def _within_limit(length: int) -> int:
    if length > MAX_BODY_BYTES:
        raise UnreadableBodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "its body is longer than 1 MiB")
    return length


def _exactly(length: int, stream: BufferedIOBase) -> bytes:
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return body
