"""Changing, enabling and removing an endpoint, and rotating its secret.

::

    EndpointChangeError         the change is not possible; a retry does not help
    ├── EndpointGoneError       the endpoint was removed meanwhile
    ├── OverlapRunningError     the previous secret still signs: rotate later, or without an overlap
    ├── SecretReplacedError     someone else replaced the secret meanwhile
    └── ParameterDecidesError   the stack's parameter WebhookUrls controls this endpoint

Functions also raise botocore's errors if AWS fails; a retry helps.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from examhook.delivery.custom_headers import check_headers, headers_text
from examhook.delivery.endpoint import BodyFormat, ContentType, Endpoint, EndpointOrigin, Privacy
from examhook.delivery.rate_limit import check_rate
from examhook.delivery.record import ENDPOINT_REMOVED, Delivery, DeliveryStatus
from examhook.delivery.schedule import CLAIM_TIMEOUT_S
from examhook.delivery.signature import fresh_secret
from examhook.delivery.url import check_endpoint_url
from examhook.destinations.secrets import SecretsKey
from examhook.events.catalogue import ENDPOINT_TEST
from examhook.events.encoding import instant
from examhook.storage.deliveries import DeliveriesTable, DueDelivery
from examhook.storage.endpoints import EndpointsTable

LEFT_PARAMETER = "its URL is no longer in the stack's WebhookUrls"
"""Stored reason for disabling an endpoint whose URL was removed from the parameter."""
OVERLAP_S = 24 * 3600
"""Default time for which a replaced secret signs in addition to the new one."""
MAX_OVERLAP_S = 7 * 24 * 3600

_PSEUDONYM_KEY_BYTES = 32
_PAGE_SIZE = 500
_PARALLEL_WRITES = 8


class EndpointChangeError(Exception):
    """The endpoint was not changed."""


class EndpointGoneError(EndpointChangeError):
    """The endpoint no longer exists."""


class SecretReplacedError(EndpointChangeError):
    """Someone else replaced the secret first."""


class OverlapRunningError(EndpointChangeError):
    """A rotation with an overlap would cut short the overlap of the previous rotation."""


class ParameterDecidesError(EndpointChangeError):
    """The stack's parameter controls the endpoint."""


@dataclass(frozen=True, slots=True)
class EndpointChanges:
    """New values; None keeps the current value."""

    url: str | None = field(default=None, repr=False)
    types: tuple[str, ...] | None = None
    exam_ids: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None
    description: str | None = None
    privacy: Privacy | None = None
    body_format: BodyFormat | None = None
    content_type: ContentType | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    rate_per_second: float | None = None
    """0 for no limit."""


