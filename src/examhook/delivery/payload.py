"""What an endpoint is sent of an event: as much as its privacy profile lets through, in the format that it takes.

::

    MissingKeyError     an endpoint that gets pseudonyms has no key for them; nothing is sent rather than too much
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import assert_never

from examhook.delivery.endpoint import BodyFormat, ContentType, Endpoint, Privacy
from examhook.delivery.formats.discord import discord_body
from examhook.delivery.formats.slack import slack_body
from examhook.delivery.formats.teams import teams_body
from examhook.events.build import CONTENT_TYPE, Event
from examhook.events.message import message_of
from examhook.events.privacy import pseudonymous_body, thin_body

_JSON = "application/json"
_CONTENT_TYPES = {ContentType.JSON: _JSON, ContentType.CLOUDEVENTS: CONTENT_TYPE}


class MissingKeyError(ValueError):
    """There is no key to make pseudonyms with; ``examhook endpoints update --privacy pseudonymous`` makes one."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One event as one endpoint gets it; the same at every attempt."""

    webhook_id: str
    """What repeats are known by: the ``id`` of the event as the endpoint may see it."""
    body: bytes = field(repr=False)
    content_type: str = _JSON


def payload_for(event: Event, endpoint: Endpoint, pseudonym_key: str | None) -> Payload:
    """``event`` as ``endpoint`` may see it and as it takes it; raises MissingKeyError."""
    allowed = _allowed(event, endpoint, pseudonym_key)
    match endpoint.body_format:
        case BodyFormat.CLOUDEVENTS:
            return replace(allowed, content_type=_CONTENT_TYPES[endpoint.content_type])
        case BodyFormat.SLACK:
            return Payload(allowed.webhook_id, slack_body(message_of(allowed.body)))
        case BodyFormat.TEAMS:
            return Payload(allowed.webhook_id, teams_body(message_of(allowed.body)))
        case BodyFormat.DISCORD:
            return Payload(allowed.webhook_id, discord_body(message_of(allowed.body)))
        case _:
            assert_never(endpoint.body_format)


def _allowed(event: Event, endpoint: Endpoint, pseudonym_key: str | None) -> Payload:
    match endpoint.privacy:
        case Privacy.FULL:
            return Payload(event.event_id, event.body)
        case Privacy.THIN:
            return Payload(event.event_id, thin_body(event))
        case Privacy.PSEUDONYMOUS:
            if not pseudonym_key:
                raise MissingKeyError(f"endpoint {endpoint.endpoint_id} has no key for pseudonyms")
            body = pseudonymous_body(event, pseudonym_key)
            return Payload(str(json.loads(body)["id"]), body)
        case _:
            assert_never(endpoint.privacy)
