"""Interprets responses of Slack, Teams and Discord beyond their status: a deleted webhook, and a time to wait.

The response text is only compared with documented values; no part of it is shown or logged.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from examhook.delivery.endpoint import BodyFormat
from examhook.delivery.record import SendResult

_SLACK_GONE = frozenset(
    {"no_service", "no_service_id", "no_active_hooks", "no_team", "channel_not_found", "channel_is_archived"}
)
"""Complete response bodies (docs.slack.dev, "Sending messages using incoming webhooks", "Handling errors")."""

_DISCORD_GONE = frozenset({10015, 50027})
"""Unknown Webhook, Invalid Webhook Token (docs.discord.com, "JSON error codes")."""

_TEAMS_GONE = frozenset({"WorkflowNotFound", "WorkflowTriggerNotFound"})
"""Error codes of Azure Logic Apps, which run the workflows of Teams."""

_CLIENT_ERRORS = range(400, 500)
_MISCONFIGURED = frozenset({400, 401, 403, 404})
_PRODUCTS: Mapping[BodyFormat, str] = {
    BodyFormat.SLACK: "Slack",
    BodyFormat.TEAMS: "Teams",
    BodyFormat.DISCORD: "Discord",
}


def product_of(body_format: BodyFormat) -> str | None:
    """Name of the chat product; None for CloudEvents."""
    return _PRODUCTS.get(body_format)


def chat_refusal_reason(body_format: BodyFormat, result: SendResult) -> str | None:
    """Why the chat rejected the message and what to do; None if the status alone explains it."""
    product = _PRODUCTS.get(body_format)
    if product is None:
        return None
    if is_gone(body_format, result):
        return f"{product} no longer has this webhook or its channel; create a new webhook and update its URL"
    if result.http_status in _MISCONFIGURED:
        return f"{product} rejects this message; check the endpoint's URL and format"
    return None


def is_gone(body_format: BodyFormat, result: SendResult) -> bool:
    """Whether the webhook no longer exists, so that a retry does not help."""
    if result.http_status not in _CLIENT_ERRORS:
        return False
    match body_format, _json(result):
        case BodyFormat.DISCORD, {"code": int(code)}:
            return code in _DISCORD_GONE
        case BodyFormat.TEAMS, {"error": {"code": str(code)}}:
            return code in _TEAMS_GONE
        case BodyFormat.SLACK, _:
            return result.answer_excerpt.strip() in _SLACK_GONE
        case _:
            return False


def chat_retry_after_s(body_format: BodyFormat, result: SendResult) -> int | None:
    """Seconds to wait before the next attempt, in Discord's formats: decimal, in the body or in ``Retry-After``."""
    if body_format is not BodyFormat.DISCORD:
        return None
    match _json(result):
        case {"retry_after": bool()}:
            return None
        case {"retry_after": int() | float() as seconds}:
            return _rounded_up(seconds)
        case _:
            try:
                return _rounded_up(float(result.retry_after or "nan"))
            except ValueError:
                return None


def _rounded_up(seconds: float) -> int | None:
    try:
        return math.ceil(seconds) if seconds >= 0 else None
    except OverflowError:
        return None


def _json(result: SendResult) -> object:
    try:
        return json.loads(result.answer_excerpt)
    except (ValueError, RecursionError):
        return None
