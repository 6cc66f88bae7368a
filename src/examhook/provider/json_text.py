"""The JSON within an answer of a PHP server, which may have notices printed before it and junk after it.

What matters is never to take for an answer what is none: a cut list must not shrink to a record
within it, nor an error page that holds some JSON pass for a list.
"""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal, InvalidOperation

from examhook.provider.errors import ProviderMalformed

JsonValue = None | bool | int | Decimal | str | list["JsonValue"] | dict[str, "JsonValue"]

_START = re.compile(r"""\[\s*\{\s*["}]|\{\s*"|(?<=[>\n])\[\s*\]\s*\Z""")
"""Where the answer may begin behind notices: a list of records, an object, or an empty list that ends the text."""

_PAGE = re.compile(r"<(?:!doctype|html|head|body|script)\b", re.IGNORECASE)
_BLANK = " \t\r\n\0"


def _number(text: str) -> Decimal:
    """NaN and the infinities come as Decimals too, so that a row that holds one is skipped, not the page."""
    return Decimal(text)


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_number, strict=False)


def json_in(body: bytes) -> list[JsonValue] | dict[str, JsonValue]:
    """The list or object that ``body`` holds; raises ProviderMalformed."""
    text = _text(body).strip(_BLANK)
    found = _decoded(text, 0)
    if found is None:
        start = _START.search(text)
        if start is not None and not _PAGE.search(text, 0, start.start()):
            found = _decoded(text, start.start())
    if found is None:
        raise ProviderMalformed(_what_it_is(text))
    return found


def _decoded(text: str, start: int) -> list[JsonValue] | dict[str, JsonValue] | None:
    """The list or object at ``start``, None where there is none."""
    if text[start : start + 1] not in {"[", "{"}:
        return None
    try:
        value: JsonValue
        value, end = _decoder.raw_decode(text, start)
    except (ValueError, RecursionError, InvalidOperation):
        return None
    if isinstance(value, dict) or (isinstance(value, list) and (end == len(text) or not value or _is_row(value[0]))):
        return value
    # "[0] is undefined …" begins with a list as well, but with none of ours.
    return None


def _is_row(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _text(body: bytes) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    return body.decode("utf-8", errors="replace").lstrip("\ufeff")


def _what_it_is(text: str) -> str:
    if not text:
        return "The provider answered with nothing. The next poll asks again."
    if _PAGE.search(text):
        return (
            "The provider answered with a web page instead of data."
            " If this goes on, check ProviderBaseUrl: it must be the address of the provider's site."
        )
    if _START.search(text):
        return "The provider's answer was cut off or is garbled. The next poll asks again."
    return "The provider's answer holds no data. If this goes on, check ProviderBaseUrl."
