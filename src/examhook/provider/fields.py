"""Readers for single fields of the provider's rows.

The provider sends numbers as numbers or as text, spells flags in several ways, and omits fields. A reader returns None
for an absent value and raises UnreadableError for a value without a clear meaning. ``optional`` returns None instead of
raising, and counts the error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from examhook.provider.number_text import float_in, number_in, whole_number_in

T = TypeVar("T")

EARLIEST_TIME = 946_684_800
"""2000-01-01. No online exam is older."""
LATEST_TIME = 4_102_444_800
"""2100-01-01. A later time is in milliseconds or meaningless."""

MAX_TEXT_CHARACTERS = 1000
"""Longer texts are cut, so that they fit into events, tables and messages."""

MAX_LINK_CHARACTERS = 4000
"""Longer links are omitted, because a link that is cut does not work."""

_MAX_ID_CHARACTERS = 128
_MAX_ID = 10**_MAX_ID_CHARACTERS
_MAX_EXACT_FLOAT = 2**53
"""A larger number may have lost digits if it was a float at the provider."""
_EXACT_EXPONENTS = range(-_MAX_ID_CHARACTERS, 1)
"""Exponents of a Decimal that states every digit before the decimal point."""
_MAX_NUMBER = 10**15
_MAX_POINTS = Decimal(10**9)
_NOISE = Decimal("1e-10")
_TIME_DIGITS = 10
_NULL_TIME = -62_169_984_000
"""The null date 0000-00-00 as PHP converts it."""
_NULL_TIMES = range(_NULL_TIME - 86_400, _NULL_TIME + 86_401)
"""The server's time zone shifts the null date by up to a day."""
_NULL_DATES = ("0000-00-00", "-0001-11-30")
_NULL_WORDS = frozenset({"", "null", "false"})
_WEB = ("https://", "http://")
_FLAG_SPELLINGS = {"1": True, "0": False, "true": True, "false": False}


class UnreadableError(ValueError):
    """The value has no clear meaning. The message names the field, never the value."""


# Each reader first checks for the usual form of a value, because a full scan reads every field of every row.


def optional(read: Callable[[object, str], T | None], value: object, field: str, unreadable: Counter[str]) -> T | None:
    """Return ``read(value, field)``; None, counted in ``unreadable``, if the value has no clear meaning."""
    try:
        return read(value, field)
    except UnreadableError:
        unreadable[field] += 1
        return None


def identifier(value: object, field: str) -> str:
    """Return an id as text, with all its digits; raises UnreadableError if it is absent or unclear."""
    if isinstance(value, str):
        trimmed = value.strip()
        if trimmed.isalnum() and len(trimmed) <= _MAX_ID_CHARACTERS:
            return trimmed
        if trimmed and len(trimmed) <= _MAX_ID_CHARACTERS and trimmed.isprintable():
            return _text_id(trimmed, field)
    elif type(value) is int:
        if -_MAX_ID < value < _MAX_ID:
            return str(value)
    elif isinstance(value, Decimal):
        return _float_id(value, field)
    raise UnreadableError(f"{field} is missing" if value is None or value == "" else f"{field} is not a valid id")


def record_id(value: object, field: str) -> str | None:
    """Return an id, None if it is absent or 0; raises UnreadableError."""
    found = None if _is_absent(value) else identifier(value, field)
    return None if found == "0" else found


def integer(value: object, field: str) -> int | None:
    """Return a whole number, None if absent; raises UnreadableError."""
    if type(value) is int:
        if -_MAX_NUMBER < value < _MAX_NUMBER:
            return value
    elif value is None:
        return None
    elif isinstance(value, str):
        trimmed = value.strip()
        if not trimmed:
            return None
        whole = whole_number_in(trimmed)
        if whole is not None and -_MAX_NUMBER < whole < _MAX_NUMBER:
            return whole
    elif isinstance(value, Decimal) and _is_within(value, _MAX_NUMBER) and value == value.to_integral_value():
        return int(value)
    raise UnreadableError(f"{field} is not a whole number")


def unix_seconds(value: object, field: str) -> int | None:
    """Return Unix seconds, None if absent or a null date; raises UnreadableError outside the years 2000 to 2099."""
    if type(value) is int and EARLIEST_TIME <= value < LATEST_TIME:
        return value
    if type(value) is str and len(value) == _TIME_DIGITS and value.isascii() and value.isdigit():
        seconds: int | None = int(value)
    elif _is_absent(value):
        return None
    else:
        seconds = _seconds(value)
    if seconds is None:
        raise UnreadableError(f"{field} is not a valid time")
    if seconds == 0 or seconds in _NULL_TIMES:
        return None
    if EARLIEST_TIME <= seconds < LATEST_TIME:
        return seconds
    raise UnreadableError(f"{field} is not a valid time")


