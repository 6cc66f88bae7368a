"""What is posted to one endpoint about one event: the body it may see, and the headers that prove it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.payload import Payload, payload_for
from examhook.delivery.signature import signed_headers
from examhook.destinations.secrets import SecretsKey
from examhook.events.build import Event


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One attempt, ready to be sent."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """The endpoint's own, the signature, and the content type."""


def request_for(endpoint: Endpoint, event: Event, key: SecretsKey, at: int) -> WebhookRequest:
    """The request of an attempt at ``at`` (Unix seconds), signed by every secret that is valid then.

    Raises botocore's ClientError (see ``destinations.secrets``) and BadSecretError.
    """
    payload = _payload(endpoint, event, key)
    signed = signed_headers(payload.webhook_id, payload.body, _secrets(endpoint, key, at), at)
    # The signature last: no header of the endpoint's own may stand in its place.
    headers = {**own_headers(endpoint, key), "Content-Type": payload.content_type, **signed}
    return WebhookRequest(payload.body, headers)


def _payload(endpoint: Endpoint, event: Event, key: SecretsKey) -> Payload:
    sealed = endpoint.sealed_pseudonym_key
    pseudonym_key = None if sealed is None else key.open(endpoint.endpoint_id, sealed)
    return payload_for(event, endpoint, pseudonym_key)


def _secrets(endpoint: Endpoint, key: SecretsKey, at: int) -> tuple[str, ...]:
    newest = key.open(endpoint.endpoint_id, endpoint.sealed_secret)
    previous, until = endpoint.previous_sealed_secret, endpoint.previous_secret_until
    if previous is None or until is None or at >= until:
        return (newest,)
    return newest, key.open(endpoint.endpoint_id, previous)


def own_headers(endpoint: Endpoint, key: SecretsKey) -> dict[str, str]:
    """The headers that a person gave the endpoint, opened; they may hold tokens."""
    if endpoint.sealed_headers is None:
        return {}
    opened: dict[str, str] = json.loads(key.open(endpoint.endpoint_id, endpoint.sealed_headers))
    return opened
