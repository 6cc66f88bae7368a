"""Readers for the headers of an answer: ``Date``, ``Retry-After`` and ``Content-Type``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

NEGLIGIBLE_OFFSET_S = 60
"""Smaller clock offsets are ignored: answers take time, and ``Date`` has a resolution of 1 s."""
MAX_CLOCK_OFFSET_S = 86_400
"""A larger offset is not plausible: no time zone differs more. The clock is wrong or the answer comes from a cache."""

_DELAY_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([a-z0-9_.:-]{1,40})", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=8)
def http_date(value: str | None) -> int | None:
    """Return an HTTP date (RFC 9110, section 5.6.7) as Unix seconds; None if absent or unreadable."""
    if value is None:
        return None
    try:
        date: datetime = parsedate_to_datetime(value)
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, IndexError):
        return None


def clock_offset_s(headers: Mapping[str, str], now: float) -> int | None:
    """Return the seconds by which the server's clock is ahead of ours; 0 if they differ by less than a minute.

    ``now`` is when the server sent the answer, by our clock. None if ``Date`` is absent, unreadable or not plausible.
    """
    answered_at = http_date(headers.get("Date"))
    if answered_at is None:
        return None
    offset_s = round(answered_at - now)
    if abs(offset_s) > MAX_CLOCK_OFFSET_S:
        return None
    return offset_s if abs(offset_s) >= NEGLIGIBLE_OFFSET_S else 0


def charset(headers: Mapping[str, str]) -> str | None:
    """Return the character set in ``Content-Type``, in lower case; None if absent."""
    found = _CHARSET.search(headers.get("Content-Type", ""))
    return found[1].lower() if found else None


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds in ``Retry-After`` (RFC 9110, section 10.2.3); None if absent or unreadable.

    A date is compared with the answer's own ``Date``, so a difference between the clocks has no effect; without a
    ``Date``, it is compared with ``now``.
    """
    value = headers.get("Retry-After", "").strip()
    if _DELAY_SECONDS.fullmatch(value):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    answered_at = http_date(headers.get("Date"))
    return max(0.0, until - (now if answered_at is None else answered_at))
