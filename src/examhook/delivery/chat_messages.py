"""Request bodies for the incoming webhooks of Slack, Teams and Discord.

Names and titles come from the provider and may contain any text. Each product shows them without interpreting markup,
and mentions nobody:

- Slack: ``plain_text`` objects. The three characters that Slack interprets even there are escaped.
- Teams: an Adaptive Card of text runs, which have no markup; mentions would need entities, which the card lacks.
- Discord: an embed in which every ASCII punctuation character is escaped, which also disables timestamps and links.

Sources: docs.slack.dev, "Formatting message text", "Blocks"; learn.microsoft.com, "Create incoming webhooks with
Workflows" (a message has at most 28 KB); adaptivecards.io, ``RichTextBlock``, ``TextRun``, ``Action.OpenUrl``;
docs.discord.com, "Execute Webhook", "Embed limits" (title 256 characters, description 4096, 25 fields, all 6000).
"""

from __future__ import annotations

import re

from examhook.events.encoding import compact
from examhook.events.message import Message
from examhook.events.text import readable_time, shortened, web_address

# Escaping makes text longer, so these limits are far below those of the products.
_SENTENCE_UNITS = 500
_DETAIL_UNITS = 200
_URL_CHARACTERS = 2000
"""Longer URLs are omitted, because a truncated link does not work. Discord's limit is 2048."""

_SLACK_FIELDS = 10
"""Maximum fields of a section in Slack."""
_SLACK_SECTION_CHARACTERS = 3000
_CARD_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_CARD_VERSION = "1.4"
"""Latest version that Teams supports on older phones."""
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def slack_body(message: Message) -> bytes:
    """JSON for Slack: blocks of plain text, and a text for notifications."""
    sentence = _escaped_for_slack(shortened(message.sentence, _SENTENCE_UNITS))
    blocks: list[dict[str, object]] = [{"type": "section", "text": _plain_text(sentence)}]
    if message.details:
        fields = [
            _plain_text(f"{label}\n{_escaped_for_slack(shortened(text, _DETAIL_UNITS))}")
            for label, text in message.details[:_SLACK_FIELDS]
        ]
        blocks.append({"type": "section", "fields": fields})
    if (link := _slack_link(message)) is not None:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": True}})
    blocks.append({"type": "context", "elements": [_plain_text(f"Examhook {message.event_id}")]})
    return compact(
        {
            "text": sentence,
            "mrkdwn": False,
            # Anyone can open a result link, so Slack must not fetch a preview.
            "unfurl_links": False,
            "unfurl_media": False,
            "blocks": blocks,
        }
    )


def _plain_text(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _slack_link(message: Message) -> str | None:
    if (link := _result_link(message)) is None:
        return None
    url, expiry = link
    text = f"<{_escaped_for_slack(url)}|The result>, until {expiry}"
    # Escaping turns each & into five characters, and Slack rejects a whole message with a section that is too long.
    return text if len(text) <= _SLACK_SECTION_CHARACTERS else None


def _escaped_for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams_body(message: Message) -> bytes:
    """JSON for the Teams workflow "When a Teams webhook request is received": an Adaptive Card."""
    body = [_text_block(_text_run(shortened(message.sentence, _SENTENCE_UNITS)), size="Medium")]
    body += [
        _text_block(_text_run(f"{label}: ", bold=True), _text_run(shortened(text, _DETAIL_UNITS)))
        for label, text in message.details
    ]
    card: dict[str, object] = {"$schema": _CARD_SCHEMA, "type": "AdaptiveCard", "version": _CARD_VERSION}
    if (link := _result_link(message)) is not None:
        url, expiry = link
        body.append(_text_block(_text_run(f"The link to the result works until {expiry}.")))
        card["actions"] = [{"type": "Action.OpenUrl", "title": "The result", "url": url}]
    body.append(_text_block(_text_run(f"Examhook {message.event_id}"), size="Small"))
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": {**card, "body": body},
    }
    return compact({"type": "message", "attachments": [attachment]})


def _text_block(*runs: dict[str, object], size: str = "Default") -> dict[str, object]:
    sized = [{**run, "size": size} for run in runs]
    return {"type": "RichTextBlock", "inlines": sized, "spacing": "Small"}


def _text_run(text: str, *, bold: bool = False) -> dict[str, object]:
    return {"type": "TextRun", "text": text, **({"weight": "Bolder"} if bold else {})}


def discord_body(message: Message) -> bytes:
    """JSON for Discord: one embed."""
    embed: dict[str, object] = {
        "description": _escaped_for_discord(shortened(message.sentence, _SENTENCE_UNITS)),
        "fields": [
            {"name": label, "value": _escaped_for_discord(shortened(text, _DETAIL_UNITS)), "inline": True}
            for label, text in message.details
        ],
        # Footers have no Markdown, so they need no escaping.
        "footer": {"text": f"Examhook {message.event_id}"},
        "timestamp": message.occurred_at,
    }
    if (link := _result_link(message)) is not None:
        url, expiry = link
        # Discord fetches previews of URLs in the text of a message, but not of an embed's own URL.
        embed |= {"title": f"The result, until {expiry}", "url": url}
    return compact({"embeds": [embed], "allowed_mentions": {"parse": []}})


def _escaped_for_discord(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\g<0>", text)


def _result_link(message: Message) -> tuple[str, str] | None:
    """URL and expiry of the result link; None if there is none or the URL is too long.

    The URL is encoded so that no character ends the link early.
    """
    if message.result is None or message.result["url"] is None:
        return None
    url = web_address(message.result["url"])
    return (url, readable_time(message.result["expires_at"])) if len(url) <= _URL_CHARACTERS else None
