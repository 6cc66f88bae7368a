"""Single values of the provider's records, which come as numbers, as text, as flags, or not at all."""

from __future__ import annotations

import re
from decimal import Decimal

EARLIEST_TIME = 946_684_800
"""2000-01-01: no exam was taken online before."""
LATEST_TIME = 4_102_444_800
"""2100-01-01: a time beyond is milliseconds, or nonsense."""

MAX_TEXT_CHARACTERS = 1000
"""Longer texts are cut: what is stored, published and sent has limits, and one monstrous title must not stop events."""

MAX_LINK_CHARACTERS = 4000
"""Longer links are left out: cut, they lead nowhere."""

_MAX_ID_CHARACTERS = 128
_MAX_NUMBER = 10**15
_MAX_POINTS = Decimal(10**9)
_NOISE = Decimal("1e-10")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,30})?", re.ASCII)
_WEB = ("https://", "http://")
_FALSE = frozenset({"0", "false"})
_TRUE = frozenset({"1", "true"})


class UnreadableError(ValueError):
    """The value cannot be understood; the message names the field, never the value."""


# Each of these looks first for what the provider is known to send: a full pass calls them for every field of every row.


def identifier(value: object, field: str) -> str:
    """An id as text; raises UnreadableError when there is none."""
    if type(value) is int and -_MAX_NUMBER < value < _MAX_NUMBER:
        return str(value)
    if isinstance(value, str):
        trimmed = value.strip()
        if trimmed and len(trimmed) <= _MAX_ID_CHARACTERS and trimmed.isprintable():
            return trimmed
    elif isinstance(value, Decimal) and (whole := _whole(value)) is not None:
        return str(whole)
    raise UnreadableError(f"{field} is missing" if value is None else f"{field} is no id")


def integer(value: object, field: str) -> int | None:
    """A whole number, None when the field is absent or empty; raises UnreadableError."""
    if type(value) is int:
        if -_MAX_NUMBER < value < _MAX_NUMBER:
            return value
    elif value is None:
        return None
    elif isinstance(value, str):
        trimmed = value.strip()
        if not trimmed:
            return None
        if _INTEGER.fullmatch(trimmed):
            whole = int(trimmed.partition(".")[0])
            if -_MAX_NUMBER < whole < _MAX_NUMBER:
                return whole
    elif isinstance(value, Decimal) and (whole_number := _whole(value)) is not None:
        return whole_number
    raise UnreadableError(f"{field} is no whole number")


def instant(value: object, field: str) -> int | None:
    """Unix seconds, None when absent or 0; raises UnreadableError outside the years 2000 to 2099."""
    if type(value) is int and EARLIEST_TIME <= value < LATEST_TIME:
        return value
    seconds = integer(value, field)
    if not seconds:
        return None
    if EARLIEST_TIME <= seconds < LATEST_TIME:
        return seconds
    raise UnreadableError(f"{field} is no time")


def points(value: object, field: str) -> Decimal | None:
    """A score, the same Decimal however it was written, None when absent or empty; raises UnreadableError."""
    if value is None:
        return None
    if type(value) is int:
        if abs(value) <= _MAX_POINTS:
            return Decimal(value)
    elif isinstance(value, Decimal):
        if value.is_finite() and -_MAX_POINTS <= value <= _MAX_POINTS:
            return _plain(value)
    elif isinstance(value, str):
        trimmed = value.strip()
        if not trimmed:
            return None
        if _NUMBER.fullmatch(trimmed) and abs(number := Decimal(trimmed)) <= _MAX_POINTS:
            return _plain(number)
    raise UnreadableError(f"{field} is no number")


def flag(value: object) -> bool | None:
    """Yes or no in any of the usual spellings; None when it is neither."""
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    spelled = str(value).strip().lower() if isinstance(value, int | str | Decimal) else ""
    if spelled in _TRUE:
        return True
    return False if spelled in _FALSE else None


def text(value: object) -> str | None:
    """Text that can be stored and sent anywhere, trimmed, and cut where it is too long; None when there is none."""
    found = _text(value)
    if found is None or len(found) <= MAX_TEXT_CHARACTERS:
        return found
    return f"{found[: MAX_TEXT_CHARACTERS - 1]}…"


def link(value: object) -> str | None:
    """An http:// or https:// address; None for anything else, and for one that is too long."""
    found = _text(value)
    if found is None or len(found) > MAX_LINK_CHARACTERS:
        return None
    return found if found.startswith(_WEB) else None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return str(value) if type(value) is int and abs(value) < _MAX_NUMBER else None
    trimmed = value.strip()
    if not trimmed.isascii():
        # A lone surrogate (an escape such as \ud83d without its other half) cannot be written as UTF-8.
        trimmed = trimmed.encode("utf-8", errors="replace").decode("utf-8")
    return trimmed or None


def _whole(value: Decimal) -> int | None:
    # Compared, not computed with: abs() of 1e999999999 overflows.
    if not value.is_finite() or not -_MAX_NUMBER < value < _MAX_NUMBER or value != value.to_integral_value():
        return None
    return int(value)


def _plain(value: Decimal) -> Decimal:
    """30.0, 30.00 and 30 are one score, and none of them is 3E+1; beyond ten decimals all is noise."""
    rounded = value.quantize(_NOISE)
    if rounded == rounded.to_integral_value():
        return Decimal(int(rounded))
    return rounded.normalize()
