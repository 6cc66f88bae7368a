"""The small parts of what is said to people: one line of text, a moment, and a message to be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from unicodedata import category
from urllib.parse import quote

from examhook.events.body import ResultBody

SUBJECT_UNITS = 99
"""SNS takes subjects of less than 100 characters; counted in UTF-16 units, so that no way of counting exceeds it."""

_LINE_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_OF_AN_ADDRESS = "%/:?#[]@!$&'()*+,;=~"
_DIRECTION_SIGNS = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


@dataclass(frozen=True, slots=True)
class Message:
    """What there is to say, for whoever lays it out. All of it is plain text on one line each, of any length."""

    event_id: str
    occurred_at: str
    """RFC 3339 in UTC."""
    subject: str = field(repr=False)
    """The sentence in short, at most SUBJECT_UNITS long."""
    sentence: str = field(repr=False)
    details: tuple[tuple[str, str], ...] = field(repr=False)
    """Label and text of what is known."""
    result: ResultBody | None = field(default=None, repr=False)


def one_line(text: str) -> str:
    """``text`` without line breaks, control characters and lone surrogates, which SNS refuses in a subject.

    Signs that turn the direction of writing go as well, so that no name can rearrange the sentence around it.
    """
    breaks_line = {char for char in text if category(char) in _LINE_BREAKING}
    plain = "".join(" " if char in breaks_line else char for char in text if char not in _DIRECTION_SIGNS)
    return " ".join(plain.split())


def web_address(url: str) -> str:
    """``url`` with every other character than those of a URL %-encoded, so that nothing in it ends a line or a link."""
    return quote(url, safe=_OF_AN_ADDRESS, errors="replace")


def shortened(text: str, units: int) -> str:
    """``text`` if it has at most ``units`` UTF-16 code units, else its beginning and an ellipsis."""
    if units_of(text) <= units:
        return text
    kept = text[: units - 1]
    while units_of(kept) > units - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def units_of(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le", errors="replace")) // 2


def told(details: Sequence[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """What is known, as text beside its label."""
    said = [(label, "yes" if value is True else "no" if value is False else value) for label, value in details]
    return tuple((label, one_line(str(value))) for label, value in said if value is not None)


def moment(rfc3339: str) -> str:
    """``3 May 2026 at 14:02 UTC``."""
    at = datetime.fromisoformat(rfc3339)
    return f"{at.day} {at:%B %Y} at {at:%H:%M} UTC"


def spaced(name: str) -> str:
    """``timed out`` for ``timed_out``."""
    return name.replace("_", " ")
