"""Answer bodies as the provider's PHP writes them, and damage to them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from examhook_simulator.quirks import Active, Quirk
from examhook_simulator.rows import AnswerRow, as_strings

_BOM = b"\xef\xbb\xbf"
_NOTICES = (
    b"<br />\n<b>Notice</b>:  Undefined index: [limit] in <b>/var/www/components/com_exams/api.php</b> "
    b"on line <b>214</b><br />\n<br />\n<b>Deprecated</b>:  Array and string offset access syntax with {} is "
    b"deprecated in <b>/var/www/libraries/fof/table.php</b> on line <b>[98]</b><br />\n"
)
_ROW = b"{},"
_MIB = 1 << 20

PLAIN_TYPE = {"Content-Type": "text/html; charset=utf-8"}
"""The provider sends this type with every body, also with JSON."""

HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Something went wrong</h1>"
    b"<script>var items = [];</script></body></html>\n"
)

_BESIDE_LIST: Mapping[str, Mapping[str, object]] = {
    "message": {"success": False, "message": "Too many requests"},
    "code": {"code": 500},
    "errcode": {"errcode": 45009},
    "status": {"status": "error"},
    "msg": {"msg": "The request failed"},
    "errmsg": {"errmsg": "system error"},
}

THROTTLE_TEXTS = (
    "Request was throttled",
    "Too many requests, please try again later",
    "Rate limit exceeded",
    "Quota exceeded",
    "API call frequency limit reached",
    "请求次数超过限制",
    "调用次数已达上限",
    "请求过于频繁",
    "访问频率超出限制",
    "接口调用超过频率限制",
)
"""Rate-limit messages of similar servers."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body with the headers that describe it."""

    content: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: PLAIN_TYPE)


def error_body(message: str) -> bytes:
    """Return the object with which the API reports an error (status 200)."""
    return _php_json({"status": "error", "error": message}, ascii_only=True).encode()


def error_beside_list(named_by: str) -> bytes:
    """Return an error object that also has an empty list of rows."""
    return _php_json({**_BESIDE_LIST[named_by], "data": []}, ascii_only=True).encode()


def throttle_body(text: str, request_n: int) -> bytes:
    """Return an error object with this rate-limit message; ``any`` takes the next of THROTTLE_TEXTS."""
    return error_body(THROTTLE_TEXTS[request_n % len(THROTTLE_TEXTS)] if text == "any" else text)


def list_body(rows: Sequence[AnswerRow], total: int | None, active: Active) -> Body:
    """Return a page of rows: a JSON array for the legacy API (``total`` is None), an object for the v1 API."""
    if Quirk.GZIP_BOMB in active:
        return Body(_bomb(int(active[Quirk.GZIP_BOMB].value)), {**PLAIN_TYPE, "Content-Encoding": "gzip"})
    is_v1 = total is not None
    shown = [as_strings(row) for row in rows] if is_v1 or Quirk.NUMBERS_AS_STRINGS in active else list(rows)
    answer: object = {"data": shown, "total": total, "status": "ok"} if is_v1 else shown
    if Quirk.CHARSET in active:
        charset = active[Quirk.CHARSET].value
        content = _encoded(_php_json(answer, ascii_only=False), charset)
        return Body(content, {"Content-Type": f"text/html; charset={charset}"})
    return Body(_php_json(answer, ascii_only=Quirk.RAW_UNICODE not in active).encode())


def damaged(body: bytes, active: Active, rng: random.Random) -> bytes:
    """Add the prefixes and cut off the end, as the quirks say."""
    if Quirk.EMPTY_BODY in active:
        return b""
    if Quirk.PHP_NOTICES in active:
        body = _NOTICES + body
    if Quirk.BOM in active:
        body = _BOM + body
    if Quirk.CUT_BODY in active:
        body = body[: cut_point(body, rng)]
    return body


def cut_point(body: bytes, rng: random.Random) -> int:
    """Return a random length that loses at least the last byte."""
    return rng.randrange(len(body)) if body else 0


@cache
def _bomb(mebibytes: int) -> bytes:
    rows = _ROW * (mebibytes * _MIB // len(_ROW))
    return gzip.compress(b"[" + rows + b"{}]", mtime=0)


def _encoded(text: str, charset: str) -> bytes:
    """Encode the text; characters that the encoding lacks become JSON escapes."""
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        return b"".join(_encoded_character(character, charset) for character in text)


def _encoded_character(character: str, charset: str) -> bytes:
    try:
        return character.encode(charset)
    except UnicodeEncodeError:
        return json.dumps(character)[1:-1].encode()


def _php_json(value: object, *, ascii_only: bool) -> str:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    return text.replace("/", "\\/")  # PHP escapes slashes; in JSON they occur in strings only
