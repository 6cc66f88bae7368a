"""Finds the JSON in an answer of a PHP server, which may print notices before it and junk after it.

A list that was cut off is never read as one of its records, and an error page that contains JSON is never read as a
list. No body takes more memory than a full page of rows.
"""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal, InvalidOperation

from examhook.provider.errors import ProviderMalformed

JsonValue = None | bool | int | Decimal | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]

MAX_VALUES = 400_000
"""Maximum number of values in one answer: 20,000 rows of 20 fields."""

_START = re.compile(r"""\[\s*\{\s*["}]|\{\s*"|(?<=[>\n])\[\s*\]\s*\Z""")
"""Start of the JSON after notices: a list of records, an object, or an empty list at the end of the text."""

_WEB_PAGE = re.compile(r"<(?:!doctype|html|head|body|script)\b", re.IGNORECASE)
_BLANK = " \t\r\n\0"
_BYTE_ORDER_MARK = "\ufeff"

_CODECS = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "x-gbk", "gb_2312-80", "windows-936"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-big5"), "big5hkscs"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "windows-1252", "cp1252"), "cp1252"),
    **{name: name for name in ("iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "koi8-r")},
    **{name: name for name in ("shift_jis", "euc-jp", "euc-kr")},
}
"""Codec for each character set in ``Content-Type``. Servers often send a superset of it, which the codec reads too."""

_UNREADABLE_NUMBER = Decimal("NaN")
_MAX_DIGITS = 1000


def _constant(text: str) -> Decimal:
    """Return NaN or an infinity as a Decimal, so that only one field becomes unreadable, not the page."""
    return Decimal(text)


def _whole_number(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MAX_DIGITS else _UNREADABLE_NUMBER


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return _UNREADABLE_NUMBER


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant, strict=False)
_decoder_of_huge_numbers = json.JSONDecoder(
    parse_float=_fraction, parse_int=_whole_number, parse_constant=_constant, strict=False
)
"""Slower decoder. It reads a number that Python rejects as NaN, so only one field becomes unreadable, not the page."""


def json_in(body: bytes, charset: str | None = None) -> list[JsonValue] | JsonObject:
    """Return the list or object in ``body``; raises ProviderMalformed.

    ``charset``, from the ``Content-Type`` header, is used only if the body is not valid UTF-8.
    """
    text = _text(body, charset).strip(_BLANK)
    if _holds_too_many_values(text):
        raise ProviderMalformed("The provider's answer contains more values than any page of rows.", retryable=False)
    found = _decoded(text, 0)
    if found is None:
        start = _START.search(text)
        if start is not None and not _WEB_PAGE.search(text, 0, start.start()):
            found = _decoded(text, start.start())
    if found is None:
        raise ProviderMalformed(_explanation(text))
    return found


def _holds_too_many_values(text: str) -> bool:
    """Count the characters that precede a value, because building too many values would exhaust the memory."""
    return len(text) > MAX_VALUES and sum(text.count(before) for before in "[{,") > MAX_VALUES


def _decoded(text: str, start: int) -> list[JsonValue] | JsonObject | None:
    """Return the list or object at ``start``; None if there is none."""
    if text[start : start + 1] not in {"[", "{"}:
        return None
    try:
        value, end = _raw_decoded(text, start)
    except (json.JSONDecodeError, RecursionError):
        return None
    if isinstance(value, dict):
        return value
    # "[0] is undefined …" also begins with a list, but not with a list of rows.
    if isinstance(value, list) and (end == len(text) or not value or isinstance(value[0], dict)):
        return value
    return None


def _raw_decoded(text: str, start: int) -> tuple[JsonValue, int]:
    """Return the value at ``start`` and its end; raises JSONDecodeError, RecursionError."""
    decoded: tuple[JsonValue, int]
    try:
        decoded = _decoder.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except (ValueError, InvalidOperation):
        decoded = _decoder_of_huge_numbers.raw_decode(text, start)
    return decoded


def _text(body: bytes, charset: str | None) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode(_CODECS.get(charset or "", "utf-8"), errors="replace")
    return text.lstrip(_BYTE_ORDER_MARK)


def _explanation(text: str) -> str:
    if not text:
        return "The provider's answer is empty. The next poll tries again."
    if _WEB_PAGE.search(text):
        return (
            "The provider answered with a web page instead of data."
            " If this persists, check ProviderBaseUrl: it must be the address of the provider's site."
        )
    if _START.search(text):
        return "The provider's answer is incomplete or corrupted. The next poll tries again."
    return "The provider's answer contains no data. If this persists, check ProviderBaseUrl."
