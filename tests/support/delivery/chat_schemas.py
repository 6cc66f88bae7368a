"""The shapes that the chats' incoming webhooks take, written from what each product documents of its limits."""

from __future__ import annotations

from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = r"^https?://[!-;=?-{}~]+$"
"""Printable ASCII without what ends a link early: < > |."""


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _slack_plain(longest: int) -> dict[str, Any]:
    return _object({"type": {"const": "plain_text"}, "text": _text(longest), "emoji": {"const": False}})


SLACK: dict[str, Any] = {
    "$schema": DRAFT,
    **_object(
        {
            "text": _text(4000),
            "mrkdwn": {"const": False},
            "unfurl_links": {"const": False},
            "unfurl_media": {"const": False},
            "blocks": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": {
                    "oneOf": [
                        _object({"type": {"const": "section"}, "text": _slack_plain(3000)}),
                        _object(
                            {
                                "type": {"const": "section"},
                                "fields": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 10,
                                    "items": _slack_plain(2000),
                                },
                            }
                        ),
                        _object(
                            {
                                "type": {"const": "section"},
                                "text": _object(
                                    {
                                        "type": {"const": "mrkdwn"},
                                        "text": {
                                            **_text(3000),
                                            "pattern": r"^<https?://[^<>|\s]+\|The result>, until [0-9A-Za-z :]+$",
                                        },
                                        "verbatim": {"const": True},
                                    }
                                ),
                            }
                        ),
                        _object(
                            {
                                "type": {"const": "context"},
                                "elements": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 10,
                                    "items": _slack_plain(2000),
                                },
                            }
                        ),
                    ]
                },
            },
        }
    ),
}

_RUN = _object(
    {"type": {"const": "TextRun"}, "text": _text(10_000), "size": {"enum": ["Small", "Default", "Medium"]}},
    {"weight": {"const": "Bolder"}},
)
_CARD = _object(
    {
        "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
        "type": {"const": "AdaptiveCard"},
        "version": {"enum": ["1.0", "1.1", "1.2", "1.3", "1.4"]},
        "body": {
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "type": {"const": "RichTextBlock"},
                    "inlines": {"type": "array", "minItems": 1, "items": _RUN},
                    "spacing": {"const": "Small"},
                }
            ),
        },
    },
    {
        "actions": {
            "type": "array",
            "minItems": 1,
            "maxItems": 6,
            "items": _object(
                {
                    "type": {"const": "Action.OpenUrl"},
                    "title": _text(100),
                    "url": {"type": "string", "pattern": ADDRESS},
                }
            ),
        }
    },
)
TEAMS: dict[str, Any] = {
    "$schema": DRAFT,
    **_object(
        {
            "type": {"const": "message"},
            "attachments": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": _object(
                    {
                        "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                        "contentUrl": {"type": "null"},
                        "content": _CARD,
                    }
                ),
            },
        }
    ),
}
TEAMS_BYTES = 28_000

DISCORD: dict[str, Any] = {
    "$schema": DRAFT,
    **_object(
        {
            "allowed_mentions": _object({"parse": {"type": "array", "maxItems": 0}}),
            "embeds": {
                "type": "array",
                "minItems": 1,
                "maxItems": 10,
                "items": _object(
                    {
                        "description": _text(4096),
                        "fields": {
                            "type": "array",
                            "maxItems": 25,
                            "items": _object({"name": _text(256), "value": _text(1024), "inline": {"type": "boolean"}}),
                        },
                        "footer": _object({"text": _text(2048)}),
                        "timestamp": {"type": "string", "format": "date-time"},
                    },
                    {"title": _text(256), "url": {"type": "string", "maxLength": 2048, "pattern": ADDRESS}},
                ),
            },
        }
    ),
}
DISCORD_CHARACTERS = 6000
"""Of all texts of all embeds of one message together."""
