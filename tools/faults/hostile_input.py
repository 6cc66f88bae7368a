"""Input made to hurt: what a hostile or broken sender could put where the readers read, the same from the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

FIELDS = (
    *("eid", "title", "url", "available", "times", "category", "viewResult", "score", "startTime", "endTime", "status"),
    *("sid", "name", "tid", "passed", "data", "total", "loginValue", "error", "message", "endpoint_id", "event_id"),
    *(
        "attempt",
        "probe",
        "redrive",
        "since",
        "place",
        "pk",
        "sk",
        "code",
        "base_url",
        "dialect",
        "requests_per_second",
    ),
)
"""Names that one reader or another looks for."""

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


def text(chance: random.Random) -> str:
    """One text."""
    drawn = chance.random()
    if drawn < 0.7:  # noqa: PLR2004 - a share
        return chance.choice(TEXTS)
    return "".join(
        chr(chance.choice((chance.randrange(128), chance.randrange(0x11000)))) for _ in range(chance.randrange(30))
    )


def value(chance: random.Random, depth: int = 0) -> str:
    """JSON, or nearly, as text."""
    drawn = chance.random()
    if drawn < 0.35:  # noqa: PLR2004 - a share
        return chance.choice(NUMBERS)
    if drawn < 0.65 or depth > 3:  # noqa: PLR2004 - a share, and deep enough
        return json.dumps(text(chance), ensure_ascii=chance.random() < 0.5)  # noqa: PLR2004 - a share
    if drawn < 0.8:  # noqa: PLR2004 - a share
        return "[" + ",".join(value(chance, depth + 1) for _ in range(chance.randrange(4))) + "]"
    return record(chance, FIELDS, depth + 1)


def record(chance: random.Random, names: Sequence[str], depth: int = 0) -> str:
    """An object of ``names``, some of them twice."""
    chosen = [chance.choice(names) for _ in range(chance.randrange(8))]
    return "{" + ",".join(f'"{name}":{value(chance, depth)}' for name in chosen) + "}"


def row(chance: random.Random) -> str:
    """A record that looks right but for some of its fields."""
    fields = {
        "eid": '"23001"',
        "sid": "7",
        "status": "1",
        "startTime": "1790000000",
        "endTime": "1790000100",
        "score": "30",
        "times": "3",
    }
    for _ in range(chance.randrange(3)):
        fields[chance.choice(FIELDS)] = value(chance)
    return "{" + ",".join(f'"{name}":{held}' for name, held in fields.items()) + "}"


def body(chance: random.Random) -> bytes:
    """One body of an answer, a message or a secret."""
    drawn = chance.random()
    if drawn < 0.4:  # noqa: PLR2004 - a share
        made = "[" + ",".join(row(chance) for _ in range(1 + chance.randrange(3))) + "]"
    elif drawn < 0.6:  # noqa: PLR2004 - a share
        made = f'{{"status":{value(chance)},"data":[{row(chance)}],"total":{value(chance)}}}'
    elif drawn < 0.98:  # noqa: PLR2004 - a share
        made = value(chance)
    else:
        deep = chance.choice((50, 900, 1100, 5000))
        opening = chance.choice(("[", '{"a":', '[{"eid":'))
        made = opening * deep + chance.choice(("", "1", "]" * deep))
    return _spoilt(made.encode("utf-8", errors="surrogatepass"), chance)


def _spoilt(whole: bytes, chance: random.Random) -> bytes:
    """Cut, doubled, or with something put in, or (mostly) as it is."""
    spoilt = whole
    while chance.random() < 0.3:  # noqa: PLR2004 - a share
        place = chance.randrange(len(spoilt) + 1)
        match chance.randrange(4):
            case 0:
                spoilt = spoilt[:place]
            case 1:
                spoilt = spoilt[:place] + chance.choice(BLOCKS) + spoilt[place:]
            case 2:
                spoilt = chance.choice(BLOCKS) + spoilt
            case _:
                spoilt = spoilt[:place] + spoilt[place + 1 + chance.randrange(5) :]
    return spoilt
