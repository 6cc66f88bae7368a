"""Adding endpoints, from the stack's parameter ``WebhookUrls`` or by hand, and testing them.

Functions raise botocore's errors if AWS fails; a retry helps.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Sequence
from contextlib import suppress

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, fresh_endpoint_id, parameter_endpoint_id
from examhook.delivery.record import new_delivery
from examhook.delivery.signature import fresh_secret
from examhook.delivery.url import check_endpoint_url
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.events.build import Event, endpoint_test_event
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointExistsError, EndpointsTable
from examhook.storage.events import EventsTable
from examhook.workflows.administration.endpoint_changes import LEFT_PARAMETER, EndpointChanges, with_changes

_DAY_S = 86_400


class EndpointDisabledError(Exception):
    """The endpoint is disabled; a retry helps only after someone enables it."""


def ensure_configured_endpoints(
    urls: Sequence[str], table: EndpointsTable, key: SecretsKey, now: Callable[[], float]
) -> list[Endpoint]:
    """Return ``configured_endpoints`` without those whose URL was removed from the parameter."""
    wanted = {parameter_endpoint_id(url) for url in urls}
    return [
        endpoint for endpoint in configured_endpoints(urls, table, key, now) if not _left_parameter(endpoint, wanted)
    ]


def configured_endpoints(
    urls: Sequence[str], table: EndpointsTable, key: SecretsKey, now: Callable[[], float]
) -> list[Endpoint]:
    """Add missing endpoints of the stack's parameter ``urls``, and return every endpoint, oldest first.

    An endpoint keeps its secret. It is disabled when its URL is removed from the parameter, and enabled when the URL
    is added again.
    """
    wanted = {parameter_endpoint_id(url): url for url in urls}
    known = {endpoint.endpoint_id: endpoint for endpoint in table.list_all()}
    has_changed = False
    for endpoint_id, url in wanted.items():
        endpoint = known.get(endpoint_id)
        if endpoint is None:
            has_changed = True
            _add_from_parameter(endpoint_id, url, table, key, now)
        elif endpoint.disabled_reason == LEFT_PARAMETER:
            has_changed |= table.enable(endpoint_id)
    for endpoint in known.values():
        if endpoint.is_enabled and _left_parameter(endpoint, wanted):
            has_changed |= table.disable(endpoint.endpoint_id, LEFT_PARAMETER, int(now())) is not None
    return table.list_all() if has_changed else list(known.values())


def _add_from_parameter(
    endpoint_id: str, url: str, table: EndpointsTable, key: SecretsKey, now: Callable[[], float]
) -> None:
    endpoint = Endpoint(
        endpoint_id=endpoint_id,
        url=url,
        sealed_secret=key.seal(endpoint_id, fresh_secret(secrets.token_bytes)),
        origin=EndpointOrigin.PARAMETER,
        created_at=int(now()),
        description="from the stack's WebhookUrls",
    )
    # If another function was faster, its secret applies; nobody has seen this one.
    with suppress(EndpointExistsError):
        table.add(endpoint)


def _left_parameter(endpoint: Endpoint, wanted: Container[str]) -> bool:
    """Whether the endpoint comes from the parameter but is not among its ``wanted`` ids any more."""
    return endpoint.origin is EndpointOrigin.PARAMETER and endpoint.endpoint_id not in wanted


def add_endpoint(  # noqa: PLR0913 - the endpoint, and the stack's limits
    url: str,
    table: EndpointsTable,
    key: SecretsKey,
    now: Callable[[], float],
    *,
    changes: EndpointChanges | None = None,
    allow_http: bool = False,
    allow_private: bool = False,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Endpoint, str]:
    """Add an endpoint with default settings and ``changes``; return it and its ``whsec_…`` secret.

    Raises EndpointUrlError, BadHeaderError, BadRateError.
    """
    check_endpoint_url(url, allow_http=allow_http, allow_private=allow_private)
    endpoint_id = fresh_endpoint_id(url, random_bytes)
    secret = fresh_secret(random_bytes)
    endpoint = Endpoint(
        endpoint_id=endpoint_id,
        url=url,
        sealed_secret=key.seal(endpoint_id, secret),
        origin=EndpointOrigin.CLI,
        created_at=int(now()),
    )
    endpoint = with_changes(endpoint, changes or EndpointChanges(), key, random_bytes)
    table.add(endpoint)
    return endpoint, secret


def send_endpoint_test(  # noqa: PLR0913 - every store and queue that an event passes
    endpoint: Endpoint,
    *,
    events: EventsTable,
    deliveries: DeliveriesTable,
    queue: DeliveryQueue,
    now: Callable[[], float],
    retention_days: int,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Event:
    """Send a signed ``endpoint.test`` event like any other event, but with only one attempt.

    The Deliveries table shows the result under the event's id. Raises EndpointDisabledError.
    """
    if not endpoint.is_enabled:
        raise EndpointDisabledError(f"Endpoint {endpoint.endpoint_id} is disabled: {endpoint.disabled_reason}.")
    at = int(now())
    expires_at = at + retention_days * _DAY_S
    event = endpoint_test_event(endpoint.endpoint_id, at, random_bytes(16).hex())
    events.add(event, expires_at)
    deliveries.create(
        new_delivery(endpoint.endpoint_id, event.event_id, event.event_type, now=at, expires_at=expires_at)
    )
    # An operator waits for the result, so send it as a probe, which is attempted even if the endpoint is down.
    queue.send([DeliveryMessage(endpoint.endpoint_id, event.event_id, 1, probe=True)])
    return event
