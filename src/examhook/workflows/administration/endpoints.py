"""Adding endpoints: those that the stack's ``WebhookUrls`` names, and those that a person adds.

::

    EndpointDisabledError     nothing is sent to it until someone enables it; trying again does not help

Functions also raise botocore's errors when AWS refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from examhook.delivery.endpoint import (
    BodyFormat,
    ContentType,
    Endpoint,
    EndpointOrigin,
    Privacy,
    fresh_endpoint_id,
    parameter_endpoint_id,
)
from examhook.delivery.record import new_delivery
from examhook.delivery.signature import fresh_secret
from examhook.delivery.url import check_endpoint_url
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.events.build import Event, endpoint_test_event
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointExistsError, EndpointsTable
from examhook.storage.events import EventsTable
from examhook.workflows.administration.endpoint_changes import LEFT_PARAMETER, EndpointChanges, changed

_DAY_S = 86_400


class EndpointDisabledError(Exception):
    """The endpoint is disabled."""


@dataclass(frozen=True, slots=True)
class EndpointFilters:
    """What a new endpoint is to get, and how; empty for the default types, all exams, all accounts."""

    types: tuple[str, ...] = ()
    exam_ids: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    privacy: Privacy = Privacy.FULL
    body_format: BodyFormat = BodyFormat.CLOUDEVENTS
    content_type: ContentType = ContentType.JSON


def ensure_configured_endpoints(
    urls: Sequence[str], table: EndpointsTable, key: SecretsKey, now: Callable[[], float]
) -> list[Endpoint]:
    """Every endpoint that is to get events, now or when it is enabled, oldest first; makes those that ``urls`` name.

    Endpoints whose URL left the parameter are not among them.
    """
    wanted = {parameter_endpoint_id(url) for url in urls}
    return [
        endpoint for endpoint in configured_endpoints(urls, table, key, now) if not _left_parameter(endpoint, wanted)
    ]


def configured_endpoints(
    urls: Sequence[str], table: EndpointsTable, key: SecretsKey, now: Callable[[], float]
) -> list[Endpoint]:
    """Make the endpoints that ``urls`` (the stack's parameter) names and the table lacks.

    Each is made once, with a secret of its own; those whose URL left the parameter are disabled,
    and enabled again when it returns. Returns every endpoint, enabled or not, oldest first.
    """
    wanted = {parameter_endpoint_id(url): url for url in urls}
    known = {endpoint.endpoint_id: endpoint for endpoint in table.list_all()}
    changed = False
    for endpoint_id, url in wanted.items():
        endpoint = known.get(endpoint_id)
        if endpoint is None:
            changed = True
            _make(endpoint_id, url, table, key, now)
        elif endpoint.disabled_reason == LEFT_PARAMETER:
            changed |= table.enable(endpoint_id)
    for endpoint in known.values():
        if endpoint.is_enabled and _left_parameter(endpoint, wanted):
            changed |= table.disable(endpoint.endpoint_id, LEFT_PARAMETER, int(now())) is not None
    return table.list_all() if changed else list(known.values())


def add_endpoint(  # noqa: PLR0913 - the parts of an endpoint, and what writes it
    url: str,
    table: EndpointsTable,
    key: SecretsKey,
    now: Callable[[], float],
    *,
    filters: EndpointFilters | None = None,
    description: str = "",
    headers: Mapping[str, str] | None = None,
    rate_per_second: float = 0,
    allow_http: bool = False,
    allow_private: bool = False,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Endpoint, str]:
    """Add an endpoint by hand; returns it and its ``whsec_…`` secret.

    Raises:
        EndpointUrlError: if ``url`` is not one that webhooks may be sent to.
        BadHeaderError: if requests may not carry ``headers``.
        BadRateError: if there is no such rate; 0 stands for no limit.
    """
    check_endpoint_url(url, allow_http=allow_http, allow_private=allow_private)
    chosen = filters or EndpointFilters()
    endpoint_id = fresh_endpoint_id(url, random_bytes)
    secret = fresh_secret(random_bytes)
    endpoint = Endpoint(
        endpoint_id=endpoint_id,
        url=url,
        sealed_secret=key.seal(endpoint_id, secret),
        origin=EndpointOrigin.CLI,
        created_at=int(now()),
        types=chosen.types,
        exam_ids=chosen.exam_ids,
        accounts=chosen.accounts,
        description=description,
        body_format=chosen.body_format,
        content_type=chosen.content_type,
    )
    chosen_later = EndpointChanges(privacy=chosen.privacy, headers=headers, rate_per_second=rate_per_second)
    endpoint = changed(endpoint, chosen_later, key, random_bytes)
    table.add(endpoint)
    return endpoint, secret


def send_endpoint_test(  # noqa: PLR0913 - the way of an event has this many stations
    endpoint: Endpoint,
    *,
    events: EventsTable,
    deliveries: DeliveriesTable,
    queue: DeliveryQueue,
    now: Callable[[], float],
    retention_days: int,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Event:
    """Send a signed ``endpoint.test`` the way that every event goes, with one attempt only.

    What came of it stands in the Deliveries table under the event's id; raises EndpointDisabledError.
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
    # A person waits, so it does not wait its turn where the endpoint is down.
    queue.send([DeliveryMessage(endpoint.endpoint_id, event.event_id, 1, probe=True)])
    return event


def _make(endpoint_id: str, url: str, table: EndpointsTable, key: SecretsKey, now: Callable[[], float]) -> None:
    endpoint = Endpoint(
        endpoint_id=endpoint_id,
        url=url,
        sealed_secret=key.seal(endpoint_id, fresh_secret(secrets.token_bytes)),
        origin=EndpointOrigin.PARAMETER,
        created_at=int(now()),
        description="from the stack's WebhookUrls",
    )
    try:
        table.add(endpoint)
    except EndpointExistsError:
        # Another function was faster: its secret stands, and ours was never shown to anyone.
        return


def _left_parameter(endpoint: Endpoint, wanted: Container[str]) -> bool:
    """Whether the parameter named the endpoint once and does not any more; ``wanted`` holds the ids that it names."""
    return endpoint.origin is EndpointOrigin.PARAMETER and endpoint.endpoint_id not in wanted
