"""Readers for single values of the provider's records.

The provider sends numbers as numbers or as text, flags in several spellings, and leaves fields out.
A reader returns None for an absent value and raises UnreadableError for a value without a clear meaning.
``optional`` turns the error of a field that no event needs into None and counts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from examhook.provider.number_text import float_in, number_in, whole_number_in

T = TypeVar("T")

EARLIEST_TIME = 946_684_800
"""2000-01-01: no exam was taken online before."""
LATEST_TIME = 4_102_444_800
"""2100-01-01: a later time is in milliseconds, or meaningless."""

MAX_TEXT_CHARACTERS = 1000
"""Longer texts are cut, so that one huge title fits into events, tables and messages."""

MAX_LINK_CHARACTERS = 4000
"""Longer links are left out: a link that is cut leads nowhere."""

_MAX_ID_CHARACTERS = 128
_MAX_ID = 10**_MAX_ID_CHARACTERS
_MAX_EXACT_FLOAT = 2**53
"""From here on, a number that was a float at the provider has lost digits."""
_STATED = range(-_MAX_ID_CHARACTERS, 1)
"""Exponents of a float that states every digit in front of its decimal point."""
_MAX_NUMBER = 10**15
_MAX_POINTS = Decimal(10**9)
_NOISE = Decimal("1e-10")
_TIME_DIGITS = 10
_NULL_TIME = -62_169_984_000
"""The null date 0000-00-00 as PHP converts it; the server's time zone moves it by up to a day."""
_NULL_TIMES = range(_NULL_TIME - 86_400, _NULL_TIME + 86_401)
_NULL_DATES = ("0000-00-00", "-0001-11-30")
_NULL_WORDS = frozenset({"", "null", "false"})
_WEB = ("https://", "http://")
_FLAGS = {"1": True, "0": False, "true": True, "false": False}


class UnreadableError(ValueError):
    """The value has no clear meaning; the message names the field, never the value."""


# Each reader checks first for what the provider is known to send: a full scan calls them for every field of every row.


def optional(read: Callable[[object, str], T | None], value: object, field: str, unreadable: Counter[str]) -> T | None:
    """What ``read`` makes of ``value``; None, counted in ``unreadable``, where it has no clear meaning."""
    try:
        return read(value, field)
    except UnreadableError:
        unreadable[field] += 1
        return None


def identifier(value: object, field: str) -> str:
    """An id as text with all its digits; raises UnreadableError where there is none."""
    if isinstance(value, str):
        trimmed = value.strip()
        if trimmed.isalnum() and len(trimmed) <= _MAX_ID_CHARACTERS:
            return trimmed
        if trimmed and len(trimmed) <= _MAX_ID_CHARACTERS and trimmed.isprintable():
            return _unless_float(trimmed, field)
    elif type(value) is int:
        if -_MAX_ID < value < _MAX_ID:
            return str(value)
    elif isinstance(value, Decimal):
        return _exact(value, field)
    raise UnreadableError(f"{field} is missing" if value is None or value == "" else f"{field} is no id")


def record_id(value: object, field: str) -> str | None:
    """An id, None where it is absent; raises UnreadableError."""
    found = None if _is_nothing(value) else identifier(value, field)
    return None if found == "0" else found


def integer(value: object, field: str) -> int | None:
    """A whole number, None where it is absent or empty; raises UnreadableError."""
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
    raise UnreadableError(f"{field} is no whole number")


def instant(value: object, field: str) -> int | None:
    """Whole Unix seconds, None for any spelling of no date; raises UnreadableError outside the years 2000 to 2099."""
    if type(value) is int and EARLIEST_TIME <= value < LATEST_TIME:
        return value
    if type(value) is str and len(value) == _TIME_DIGITS and value.isascii() and value.isdigit():
        seconds: int | None = int(value)
    elif _is_nothing(value):
        return None
    else:
        seconds = _seconds(value)
    if seconds is None:
        raise UnreadableError(f"{field} is no time")
    if seconds == 0 or seconds in _NULL_TIMES:
        return None
    if EARLIEST_TIME <= seconds < LATEST_TIME:
        return seconds
    raise UnreadableError(f"{field} is no time")