def points(value: object, field: str) -> Decimal | None:
    """Return a score, None if absent; raises UnreadableError. Every spelling of a score yields the same Decimal."""
    if value is None:
        return None
    if type(value) is int:
        if abs(value) <= _MAX_POINTS:
            return Decimal(value)
    else:
        number = value
        if isinstance(value, str):
            trimmed = value.strip()
            if not trimmed:
                return None
            number = number_in(trimmed)
        if isinstance(number, Decimal) and number.is_finite() and -_MAX_POINTS <= number <= _MAX_POINTS:
            return _normalized(number)
    raise UnreadableError(f"{field} is not a number")


def flag(value: object, field: str) -> bool | None:
    """Return a flag, None if absent; raises UnreadableError."""
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    spelled = value if isinstance(value, str) else str(value) if _is_short(value) else "?"
    if spelled not in _FLAG_SPELLINGS:
        spelled = spelled.strip().lower()
    if spelled in _FLAG_SPELLINGS:
        return _FLAG_SPELLINGS[spelled]
    if not spelled:
        return None
    raise UnreadableError(f"{field} is not a valid flag")


def text(value: object, field: str) -> str | None:
    """Return text that UTF-8 can encode, trimmed and cut; None if absent. Raises UnreadableError."""
    if type(value) is str and len(value) <= MAX_TEXT_CHARACTERS and value.isascii():
        return value.strip() or None
    found = _text(value, field)
    if found is None or len(found) <= MAX_TEXT_CHARACTERS:
        return found
    return f"{found[: MAX_TEXT_CHARACTERS - 1]}…"


def link(value: object, field: str) -> str | None:
    """Return an http:// or https:// address, None if absent; raises UnreadableError."""
    if type(value) is str and len(value) <= MAX_LINK_CHARACTERS and value.startswith(_WEB) and value.isascii():
        return value.strip()
    found = _text(value, field)
    if found is None or (found.startswith(_WEB) and len(found) <= MAX_LINK_CHARACTERS):
        return found
    if found == "0":
        return None
    raise UnreadableError(f"{field} is not a web address")


def _is_absent(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str) and value.strip().lower() in _NULL_WORDS)


def _is_short(value: object) -> bool:
    """Return whether ``str(value)`` is fast: it is slow for a number with thousands of digits."""
    return isinstance(value, Decimal) or (type(value) is int and -_MAX_NUMBER < value < _MAX_NUMBER)


def _is_within(value: Decimal, bound: int) -> bool:
    # No arithmetic: abs() of 1e999999999 overflows.
    return value.is_finite() and -bound < value < bound


def _seconds(value: object) -> int | None:
    """Return seconds without decimals, 0 for a null date as text, None if the value is not a number."""
    if type(value) is int:
        return value if -_MAX_NUMBER < value < _MAX_NUMBER else None
    if isinstance(value, str):
        trimmed = value.strip()
        return 0 if trimmed.startswith(_NULL_DATES) else whole_number_in(trimmed, fraction=True)
    return int(value) if isinstance(value, Decimal) and _is_within(value, _MAX_NUMBER) else None


def _text(value: object, field: str) -> str | None:
    if isinstance(value, str):
        trimmed = value.strip()
        if not trimmed.isascii():
            # UTF-8 cannot encode a lone surrogate (an escape such as \ud83d without its other half).
            trimmed = trimmed.encode("utf-8", errors="replace").decode("utf-8")
        return trimmed or None
    if value is None or value is False:
        return None
    if type(value) is int and -_MAX_ID < value < _MAX_ID:
        return str(value)
    raise UnreadableError(f"{field} is not text")


def _text_id(trimmed: str, field: str) -> str:
    """Return an id that came as text: 7.0 is 7, 7.5 stays as it is, and 1.7e18 is rejected because it lost digits."""
    number = float_in(trimmed)
    if number is None or (number != number.to_integral_value() and "e" not in trimmed.lower()):
        return trimmed
    return _float_id(number, field)


def _float_id(value: Decimal, field: str) -> str:
    """Return a float as an id; raises UnreadableError if digits are unknown (1.7E+18 states two of nineteen)."""
    exponent = value.as_tuple().exponent
    if _is_within(value, _MAX_EXACT_FLOAT) and value == value.to_integral_value() and exponent in _EXACT_EXPONENTS:
        return str(int(value))
    raise UnreadableError(f"{field} is not a valid id")


def _normalized(value: Decimal) -> Decimal:
    """Return the same Decimal for 30.0, 30.00 and 30 (not 3E+1), rounded to ten decimals to remove float noise."""
    rounded = value.quantize(_NOISE)
    if rounded == rounded.to_integral_value():
        return Decimal(int(rounded))
    return rounded.normalize()
