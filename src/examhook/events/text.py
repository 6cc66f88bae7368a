"""Text for people: single lines, shortened text, readable times and web addresses."""

from __future__ import annotations

from datetime import datetime
from unicodedata import category
from urllib.parse import quote

SUBJECT_UNITS = 99
"""Maximum length of a subject. SNS accepts fewer than 100 characters; UTF-16 code units are the strictest way to count
them."""

_LINE_BREAKING_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_URL_DELIMITERS = "%/:?#[]@!$&'()*+,;=~"
_DIRECTION_CHARACTERS = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def one_line(text: str) -> str:
    """Return ``text`` without line breaks, control characters and lone surrogates, which SNS rejects in a subject.

    Characters that change the writing direction are removed too, so a name cannot rearrange the sentence around it.
    """
    line_breaking = {char for char in text if category(char) in _LINE_BREAKING_CATEGORIES}
    plain = "".join(" " if char in line_breaking else char for char in text if char not in _DIRECTION_CHARACTERS)
    return " ".join(plain.split())


def web_address(url: str) -> str:
    """Percent-encode every character that is not valid in a URL, so that ``url`` stays one link on one line."""
    return quote(url, safe=_URL_DELIMITERS, errors="replace")


def shortened(text: str, units: int) -> str:
    """Return ``text``, cut to at most ``units`` UTF-16 code units; the last of them is then an ellipsis."""
    if units_of(text) <= units:
        return text
    kept = text[: units - 1]
    while units_of(kept) > units - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def units_of(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text.encode("utf-16-le", errors="replace")) // 2


def readable_time(rfc3339: str) -> str:
    """Return ``3 May 2026 at 14:02 UTC``."""
    at = datetime.fromisoformat(rfc3339)
    return f"{at.day} {at:%B %Y} at {at:%H:%M} UTC"


def readable_duration(duration_s: int) -> str:
    """Return ``1 h 5 min``, ``30 min`` or ``45 s``."""
    hours, minutes = duration_s // 3600, duration_s % 3600 // 60
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts) or f"{duration_s} s"
