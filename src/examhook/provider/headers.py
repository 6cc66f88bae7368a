"""What the headers of an answer say about time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


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


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that ``Retry-After`` asks for (RFC 9110, section 10.2.3); None when it asks for nothing.

    A date is read against the answer's own ``Date``, so that a difference between the clocks does
    not matter; against ``now`` where there is none.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    answered_at = http_date(headers.get("Date"))
    return max(0.0, until - (now if answered_at is None else answered_at))
