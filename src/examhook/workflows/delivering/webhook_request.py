"""Builds the HTTP request of an attempt: the body that the endpoint may see, its headers and its signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.payload import payload_for
from examhook.delivery.signature import signed_headers
from examhook.destinations.secrets import SecretsKey
from examhook.events.build import Event


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """Body and headers of one attempt."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def request_for(endpoint: Endpoint, event: Event, key: SecretsKey, at: int) -> WebhookRequest:
    """Build the request of an attempt at ``at`` (Unix seconds), signed with every secret that is valid then.

    Raises botocore's ClientError (see ``destinations.secrets``) and BadSecretError.
    """
    sealed = endpoint.sealed_pseudonym_key
    pseudonym_key = None if sealed is None else key.open(endpoint.endpoint_id, sealed)
    payload = payload_for(event, endpoint, pseudonym_key)
    signed = signed_headers(payload.webhook_id, payload.body, _secrets(endpoint, key, at), at)
    # The signature comes last so that custom headers cannot override it.
    headers = {**custom_headers(endpoint, key), "Content-Type": payload.content_type, **signed}
    return WebhookRequest(payload.body, headers)


def _secrets(endpoint: Endpoint, key: SecretsKey, at: int) -> tuple[str, ...]:
    newest = key.open(endpoint.endpoint_id, endpoint.sealed_secret)
    previous, until = endpoint.previous_sealed_secret, endpoint.previous_secret_until
    if previous is None or until is None or at >= until:
        return (newest,)
    return newest, key.open(endpoint.endpoint_id, previous)


def custom_headers(endpoint: Endpoint, key: SecretsKey) -> dict[str, str]:
    """Decrypt the custom headers of an endpoint, which may contain tokens."""
    if endpoint.sealed_headers is None:
        return {}
    opened: dict[str, str] = json.loads(key.open(endpoint.endpoint_id, endpoint.sealed_headers))
    return opened
