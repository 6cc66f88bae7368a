"""What the headers of an answer say about time and text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

CLOCKS_AGREE_S = 60
"""A smaller difference between two clocks is none: answers take time, and ``Date`` holds whole seconds."""
MAX_CLOCK_OFFSET_S = 86_400
"""A clock that is further off than any time zone is wrong, or an old answer was kept."""

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([a-z0-9_.:-]{1,40})", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=8)
def http_date(value: str | None) -> int | None:
    """Unix seconds of an HTTP date (RFC 9110, section 5.6.7); None when there is none."""
    if value is None:
        return None
    try:
        moment: datetime = parsedate_to_datetime(value)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, IndexError):
        return None


def clock_offset_s(headers: Mapping[str, str], now: float) -> int | None:
    """Seconds by which the server's clock is ahead of ours, 0 where they agree to the minute.

    ``now`` is our time when the answer was made. None where ``Date`` is absent, unreadable or unbelievable.
    """
    answered_at = http_date(headers.get("Date"))
    if answered_at is None:
        return None
    offset_s = round(answered_at - now)
    if abs(offset_s) > MAX_CLOCK_OFFSET_S:
        return None
    return offset_s if abs(offset_s) >= CLOCKS_AGREE_S else 0


def charset(headers: Mapping[str, str]) -> str | None:
    """The character set that ``Content-Type`` names, in lower case; None where it names none."""
    found = _CHARSET.search(headers.get("Content-Type", ""))
    return found[1].lower() if found else None


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that ``Retry-After`` asks for (RFC 9110, section 10.2.3); None when it asks for nothing.

    A date is compared with the answer's own ``Date``, so that a difference between the clocks does
    not matter; with ``now`` where there is none.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    answered_at = http_date(headers.get("Date"))
    return max(0.0, until - (now if answered_at is None else answered_at))
