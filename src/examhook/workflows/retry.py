"""Retry: each minute, enqueue what is due, endpoint by endpoint.

An endpoint that is down gets one delivery at a time, to find out whether it is back. Once one
arrives, Deliver begins to send what waited, and Retry goes on with it until nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from examhook.delivery.endpoint import Endpoint
from examhook.destinations.delivery_queue import DeliveryQueueError
from examhook.destinations.secrets import SecretsKey
from examhook.storage.endpoints import EndpointsTable
from examhook.workflows.backlog import Backlog
from examhook.workflows.endpoints import ensure_configured_endpoints

PROBE_S = 50
"""An endpoint that is down is tried once in so many seconds: less than a tick, so that none is missed."""


@dataclass(frozen=True, slots=True)
class RetryReport:
    """What one tick did."""

    endpoints: int
    enqueued: int
    errors: tuple[str, ...] = ()
    """Kinds of errors; each left one endpoint's deliveries for the next tick."""


class RetryDeliveries:
    """The use case behind the Retry function."""

    def __init__(
        self,
        endpoints: EndpointsTable,
        backlog: Backlog,
        key: SecretsKey,
        webhook_urls: Sequence[str],
        now: Callable[[], float],
    ) -> None:
        self._endpoints = endpoints
        self._backlog = backlog
        self._key = key
        self._webhook_urls = webhook_urls
        self._now = now

    def run(self) -> RetryReport:
        """Enqueue what is due for every enabled endpoint; raises botocore's errors if endpoints cannot be read."""
        enabled = ensure_configured_endpoints(self._webhook_urls, self._endpoints, self._key, self._now)
        enqueued, errors = 0, []
        for endpoint in enabled:
            try:
                enqueued += self._serve(endpoint)
            except (ClientError, BotoCoreError, DeliveryQueueError) as error:
                # The next endpoint is served all the same, and this one at the next tick.
                errors.append(type(error).__name__)
        return RetryReport(len(enabled), enqueued, tuple(errors))

    def _serve(self, endpoint: Endpoint) -> int:
        if endpoint.health.is_down:
            now = int(self._now())
            if not self._endpoints.claim_probe(endpoint.endpoint_id, now, now + PROBE_S):
                return 0
            return self._backlog.enqueue_due(endpoint.endpoint_id, limit=1)
        enqueued = self._backlog.enqueue_due(endpoint.endpoint_id)
        if endpoint.health.draining:
            drained, more = self._backlog.enqueue_waiting(endpoint.endpoint_id)
            enqueued += drained
            if not more:
                self._endpoints.set_draining(endpoint.endpoint_id, draining=False)
        return enqueued
