"""What a webhook of Discord is posted: one embed, which mentions nobody.

Every ASCII punctuation character of names and titles is escaped, which takes the effect from
Markdown, mentions, timestamps and bare addresses alike. Source: docs.discord.com, "Execute
Webhook", "Embed limits" (title 256, description 4096, 25 fields of 256 and 1024, all of it 6000).
"""

from __future__ import annotations

import re

from examhook.delivery.formats.bounds import address_of, detail_of, sentence_of
from examhook.events.encoding import compact
from examhook.events.message import Message
from examhook.events.text import readable_time

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def discord_body(message: Message) -> bytes:
    """The body of the request, JSON."""
    embed: dict[str, object] = {
        "description": _escaped(sentence_of(message.sentence)),
        "fields": [
            {"name": label, "value": _escaped(detail_of(text)), "inline": True} for label, text in message.details
        ],
        # Knows no Markdown, so nothing is escaped in it.
        "footer": {"text": f"Examhook {message.event_id}"},
        "timestamp": message.occurred_at,
    }
    result = message.result
    address = address_of(result["url"]) if result is not None else None
    if result is not None and address is not None:
        # Discord looks at addresses in a message's text, and not at an embed's own.
        embed |= {"title": f"The result, until {readable_time(result['expires_at'])}", "url": address}
    return compact({"embeds": [embed], "allowed_mentions": {"parse": []}})


def _escaped(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\g<0>", text)
