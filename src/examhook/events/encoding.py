"""Encoding of events: times, percent-encoded paths, and JSON.

Errors::

    ValueError
    └── UnwritableInstantError    a retry does not help
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

_LAST_INSTANT = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


class UnwritableInstantError(ValueError):
    """An instant is outside the years 1970 to 9999."""


def instant(at: int) -> str:
    """Return Unix seconds as RFC 3339 in UTC (``2026-05-03T14:02:00Z``); raises UnwritableInstantError."""
    if not 0 <= at <= _LAST_INSTANT:
        raise UnwritableInstantError(f"{at} is not a time in Unix seconds between 1970 and 9999")
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(*parts: str) -> str:
    """Return ``a/b/c``. Each part is percent-encoded, so a part cannot contain a separator."""
    return "/".join(quote(part, safe="", errors="replace") for part in parts)


def compact(body: Mapping[str, object]) -> bytes:
    """Return ``body`` as JSON in UTF-8, without spaces and in the given order of keys."""
    # JSON can carry a lone surrogate but UTF-8 cannot: replace it with a question mark.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(errors="replace")
