"""What the chats' answers mean beyond their statuses: a webhook that no longer exists, and how long to wait.

Nothing of an answer's text is passed on; it is only compared with what each product documents.
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
"""docs.slack.dev, "Sending messages using incoming webhooks", "Handling errors": each is the whole body."""

_DISCORD_GONE = frozenset({10015, 50027})
"""Unknown Webhook, Invalid Webhook Token (docs.discord.com, "JSON error codes")."""

_TEAMS_GONE = frozenset({"WorkflowNotFound", "WorkflowTriggerNotFound"})
"""Azure Logic Apps, which run the workflows of Teams."""

_REFUSALS = range(400, 500)
_REFUSED_AS_IT_IS = frozenset({400, 401, 403, 404})
_PRODUCTS: Mapping[BodyFormat, str] = {
    BodyFormat.SLACK: "Slack",
    BodyFormat.TEAMS: "Teams",
    BodyFormat.DISCORD: "Discord",
}


def product_of(body_format: BodyFormat) -> str | None:
    """The chat's name; None for receivers of events."""
    return _PRODUCTS.get(body_format)


def why_refused(body_format: BodyFormat, result: SendResult) -> str | None:
    """In words, what the chat has against the message; None where its status says all there is to say."""
    product = _PRODUCTS.get(body_format)
    if product is None:
        return None
    if is_gone(body_format, result):
        return f"{product} no longer has this webhook or its channel; make a new one and give the endpoint its address"
    if result.http_status in _REFUSED_AS_IT_IS:
        return f"{product} does not take this message there; check the endpoint's address and format"
    return None


def is_gone(body_format: BodyFormat, result: SendResult) -> bool:
    """Whether the answer says that the webhook no longer exists, so that asking again is of no use."""
    if result.http_status not in _REFUSALS:
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


def asked_wait_s(body_format: BodyFormat, result: SendResult) -> int | None:
    """Seconds to wait that Discord asks for in its own way: with decimals, and in the body as well as in the header."""
    if body_format is not BodyFormat.DISCORD:
        return None
    match _json(result):
        case {"retry_after": bool()}:
            return None
        case {"retry_after": int() | float() as seconds}:
            return _whole(seconds)
        case _:
            try:
                return _whole(float(result.retry_after or "nan"))
            except ValueError:
                return None


def _whole(seconds: float) -> int | None:
    try:
        return math.ceil(seconds) if seconds >= 0 else None
    except OverflowError:
        return None


def _json(result: SendResult) -> object:
    try:
        return json.loads(result.answer_excerpt)
    except (ValueError, RecursionError):
        return None
