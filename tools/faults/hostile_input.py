"""Random hostile input for the readers: what an attacker or a broken sender could send."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

FIELDS = (
    *("eid", "title", "url", "available", "times", "category", "viewResult", "score", "startTime", "endTime", "status"),
    *("sid", "name", "tid", "passed", "data", "total", "loginValue", "error", "message", "endpoint_id", "event_id"),
    *("attempt", "probe", "redrive", "since", "place", "pk", "sk", "code", "base_url", "dialect"),
    "requests_per_second",
)
"""Names that readers look for."""

NUMBERS = (
    *("0", "1", "-1", "1790000000", "1790000000.5", "1e9", "1e999", "-1e999", "1e-999", "1E+999999999999999999"),
    *("NaN", "Infinity", "-Infinity", "-0", "00", "0x10", "1_000", "9" * 20, "9" * 4299, "9" * 4301, "9" * 9000),
    *("0." + "0" * 5000 + "1", "1e999999999", "4102444800", "946684799", "true", "null", "false"),
)
TEXTS = (
    *("", " ", "ok", "error", "1", "23001", "\x00", "\ufeff", "\ud83d", "\u202e", "é", "a" * 200, "9" * 5000, "NaN"),
    *("http://x/y", "javascript:alert(1)", "https://[", "&#" + "9" * 5000 + ";", "&#x" + "f" * 5000, "<" * 4000),
    *("&amp;" * 500, "${jndi:x}", "' or 1=1", "%s%n", "2026-01-01", "Tue, 99 Foo 99999 99:99:99 +9999", "٣٤"),
)
BLOCKS = (
    *(b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\u", b"\\ud800", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00"),
    *(b"<br />\n<b>Notice</b>", b"<html>", b"[]", b"{}", b"[{", b'{"', b"\n[ ]", b"  " * 50, b"\xc3", b"\xf0\x9f"),
)


def text(rng: random.Random) -> str:
    """Return a random text."""
    share = rng.random()
    if share < 0.7:  # noqa: PLR2004 - a share
        return rng.choice(TEXTS)
    return "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x11000)))) for _ in range(rng.randrange(30)))


def value(rng: random.Random, depth: int = 0) -> str:
    """Return a random value as JSON, or almost JSON."""
    share = rng.random()
    if share < 0.35:  # noqa: PLR2004 - a share
        return rng.choice(NUMBERS)
    if share < 0.65 or depth > 3:  # noqa: PLR2004 - a share, and deep enough
        return json.dumps(text(rng), ensure_ascii=rng.random() < 0.5)  # noqa: PLR2004 - a share
    if share < 0.8:  # noqa: PLR2004 - a share
        return "[" + ",".join(value(rng, depth + 1) for _ in range(rng.randrange(4))) + "]"
    return record(rng, FIELDS, depth + 1)


def record(rng: random.Random, names: Sequence[str], depth: int = 0) -> str:
    """Return a random object with some of ``names``; a name can occur twice."""
    chosen = [rng.choice(names) for _ in range(rng.randrange(8))]
    return "{" + ",".join(f'"{name}":{value(rng, depth)}' for name in chosen) + "}"


def row(rng: random.Random) -> str:
    """Return a valid row with a few random fields."""
    fields = {
        "eid": '"23001"',
        "sid": "7",
        "status": "1",
        "startTime": "1790000000",
        "endTime": "1790000100",
        "score": "30",
        "times": "3",
    }
    for _ in range(rng.randrange(3)):
        fields[rng.choice(FIELDS)] = value(rng)
    return "{" + ",".join(f'"{name}":{held}' for name, held in fields.items()) + "}"


def body(rng: random.Random) -> bytes:
    """Return the body of an answer, a message or a secret."""
    share = rng.random()
    if share < 0.4:  # noqa: PLR2004 - a share
        made = "[" + ",".join(row(rng) for _ in range(1 + rng.randrange(3))) + "]"
    elif share < 0.6:  # noqa: PLR2004 - a share
        made = f'{{"status":{value(rng)},"data":[{row(rng)}],"total":{value(rng)}}}'
    elif share < 0.98:  # noqa: PLR2004 - a share
        made = value(rng)
    else:
        deep = rng.choice((50, 900, 1100, 5000))
        opening = rng.choice(("[", '{"a":', '[{"eid":'))
        made = opening * deep + rng.choice(("", "1", "]" * deep))
    return _damaged(made.encode("utf-8", errors="surrogatepass"), rng)


def _damaged(whole: bytes, rng: random.Random) -> bytes:
    """Return the body unchanged (most often), or truncated, or with parts inserted or removed."""
    damaged = whole
    while rng.random() < 0.3:  # noqa: PLR2004 - a share
        place = rng.randrange(len(damaged) + 1)
        match rng.randrange(4):
            case 0:
                damaged = damaged[:place]
            case 1:
                damaged = damaged[:place] + rng.choice(BLOCKS) + damaged[place:]
            case 2:
                damaged = rng.choice(BLOCKS) + damaged
            case _:
                damaged = damaged[:place] + damaged[place + 1 + rng.randrange(5) :]
    return damaged
