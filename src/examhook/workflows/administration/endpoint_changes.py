"""Changing an endpoint: what it gets, whether it gets anything, and what its signatures are made with.

::

    EndpointChangeError         the endpoint cannot be changed so; trying again does not help
    ├── EndpointGoneError       it was removed meanwhile
    ├── OverlapRunningError     the secret before still signs, as promised: rotate later, or without an overlap
    ├── SecretReplacedError     its secret was replaced by someone else meanwhile: look again
    └── ParameterDecidesError   the stack's WebhookUrls decides that, not this installation's table

Functions also raise botocore's errors when AWS refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from examhook.delivery.custom_headers import check_headers, headers_text
from examhook.delivery.endpoint import BodyFormat, ContentType, Endpoint, EndpointOrigin, Privacy
from examhook.delivery.rate_limit import check_rate
from examhook.delivery.record import Delivery, DeliveryStatus
from examhook.delivery.schedule import CLAIM_TIMEOUT_S
from examhook.delivery.signature import fresh_secret
from examhook.delivery.url import check_endpoint_url
from examhook.destinations.secrets import SecretsKey
from examhook.events.catalogue import ENDPOINT_TEST
from examhook.events.encoding import instant
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable

LEFT_PARAMETER = "its URL is no longer in the stack's WebhookUrls"
OVERLAP_S = 24 * 3600
"""A secret that was replaced signs for so long beside the new one, unless another time is asked for."""
MAX_OVERLAP_S = 7 * 24 * 3600

_PSEUDONYM_KEY_BYTES = 32


class EndpointChangeError(Exception):
    """The endpoint stays as it was."""


class EndpointGoneError(EndpointChangeError):
    """There is no such endpoint any more."""


class SecretReplacedError(EndpointChangeError):
    """Two people replaced the secret at once, and the other was faster."""


class OverlapRunningError(EndpointChangeError):
    """A rotation with an overlap would end the overlap of the rotation before it too early."""


class ParameterDecidesError(EndpointChangeError):
    """The endpoint comes from the stack's parameter."""


@dataclass(frozen=True, slots=True)
class EndpointChanges:
    """What is to change; None leaves it as it is."""

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


def changed(
    endpoint: Endpoint,
    changes: EndpointChanges,
    key: SecretsKey,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Endpoint:
    """``endpoint`` with ``changes``, sealed where they must be; nothing is written.

    The first choice of pseudonyms makes the key for them; it stays, so that going back to them
    later gives each candidate the same pseudonym. Raises BadHeaderError, BadRateError.
    """
    values = {
        name: value
        for name in ("url", "types", "exam_ids", "accounts", "description", "privacy", "body_format", "content_type")
        if (value := getattr(changes, name)) is not None
    }
    after = replace(endpoint, **values)
    if changes.rate_per_second is not None:
        after = replace(after, rate_per_second=_rate(changes.rate_per_second))
    if changes.headers is not None:
        check_headers(changes.headers)
        sealed = key.seal(endpoint.endpoint_id, headers_text(changes.headers)) if changes.headers else None
        after = replace(after, header_names=tuple(changes.headers), sealed_headers=sealed)
    if after.privacy is Privacy.PSEUDONYMOUS and after.sealed_pseudonym_key is None:
        fresh = random_bytes(_PSEUDONYM_KEY_BYTES).hex()
        after = replace(after, sealed_pseudonym_key=key.seal(endpoint.endpoint_id, fresh))
    return after


def update_endpoint(  # noqa: PLR0913 - what is changed, what writes it, and what the stack allows
    endpoint: Endpoint,
    changes: EndpointChanges,
    table: EndpointsTable,
    key: SecretsKey,
    *,
    allow_http: bool = False,
    allow_private: bool = False,
) -> Endpoint:
    """Write ``changes`` and return the endpoint with them; what waits for it is sent as they say.

    Raises EndpointChangeError, EndpointUrlError, BadHeaderError, BadRateError.
    """
    if changes.url is not None and changes.url != endpoint.url:
        if endpoint.origin is EndpointOrigin.PARAMETER:
            raise ParameterDecidesError(
                f"The URL of {endpoint.endpoint_id} stands in the stack's parameter WebhookUrls: change it there."
            )
        check_endpoint_url(changes.url, allow_http=allow_http, allow_private=allow_private)
    after = changed(endpoint, changes, key)
    if not table.write_settings(after):
        raise EndpointGoneError(f"Endpoint {endpoint.endpoint_id} was removed by someone else.")
    return after


def _rate(per_second: float) -> float | None:
    if not per_second:
        return None
    check_rate(per_second)
    return per_second


def enable_endpoint(endpoint: Endpoint, endpoints: EndpointsTable, deliveries: DeliveriesTable) -> bool:
    """Send again to an endpoint, beginning with what it missed; False if it was enabled already.

    What came while it was disabled waits already. Deliveries that failed since it began to fail are restarted, in
    the order of creation. Raises ParameterDecidesError.
    """
    if endpoint.disabled_reason == LEFT_PARAMETER:
        raise ParameterDecidesError(
            f"Endpoint {endpoint.endpoint_id} left the stack's parameter WebhookUrls: put its URL back there, "
            "or add it with examhook endpoints add."
        )
    failing_since = endpoint.health.failing_since
    if not endpoint.is_enabled and failing_since is not None:
        for delivery in deliveries.every(endpoint.endpoint_id):
            if _failed_since(delivery, failing_since):
                deliveries.restart(delivery, DeliveryStatus.WAITING, delivery.created_at, delivery.expires_at)
    return endpoints.enable(endpoint.endpoint_id)


def _failed_since(delivery: Delivery, failing_since: int) -> bool:
    """Whether the latest attempt failed since ``failing_since``, which was set when the first of them had ended."""
    if delivery.status not in {DeliveryStatus.WAITING, DeliveryStatus.FAILED} or not delivery.attempt_log:
        return False
    return delivery.event_type != ENDPOINT_TEST and delivery.attempt_log[-1].at + CLAIM_TIMEOUT_S >= failing_since


def rotate_secret(  # noqa: PLR0913 - what is changed, what writes it, and where time and chance come from
    endpoint: Endpoint,
    overlap_s: int,
    table: EndpointsTable,
    key: SecretsKey,
    *,
    now: Callable[[], float],
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[str, int | None]:
    """Give an endpoint a new signing secret; returns it, and until when (Unix seconds) the old one signs as well.

    With ``overlap_s`` 0 all old ones stop at once, and the second value is None. Raises SecretReplacedError, and
    OverlapRunningError while a secret from before the old one signs: two secrets sign at a time.
    """
    promised = endpoint.previous_secret_until
    if overlap_s and promised is not None and now() < promised:
        raise OverlapRunningError(
            f"The secret of endpoint {endpoint.endpoint_id} before this one signs until {instant(promised)}, as "
            "promised at the last rotation. Rotate again after that, or stop all old secrets at once with --overlap 0."
        )
    secret = fresh_secret(random_bytes)
    until = int(now()) + overlap_s if overlap_s else None
    if not table.replace_secret(endpoint, key.seal(endpoint.endpoint_id, secret), until):
        raise SecretReplacedError(
            f"The secret of endpoint {endpoint.endpoint_id} was replaced by someone else meanwhile: look at it first."
        )
    return secret, until
