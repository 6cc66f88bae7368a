"""Request bodies: an event in an endpoint's format, reduced according to its privacy profile."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import assert_never

from examhook.delivery.chat_messages import discord_body, slack_body, teams_body
from examhook.delivery.endpoint import BodyFormat, ContentType, Endpoint, Privacy
from examhook.events.build import CONTENT_TYPE, Event
from examhook.events.message import message_of
from examhook.events.privacy import pseudonymous_body, thin_body

_JSON = "application/json"
_CONTENT_TYPES = {ContentType.JSON: _JSON, ContentType.CLOUDEVENTS: CONTENT_TYPE}


class MissingKeyError(ValueError):
    """The endpoint has no key for pseudonyms; ``examhook endpoints update --privacy pseudonymous`` creates one."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The request body for one event and one endpoint, the same for every attempt."""

    webhook_id: str
    """The event id in the body, by which receivers recognize repeated requests."""
    body: bytes = field(repr=False)
    content_type: str = _JSON


def payload_for(event: Event, endpoint: Endpoint, pseudonym_key: str | None) -> Payload:
    """The payload of ``event`` for ``endpoint``; raises MissingKeyError."""
    reduced = _reduced(event, endpoint, pseudonym_key)
    match endpoint.body_format:
        case BodyFormat.CLOUDEVENTS:
            return replace(reduced, content_type=_CONTENT_TYPES[endpoint.content_type])
        case BodyFormat.SLACK:
            return Payload(reduced.webhook_id, slack_body(message_of(reduced.body)))
        case BodyFormat.TEAMS:
            return Payload(reduced.webhook_id, teams_body(message_of(reduced.body)))
        case BodyFormat.DISCORD:
            return Payload(reduced.webhook_id, discord_body(message_of(reduced.body)))
        case _:
            assert_never(endpoint.body_format)


def _reduced(event: Event, endpoint: Endpoint, pseudonym_key: str | None) -> Payload:
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
