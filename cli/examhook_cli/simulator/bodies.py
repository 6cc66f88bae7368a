"""Bodies as the provider's PHP would write them, and what can happen to them on the way."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence

from examhook_cli.simulator.quirks import Quirk
from examhook_cli.simulator.rows import WireRow, as_strings

_BOM = b"\xef\xbb\xbf"
_NOTICES = (
    b"<br />\n<b>Notice</b>:  Undefined index: [limit] in <b>/var/www/components/com_exams/api.php</b> "
    b"on line <b>214</b><br />\n<br />\n<b>Deprecated</b>:  Array and string offset access syntax with {} is "
    b"deprecated in <b>/var/www/libraries/fof/table.php</b> on line <b>[98]</b><br />\n"
)
HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Something went wrong</h1>"
    b"<script>var items = [];</script></body></html>\n"
)


def error_body(message: str) -> bytes:
    """The object by which the API says no, with status 200."""
    return _php_json({"status": "error", "error": message}, ascii_only=True)


def rows_body(rows: Sequence[WireRow], active: Mapping[Quirk, str]) -> bytes:
    """A bare JSON array of rows."""
    shown = [as_strings(row) for row in rows] if Quirk.NUMBERS_AS_STRINGS in active else rows
    return _php_json(shown, ascii_only=Quirk.RAW_UNICODE not in active)


def v1_body(rows: Sequence[WireRow], total: int, active: Mapping[Quirk, str]) -> bytes:
    """The object in which the v1 API gives rows, every value as text, and how many there are in all."""
    answer = {"data": [as_strings(row) for row in rows], "total": total, "status": "ok"}
    return _php_json(answer, ascii_only=Quirk.RAW_UNICODE not in active)


def damaged(body: bytes, active: Mapping[Quirk, str], rng: random.Random) -> bytes:
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


def _php_json(value: object, *, ascii_only: bool) -> bytes:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    return text.replace("/", "\\/").encode()  # PHP escapes slashes, and in JSON they stand in strings only
