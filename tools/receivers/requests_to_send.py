"""The requests of the matrix, built and sent by the code of Deliver."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
from moto import mock_aws

from examhook.delivery.endpoint import ContentType, Endpoint, EndpointOrigin
from examhook.delivery.record import SendResult
from examhook.delivery.signature import fresh_secret
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.events.build import Event
from examhook.events.encoding import compact
from examhook.workflows.delivering.webhook_request import request_for
from tools.processes import PROJECT

EXAMPLES = PROJECT / "docs/events/examples"
MAX_BODY_BYTES = 75_000
"""Maximum size of an event (docs/events/README.md)."""
_DEADLINE_S = 15
_ENDPOINT_ID = "ep_receivers"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Two signing secrets; the receiver knows ``own``."""

    key: SecretsKey
    own: str
    sealed_own: bytes
    sealed_other: bytes

    @classmethod
    def create(cls) -> Secrets:
        """Seal two new secrets with a key of an in-memory KMS, and open them, so that the key caches them."""
        own, other = fresh_secret(secrets.token_bytes), fresh_secret(secrets.token_bytes)
        with mock_aws():
            client = boto3.client("kms", region_name="us-east-1")
            key = SecretsKey(client, client.create_key()["KeyMetadata"]["Arn"])
            sealed_own, sealed_other = key.seal(_ENDPOINT_ID, own), key.seal(_ENDPOINT_ID, other)
            for sealed in (sealed_own, sealed_other):
                key.open(_ENDPOINT_ID, sealed)
        return cls(key, own, sealed_own, sealed_other)


class EndpointSender:
    """Sends events to one receiver as Deliver does; ``at`` is the time of the attempt in Unix seconds."""

    def __init__(self, url: str, known: Secrets) -> None:
        self._known = known
        self._endpoint = Endpoint(_ENDPOINT_ID, url, known.sealed_own, EndpointOrigin.CLI, 0)
        client = guarded_client(allow_private=True)
        self._sender = WebhookSender(client, allow_http=True, allow_private=True)

    def send(self, event: Event, at: int) -> SendResult:
        """Send a genuine request."""
        return self._send(self._endpoint, event, at)

    def send_cloudevents(self, event: Event, at: int) -> SendResult:
        """Send a genuine request as ``application/cloudevents+json``."""
        return self._send(replace(self._endpoint, content_type=ContentType.CLOUDEVENTS), event, at)

    def send_during_rotation(self, event: Event, at: int) -> SendResult:
        """Send a genuine request with two signatures, of which the second one is the receiver's."""
        rotated = replace(
            self._endpoint,
            sealed_secret=self._known.sealed_other,
            previous_sealed_secret=self._known.sealed_own,
            previous_secret_until=at + 60,
        )
        return self._send(rotated, event, at)

    def send_forged(self, event: Event, at: int) -> SendResult:
        """Send a request that is signed with another secret."""
        return self._send(replace(self._endpoint, sealed_secret=self._known.sealed_other), event, at)

    def send_changed(self, event: Event, at: int) -> SendResult:
        """Send a request whose body was changed after it was signed."""
        return self._send(self._endpoint, event, at, appended=b" ")

    def _send(self, endpoint: Endpoint, event: Event, at: int, appended: bytes = b"") -> SendResult:
        request = request_for(endpoint, event, self._known.key, at)
        return self._sender.send(endpoint.url, request.body + appended, request.headers, _DEADLINE_S)


def example_events() -> Sequence[Event]:
    """Return the example of each type, one with characters of one to four bytes, and one of the maximum size."""
    examples = [_event(path) for path in sorted(EXAMPLES.glob("*.json"))]
    submitted = _event(EXAMPLES / "submission.submitted.json")
    unicode = _titled(renamed(submitted, "evt_unicode"), "解剖学 Ⅱ «é» 👩‍🎓")
    largest = renamed(submitted, "evt_largest")
    filler = "x" * (MAX_BODY_BYTES - len(_titled(largest, "").body))
    return [*examples, unicode, _titled(largest, filler)]


def _titled(event: Event, title: str) -> Event:
    return replace(event, body=event.body.replace(b"Anatomy II", title.encode()))


def renamed(event: Event, event_id: str) -> Event:
    """Return ``event`` with another id."""
    return replace(event, event_id=event_id, body=event.body.replace(event.event_id.encode(), event_id.encode()))


def _event(path: Path) -> Event:
    facts = json.loads(path.read_bytes())
    return Event(
        event_id=facts["id"],
        event_type=facts["type"],
        account=None,
        exam_id=None,
        status=None,
        occurred_at=0,
        observed_at=0,
        sequence=facts.get("revision"),
        previous_id=facts.get("previousid"),
        body=compact(facts),
    )
