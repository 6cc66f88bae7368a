"""Parses numbers that the provider sends as text, in the notations of several languages."""

from __future__ import annotations

import re
from decimal import Decimal

_MAX_NUMBER_CHARACTERS = 64
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,30})?", re.ASCII)
_FLOAT = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40}(?:[eE][+-]?[0-9]{1,3})?|[eE]\+[0-9]{1,3})", re.ASCII)
"""A float as programs print it. ``12e5`` does not match: it may be a hexadecimal id."""
_DECIMAL_COMMA = re.compile(
    r"[+-]?(?:0,[0-9]{1,30}|[0-9]{1,18},(?![0-9]{3}\Z)[0-9]{1,30}|[0-9]{4,18},[0-9]{3})", re.ASCII
)
"""85,5. Three digits after a single comma are decimals only if the comma cannot separate thousands."""
_GROUPED = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+\.[0-9]{1,30}|(?:\.[0-9]{3})+,[0-9]{1,30}|(?:,[0-9]{3}){2,}|(?:\.[0-9]{3}){2,})",
    re.ASCII,
)
"""1,234.5 and 1.234,5. Thousands are certain if there are two separators, or if one separator occurs twice."""


def number_in(text: str) -> Decimal | None:
    """Return the number in ``text``, with or without a percent sign; None if it is ambiguous."""
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if len(text) > _MAX_NUMBER_CHARACTERS:
        return None
    bare = text.removesuffix("%").rstrip()
    if _NUMBER.fullmatch(bare):
        return Decimal(bare)
    if _DECIMAL_COMMA.fullmatch(bare):
        return Decimal(bare.replace(",", "."))
    return _ungrouped(bare) if _GROUPED.fullmatch(bare) else None


def float_in(text: str) -> Decimal | None:
    """Return the number in ``text`` if it is written as programs print a float; None otherwise."""
    return Decimal(text) if _FLOAT.fullmatch(text) else None


def whole_number_in(text: str, *, fraction: bool = False) -> int | None:
    """Return the whole number in ``text``; None if there is none. With ``fraction``, cut off decimals."""
    if not _NUMBER.fullmatch(text):
        return None
    whole, _, decimals = text.partition(".")
    return int(whole) if fraction or not decimals.strip("0") else None


def _ungrouped(text: str) -> Decimal:
    """Return the number in ``text``. Its last separator is the decimal separator unless it occurs more than once."""
    last = max(text.rfind(","), text.rfind("."))
    if text.count(text[last]) > 1:
        return Decimal(text.replace(text[last], ""))
    whole = text[:last].replace(",", "").replace(".", "")
    return Decimal(f"{whole}.{text[last + 1 :]}")
