"""Bodies as the provider's PHP would write them, and what can happen to them on the way."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from examhook_simulator.quirks import Active, Quirk
from examhook_simulator.rows import WireRow, as_strings

_BOM = b"\xef\xbb\xbf"
_NOTICES = (
    b"<br />\n<b>Notice</b>:  Undefined index: [limit] in <b>/var/www/components/com_exams/api.php</b> "
    b"on line <b>214</b><br />\n<br />\n<b>Deprecated</b>:  Array and string offset access syntax with {} is "
    b"deprecated in <b>/var/www/libraries/fof/table.php</b> on line <b>[98]</b><br />\n"
)
_ROW = b"{},"
_MIB = 1 << 20

PLAIN_TYPE = {"Content-Type": "text/html; charset=utf-8"}
"""What the provider calls every body, JSON or not."""

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
"""Messages by which servers of this kind say that requests come too fast."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a body, and the headers that say how to read them."""

    content: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: PLAIN_TYPE)


def error_body(message: str) -> bytes:
    """The object by which the API reports an error, with status 200."""
    return _php_json({"status": "error", "error": message}, ascii_only=True).encode()


def error_beside_list(named_by: str) -> bytes:
    """An error object that also holds an empty list of rows."""
    return _php_json({**_BESIDE_LIST[named_by], "data": []}, ascii_only=True).encode()


def throttle_body(text: str, request_n: int) -> bytes:
    """An error object with a rate-limit message: the given one, or the next for ``any``."""
    return error_body(THROTTLE_TEXTS[request_n % len(THROTTLE_TEXTS)] if text == "any" else text)


def list_body(rows: Sequence[WireRow], total: int | None, active: Active) -> Body:
    """A page of rows: a bare JSON array for the legacy API, an object with ``total`` for the v1 API."""
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
    """The body with what comes before it and without what is cut off."""
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
    """Somewhere within a body, so that at least its last byte is lost."""
    return rng.randrange(len(body)) if body else 0


@cache
def _bomb(mebibytes: int) -> bytes:
    rows = _ROW * (mebibytes * _MIB // len(_ROW))
    return gzip.compress(b"[" + rows + b"{}]", mtime=0)


def _encoded(text: str, charset: str) -> bytes:
    """The text in an encoding, with JSON escapes for what the encoding lacks."""
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
    return text.replace("/", "\\/")  # PHP escapes slashes, and in JSON they stand in strings only
