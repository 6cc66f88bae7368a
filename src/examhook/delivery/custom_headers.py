"""Custom headers of an endpoint, for example an API key that the receiver's gateway requires."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MAX_HEADERS = 10
MAX_HEADERS_BYTES = 3072
"""Maximum size of all headers as JSON; KMS encrypts at most 4 KiB per call."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
"""A token (RFC 9110, section 5.6.2)."""
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")

_RESERVED = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect"),
        *("host", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)
_RESERVED_KINDS = ("webhook-", "proxy-", "ce-")


class BadHeaderError(ValueError):
    """A header is not allowed; the message contains its name but not its value."""


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise BadHeaderError if ``headers`` (values by name) are not allowed."""
    if len(headers) > MAX_HEADERS:
        raise BadHeaderError(f"An endpoint may have {MAX_HEADERS} custom headers, not {len(headers)}.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise BadHeaderError("A header name consists of at most 64 letters, digits and hyphens.")
        if name.lower() in _RESERVED or name.lower().startswith(_RESERVED_KINDS):
            raise BadHeaderError(f"The header {name} is reserved for Examhook or HTTP.")
        if not _VALUE.fullmatch(value):
            raise BadHeaderError(f"The value of the header {name} must be one line of ASCII characters.")
    if len({name.lower() for name in headers}) != len(headers):
        raise BadHeaderError("A header name occurs twice; header names are case-insensitive.")
    if len(headers_text(headers)) > MAX_HEADERS_BYTES:
        raise BadHeaderError(f"The custom headers exceed {MAX_HEADERS_BYTES} bytes in total.")


def headers_text(headers: Mapping[str, str]) -> str:
    """``headers`` as JSON, the form in which they are encrypted."""
    return json.dumps(dict(headers), separators=(",", ":"))
