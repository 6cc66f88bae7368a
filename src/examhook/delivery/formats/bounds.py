"""How much of a message a chat is given. Escaping makes text longer, so what is said stays well below every limit."""

from __future__ import annotations

from examhook.events.text import shortened, web_address

SENTENCE_UNITS = 500
DETAIL_UNITS = 200
URL_CHARACTERS = 2000
"""Discord takes addresses of 2048, and a link that is cut leads nowhere."""


def sentence_of(text: str) -> str:
    """``text``, shortened to what a chat shows as its message."""
    return shortened(text, SENTENCE_UNITS)


def detail_of(text: str) -> str:
    """``text``, shortened to what a chat shows beside a label."""
    return shortened(text, DETAIL_UNITS)


def address_of(url: str | None) -> str | None:
    """``url`` with nothing in it that could end a link early; None where there is none, or too long to be sent."""
    if url is None:
        return None
    encoded = web_address(url)
    return encoded if len(encoded) <= URL_CHARACTERS else None
