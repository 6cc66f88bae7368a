"""Headers that a person lets each request to an endpoint carry, such as one that a receiver's gateway asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MAX_HEADERS = 10
MAX_HEADERS_BYTES = 3072
"""Of all of them as JSON: what is sealed by one call to KMS has at most 4 KiB."""

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
    """Headers that no endpoint may have; the message names the header and never what it holds."""


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise BadHeaderError unless requests may carry ``headers`` (values by names)."""
    if len(headers) > MAX_HEADERS:
        raise BadHeaderError(f"An endpoint may have {MAX_HEADERS} headers of its own, not {len(headers)}.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise BadHeaderError("A header's name is made of letters, digits and hyphens, at most 64 of them.")
        if name.lower() in _RESERVED or name.lower().startswith(_RESERVED_KINDS):
            raise BadHeaderError(f"The header {name} is set by Examhook or by HTTP itself and cannot be chosen.")
        if not _VALUE.fullmatch(value):
            raise BadHeaderError(f"The header {name} needs a value of plain ASCII characters on one line.")
    if len({name.lower() for name in headers}) != len(headers):
        raise BadHeaderError("A header is named twice; names differ by more than capital letters.")
    if len(headers_text(headers)) > MAX_HEADERS_BYTES:
        raise BadHeaderError(f"The headers are longer than {MAX_HEADERS_BYTES} bytes together.")


def headers_text(headers: Mapping[str, str]) -> str:
    """``headers`` as the text that is sealed and kept."""
    return json.dumps(dict(headers), separators=(",", ":"))
