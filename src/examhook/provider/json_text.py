"""Finds the JSON in an answer of a PHP server, which may print notices before it and junk after it.

Two mistakes are excluded: a list that was cut off never shrinks to a record within it, and an error
page that holds some JSON is never read as a list. No body costs more memory than a full page of rows.
"""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal, InvalidOperation

from examhook.provider.errors import ProviderMalformed

JsonValue = None | bool | int | Decimal | str | list["JsonValue"] | dict[str, "JsonValue"]

MAX_VALUES = 400_000
"""Values that one answer may hold: 20,000 rows of 20 fields."""

_START = re.compile(r"""\[\s*\{\s*["}]|\{\s*"|(?<=[>\n])\[\s*\]\s*\Z""")
"""Where the answer may begin behind notices: a list of records, an object, or an empty list that ends the text."""

_PAGE = re.compile(r"<(?:!doctype|html|head|body|script)\b", re.IGNORECASE)
_BLANK = " \t\r\n\0"
_BYTE_ORDER_MARK = "\ufeff"

_CODECS = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "x-gbk", "gb_2312-80", "windows-936"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-big5"), "big5hkscs"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "windows-1252", "cp1252"), "cp1252"),
    **{name: name for name in ("iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "koi8-r")},
    **{name: name for name in ("shift_jis", "euc-jp", "euc-kr")},
}
"""Character sets that a server may name, and the codec that reads each and what is often sent under its name."""


_NO_NUMBER = Decimal("NaN")
_MAX_DIGITS = 1000


def _constant(text: str) -> Decimal:
    """NaN or an infinity, as a Decimal, so that it costs a field, not the page."""
    return Decimal(text)


def _whole_number(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MAX_DIGITS else _NO_NUMBER


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return _NO_NUMBER


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant, strict=False)
_decoder_of_huge_numbers = json.JSONDecoder(
    parse_float=_fraction, parse_int=_whole_number, parse_constant=_constant, strict=False
)
"""Slower; reads numbers that Python refuses to make as NaN, so that they cost a field, not the page."""


def json_in(body: bytes, charset: str | None = None) -> list[JsonValue] | dict[str, JsonValue]:
    """The list or object that ``body`` holds; raises ProviderMalformed.

    ``charset`` is what the answer's ``Content-Type`` states. It counts only where the body is not valid UTF-8.
    """
    text = _text(body, charset).strip(_BLANK)
    if _holds_too_many_values(text):
        raise ProviderMalformed(
            "The provider's answer holds more values than a page of rows can.", helps_to_retry=False
        )
    found = _decoded(text, 0)
    if found is None:
        start = _START.search(text)
        if start is not None and not _PAGE.search(text, 0, start.start()):
            found = _decoded(text, start.start())
    if found is None:
        raise ProviderMalformed(_what_it_is(text))
    return found


def _holds_too_many_values(text: str) -> bool:
    """Whether building the values could take more memory than there is; each follows one of these characters."""
    return len(text) > MAX_VALUES and sum(text.count(before) for before in "[{,") > MAX_VALUES


def _decoded(text: str, start: int) -> list[JsonValue] | dict[str, JsonValue] | None:
    """The list or object at ``start``, None where there is none."""
    if text[start : start + 1] not in {"[", "{"}:
        return None
    try:
        value, end = _raw_decoded(text, start)
    except (json.JSONDecodeError, RecursionError):
        return None
    if isinstance(value, dict) or (isinstance(value, list) and (end == len(text) or not value or _is_row(value[0]))):
        return value
    # "[0] is undefined …" begins with a list as well, but with none of ours.
    return None


def _raw_decoded(text: str, start: int) -> tuple[JsonValue, int]:
    """The value at ``start`` and where it ends; raises JSONDecodeError, RecursionError."""
    decoded: tuple[JsonValue, int]
    try:
        decoded = _decoder.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except (ValueError, InvalidOperation):
        decoded = _decoder_of_huge_numbers.raw_decode(text, start)
    return decoded


def _is_row(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _text(body: bytes, charset: str | None) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode(_CODECS.get(charset or "", "utf-8"), errors="replace")
    return text.lstrip(_BYTE_ORDER_MARK)


def _what_it_is(text: str) -> str:
    if not text:
        return "The provider's answer is empty. The next poll asks again."
    if _PAGE.search(text):
        return (
            "The provider answered with a web page instead of data."
            " If it persists, check ProviderBaseUrl: it must be the address of the provider's site."
        )
    if _START.search(text):
        return "The provider's answer was cut off or is garbled. The next poll asks again."
    return "The provider's answer holds no data. If it persists, check ProviderBaseUrl."
