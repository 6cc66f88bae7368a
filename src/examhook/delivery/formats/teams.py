"""What a workflow of Microsoft Teams is posted ("When a Teams webhook request is received"): an Adaptive Card.

All text stands in text runs, which know no Markdown, and the card names no entities, without which
nothing mentions anyone. Sources: learn.microsoft.com, "Create incoming webhooks with Workflows"
(a message is at most 28 KB); adaptivecards.io, ``RichTextBlock``, ``TextRun``, ``Action.OpenUrl``.
"""

from __future__ import annotations

from examhook.delivery.formats.bounds import address_of, detail_of, sentence_of
from examhook.events.encoding import compact
from examhook.events.message import Message
from examhook.events.text import readable_time

_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_VERSION = "1.4"
"""Teams shows cards up to 1.5 on a desktop; older phones stop at 1.4."""


def teams_body(message: Message) -> bytes:
    """The body of the request, JSON."""
    body = [_text(_run(sentence_of(message.sentence)), size="Medium")]
    body += [_text(_run(f"{label}: ", bold=True), _run(detail_of(text))) for label, text in message.details]
    card: dict[str, object] = {"$schema": _SCHEMA, "type": "AdaptiveCard", "version": _VERSION}
    result = message.result
    address = address_of(result["url"]) if result is not None else None
    if result is not None and address is not None:
        body.append(_text(_run(f"The link to the result works until {readable_time(result['expires_at'])}.")))
        card["actions"] = [{"type": "Action.OpenUrl", "title": "The result", "url": address}]
    body.append(_text(_run(f"Examhook {message.event_id}"), size="Small"))
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": {**card, "body": body},
    }
    return compact({"type": "message", "attachments": [attachment]})


def _text(*runs: dict[str, object], size: str = "Default") -> dict[str, object]:
    sized = [{**run, "size": size} for run in runs]
    return {"type": "RichTextBlock", "inlines": sized, "spacing": "Small"}


def _run(text: str, *, bold: bool = False) -> dict[str, object]:
    return {"type": "TextRun", "text": text, **({"weight": "Bolder"} if bold else {})}