def with_changes(
    endpoint: Endpoint,
    changes: EndpointChanges,
    key: SecretsKey,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Endpoint:
    """Return ``endpoint`` with ``changes``, encrypted where necessary, without writing it.

    The first use of pseudonyms creates their key. Later changes keep it, so that a candidate always has the same
    pseudonym. Raises BadHeaderError, BadRateError.
    """
    values = {
        name: value
        for name in ("url", "types", "exam_ids", "accounts", "description", "privacy", "body_format", "content_type")
        if (value := getattr(changes, name)) is not None
    }
    after = replace(endpoint, **values)
    if changes.rate_per_second is not None:
        if changes.rate_per_second:
            check_rate(changes.rate_per_second)
        after = replace(after, rate_per_second=changes.rate_per_second or None)
    if changes.headers is not None:
        check_headers(changes.headers)
        sealed = key.seal(endpoint.endpoint_id, headers_text(changes.headers)) if changes.headers else None
        after = replace(after, header_names=tuple(changes.headers), sealed_headers=sealed)
    if after.privacy is Privacy.PSEUDONYMOUS and after.sealed_pseudonym_key is None:
        pseudonym_key = random_bytes(_PSEUDONYM_KEY_BYTES).hex()
        after = replace(after, sealed_pseudonym_key=key.seal(endpoint.endpoint_id, pseudonym_key))
    return after


def update_endpoint(  # noqa: PLR0913 - the endpoint, its changes, and the stack's limits
    endpoint: Endpoint,
    changes: EndpointChanges,
    table: EndpointsTable,
    key: SecretsKey,
    *,
    allow_http: bool = False,
    allow_private: bool = False,
) -> Endpoint:
    """Write ``changes`` and return the changed endpoint; they also apply to deliveries that already wait.

    Raises EndpointChangeError, EndpointUrlError, BadHeaderError, BadRateError.
    """
    if changes.url is not None and changes.url != endpoint.url:
        if endpoint.origin is EndpointOrigin.PARAMETER:
            raise ParameterDecidesError(
                f"The stack's parameter WebhookUrls sets the URL of {endpoint.endpoint_id}. Change it there."
            )
        check_endpoint_url(changes.url, allow_http=allow_http, allow_private=allow_private)
    after = with_changes(endpoint, changes, key)
    if not table.write_settings(after):
        raise EndpointGoneError(f"Endpoint {endpoint.endpoint_id} was removed by someone else.")
    return after


def enable_endpoint(endpoint: Endpoint, endpoints: EndpointsTable, deliveries: DeliveriesTable) -> bool:
    """Enable an endpoint and send what it missed; return False if it was already enabled.

    Deliveries created while it was disabled already wait. Deliveries that failed since it began to fail are restarted
    in the order of creation. Raises ParameterDecidesError.
    """
    if endpoint.disabled_reason == LEFT_PARAMETER:
        raise ParameterDecidesError(
            f"The URL of endpoint {endpoint.endpoint_id} was removed from the stack's parameter WebhookUrls. "
            "Add it there again, or run: examhook endpoints add"
        )
    failing_since = endpoint.health.failing_since
    if not endpoint.is_enabled and failing_since is not None:
        for delivery in deliveries.every(endpoint.endpoint_id):
            if _failed_since(delivery, failing_since):
                deliveries.restart(delivery, DeliveryStatus.WAITING, delivery.created_at, delivery.expires_at)
    return endpoints.enable(endpoint.endpoint_id)


def _failed_since(delivery: Delivery, failing_since: int) -> bool:
    """Whether the latest attempt ended after ``failing_since``, allowing for its maximum duration."""
    if delivery.status not in {DeliveryStatus.WAITING, DeliveryStatus.FAILED} or not delivery.attempt_log:
        return False
    return delivery.event_type != ENDPOINT_TEST and delivery.attempt_log[-1].at + CLAIM_TIMEOUT_S >= failing_since


def rotate_secret(  # noqa: PLR0913 - the endpoint, its overlap, and the sources of time and randomness
    endpoint: Endpoint,
    overlap_s: int,
    table: EndpointsTable,
    key: SecretsKey,
    *,
    now: Callable[[], float],
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[str, int | None]:
    """Replace the signing secret; return the new one, and until when (Unix seconds) the old one also signs.

    With ``overlap_s`` 0, the old secrets stop signing immediately and the second value is None. Raises
    SecretReplacedError. Raises OverlapRunningError while the previous overlap is running, because only two secrets
    sign at a time.
    """
    overlap_until = endpoint.previous_secret_until
    if overlap_s and overlap_until is not None and now() < overlap_until:
        raise OverlapRunningError(
            f"The previous secret of endpoint {endpoint.endpoint_id} signs until {instant(overlap_until)}, as set by "
            "the last rotation. Rotate again after that, or stop all old secrets immediately with --overlap 0."
        )
    secret = fresh_secret(random_bytes)
    until = int(now()) + overlap_s if overlap_s else None
    if not table.replace_secret(endpoint, key.seal(endpoint.endpoint_id, secret), until):
        raise SecretReplacedError(
            f"Someone else replaced the secret of endpoint {endpoint.endpoint_id} meanwhile. Check it first."
        )
    return secret, until


def remove_endpoint(
    endpoint: Endpoint, endpoints: EndpointsTable, deliveries: DeliveriesTable, *, now: Callable[[], float]
) -> int | None:
    """Remove an endpoint and cancel its waiting deliveries; return their number, or None if it was already removed.

    The order makes an interruption harmless; run it again to finish::

        disable ──▶ cancel waiting deliveries ──▶ remove ──▶ cancel deliveries that were created meanwhile
    """
    endpoint_id = endpoint.endpoint_id
    endpoints.disable(endpoint_id, "it is being removed", int(now()))
    cancelled = _cancel_waiting(endpoint_id, deliveries)
    if not endpoints.remove(endpoint_id):
        return None
    return cancelled + _cancel_waiting(endpoint_id, deliveries)


def _cancel_waiting(endpoint_id: str, deliveries: DeliveriesTable) -> int:
    def cancel(waiting: DueDelivery) -> bool:
        return deliveries.cancel(endpoint_id, waiting.event_id, ENDPOINT_REMOVED)

    cancelled = 0
    last: DueDelivery | None = None
    with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
        while page := deliveries.waiting(endpoint_id, _PAGE_SIZE, last):
            cancelled += sum(pool.map(cancel, page))
            last = page[-1]
    return cancelled
