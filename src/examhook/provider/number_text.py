"""Numbers that the provider sends as text, in the spellings of several languages."""

from __future__ import annotations

import re
from decimal import Decimal

_MAX_CHARACTERS = 64
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,30})?", re.ASCII)
_FLOAT = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40}(?:[eE][+-]?[0-9]{1,3})?|[eE]\+[0-9]{1,3})", re.ASCII)
"""A float as a program writes it. ``12e5`` is left out: it may be an id in hexadecimal digits."""
_DECIMAL_COMMA = re.compile(
    r"[+-]?(?:0,[0-9]{1,30}|[0-9]{1,18},(?![0-9]{3}\Z)[0-9]{1,30}|[0-9]{4,18},[0-9]{3})", re.ASCII
)
"""85,5. Three digits after one comma are decimals only where no group of thousands can end there."""
_GROUPED = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+\.[0-9]{1,30}|(?:\.[0-9]{3})+,[0-9]{1,30}|(?:,[0-9]{3}){2,}|(?:\.[0-9]{3}){2,})",
    re.ASCII,
)
"""1,234.5 and 1.234,5: two separators, or one that comes twice, tell the thousands from the decimals."""


def number_in(text: str) -> Decimal | None:
    """The number that ``text`` spells, with or without a percent sign; None where that is not certain."""
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if len(text) > _MAX_CHARACTERS:
        return None
    bare = text.removesuffix("%").rstrip()
    if _NUMBER.fullmatch(bare):
        return Decimal(bare)
    if _DECIMAL_COMMA.fullmatch(bare):
        return Decimal(bare.replace(",", "."))
    return _ungrouped(bare) if _GROUPED.fullmatch(bare) else None


def float_in(text: str) -> Decimal | None:
    """The number in ``text`` where it is spelled as programs write a float; None otherwise."""
    return Decimal(text) if _FLOAT.fullmatch(text) else None


def whole_number_in(text: str, *, fraction: bool = False) -> int | None:
    """The whole number that ``text`` spells; None where it spells none. With ``fraction``, decimals are cut off."""
    if not _NUMBER.fullmatch(text):
        return None
    whole, _, decimals = text.partition(".")
    return int(whole) if fraction or not decimals.strip("0") else None


def _ungrouped(text: str) -> Decimal:
    """The number in ``text``, whose last separator is the decimal one unless it comes more than once."""
    last = max(text.rfind(","), text.rfind("."))
    if text.count(text[last]) > 1:
        return Decimal(text.replace(text[last], ""))
    whole = text[:last].replace(",", "").replace(".", "")
    return Decimal(f"{whole}.{text[last + 1 :]}")