def points(value: object, field: str) -> Decimal | None:
    """A score, the same Decimal in every spelling, None where it is absent; raises UnreadableError."""
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
            return _plain(number)
    raise UnreadableError(f"{field} is no number")


def flag(value: object, field: str = "flag") -> bool | None:
    """Yes or no in any usual spelling, None where it is absent; raises UnreadableError."""
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    spelled = value if isinstance(value, str) else str(value) if _is_short(value) else "?"
    if spelled not in _FLAGS:
        spelled = spelled.strip().lower()
    if spelled in _FLAGS:
        return _FLAGS[spelled]
    if not spelled:
        return None
    raise UnreadableError(f"{field} is neither yes nor no")


def text(value: object, field: str = "text") -> str | None:
    """Text that can be stored and sent anywhere, trimmed and cut, None where it is absent; raises UnreadableError."""
    if type(value) is str and len(value) <= MAX_TEXT_CHARACTERS and value.isascii():
        return value.strip() or None
    found = _text(value, field)
    if found is None or len(found) <= MAX_TEXT_CHARACTERS:
        return found
    return f"{found[: MAX_TEXT_CHARACTERS - 1]}…"


def link(value: object, field: str = "link") -> str | None:
    """An http:// or https:// address, None where it is absent; raises UnreadableError."""
    if type(value) is str and len(value) <= MAX_LINK_CHARACTERS and value.startswith(_WEB) and value.isascii():
        return value.strip()
    found = _text(value, field)
    if found is None or (found.startswith(_WEB) and len(found) <= MAX_LINK_CHARACTERS):
        return found
    if found == "0":
        return None
    raise UnreadableError(f"{field} is no web address")


def _is_nothing(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str) and value.strip().lower() in _NULL_WORDS)


def _is_short(value: object) -> bool:
    """Whether ``str`` of it is cheap: a number of thousands of digits takes long to write."""
    return isinstance(value, Decimal) or (type(value) is int and -_MAX_NUMBER < value < _MAX_NUMBER)


def _is_within(value: Decimal, bound: int) -> bool:
    # Compared, not computed with: abs() of 1e999999999 overflows.
    return value.is_finite() and -bound < value < bound


def _seconds(value: object) -> int | None:
    """Seconds, rounded down; 0 for the text of a null date; None where the value is no number."""
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
            # A lone surrogate (an escape such as \ud83d without its other half) cannot be written as UTF-8.
            trimmed = trimmed.encode("utf-8", errors="replace").decode("utf-8")
        return trimmed or None
    if value is None or value is False:
        return None
    if type(value) is int and -_MAX_ID < value < _MAX_ID:
        return str(value)
    raise UnreadableError(f"{field} is no text")


def _unless_float(trimmed: str, field: str) -> str:
    """An id that is spelled as text: 7.0 is 7, 7.5 is a text like any other, and 1.7e18 has lost digits."""
    number = float_in(trimmed)
    if number is None or (number != number.to_integral_value() and "e" not in trimmed.lower()):
        return trimmed
    return _exact(number, field)


def _exact(value: Decimal, field: str) -> str:
    """A float as an id, where every digit is known: 1.7E+18 states two of nineteen."""
    exponent = value.as_tuple().exponent
    if _is_within(value, _MAX_EXACT_FLOAT) and value == value.to_integral_value() and exponent in _STATED:
        return str(int(value))
    raise UnreadableError(f"{field} is no id")


def _plain(value: Decimal) -> Decimal:
    """30.0, 30.00 and 30 are one score, and none of them is 3E+1; beyond ten decimals all is noise."""
    rounded = value.quantize(_NOISE)
    if rounded == rounded.to_integral_value():
        return Decimal(int(rounded))
    return rounded.normalize()
