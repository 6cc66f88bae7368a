"""What an incoming webhook of Slack is posted: blocks of plain text, and the sentence for notifications.

Names and titles stand in ``plain_text`` objects, which know no markup, and with the three characters
escaped that Slack parses everywhere. The one piece of markup is the link, and nothing in it is
anyone's to choose but its address. Source: docs.slack.dev, "Formatting message text", "Blocks" (a
section's text has at most 3000 characters, a field 2000, a section 10 fields).
"""

from __future__ import annotations

from examhook.delivery.formats.bounds import address_of, detail_of, sentence_of
from examhook.events.body import ResultBody
from examhook.events.encoding import compact
from examhook.events.message import Message
from examhook.events.text import readable_time

_FIELDS = 10
_SECTION_CHARACTERS = 3000


def slack_body(message: Message) -> bytes:
    """The body of the request, JSON."""
    sentence = _escaped(sentence_of(message.sentence))
    blocks: list[dict[str, object]] = [{"type": "section", "text": _plain(sentence)}]
    if message.details:
        fields = [_plain(f"{label}\n{_escaped(detail_of(text))}") for label, text in message.details[:_FIELDS]]
        blocks.append({"type": "section", "fields": fields})
    if (link := _link(message.result)) is not None:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": True}})
    blocks.append({"type": "context", "elements": [_plain(f"Examhook {message.event_id}")]})
    return compact(
        {
            "text": sentence,
            "mrkdwn": False,
            # A result link opens for whoever holds it; Slack's own look at it would be one too many.
            "unfurl_links": False,
            "unfurl_media": False,
            "blocks": blocks,
        }
    )


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _link(result: ResultBody | None) -> str | None:
    address = address_of(result["url"]) if result is not None else None
    if result is None or address is None:
        return None
    link = f"<{_escaped(address)}|The result>, until {readable_time(result['expires_at'])}"
    # Each & of an address takes five characters; Slack refuses the whole message for one that is too long.
    return link if len(link) <= _SECTION_CHARACTERS else None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
