"""Retry: every minute, check every endpoint and enqueue its due deliveries.

An endpoint that is down gets one delivery per tick as a probe. After a probe succeeds, Deliver enqueues the first
waiting deliveries, and Retry continues until none is left.

A tick first enqueues one batch for each endpoint. Endpoints with more due deliveries then get further batches in turn.
Each endpoint gets at most as many deliveries as it can receive in a minute. If a tick runs out of time, the next one
handles the remaining endpoints. Each tick starts with another endpoint, so that no endpoint is always the last.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.schedule import PROBE_INTERVAL_S
from examhook.destinations.delivery_queue import DeliveryQueueError
from examhook.destinations.publishing import NotPublishedError
from examhook.destinations.secrets import SecretsKey
from examhook.events.catalogue import OperationsEventType
from examhook.storage.deliveries import DueDelivery
from examhook.storage.endpoints import EndpointsTable
from examhook.workflows.administration.endpoints import configured_endpoints
from examhook.workflows.retrying.backlog import Backlog, Enqueued, batch_limit
from examhook.workflows.retrying.endpoint_watch import EndpointWatch

TICK_S = 45.0
"""Time after which a tick starts no further endpoint. The last one must end within the function's 60 s."""
_OUT_OF_TIME = "OutOfTime"


@dataclass(frozen=True, slots=True)
class RetryReport:
    """Result of one tick."""

    endpoints: int
    """Enabled endpoints."""
    enqueued: int
    errors: tuple[str, ...] = ()
    """Error types, or ``OutOfTime``; each leaves the deliveries of one endpoint for the next tick."""
    overdue_s: int = 0
    """Delay of the most overdue delivery to an endpoint that is neither down nor disabled."""
    disabled: int = 0
    """Number of published notices about disabled endpoints."""


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """An endpoint that may have more due deliveries."""

    endpoint_id: str
    last: DueDelivery
    """The last delivery that was enqueued."""
    capacity: int
    """Number of further deliveries that may be enqueued."""


@dataclass(slots=True)
class _Progress:
    """What the current tick has done."""

    enqueued: int = 0
    overdue_s: int = 0
    disabled: int = 0
    errors: list[str] = field(default_factory=list)
    unfinished: deque[_Unfinished] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class RetryDeliveries:
    """The use case of the Retry function."""

    endpoints: EndpointsTable
    backlog: Backlog
    watch: EndpointWatch
    key: SecretsKey
    webhook_urls: Sequence[str]
    now: Callable[[], float]
    monotonic: Callable[[], float] = time.monotonic

    def run(self) -> RetryReport:
        """Run one tick. Raises botocore's errors if the endpoints cannot be read."""
        stop_at = self.monotonic() + TICK_S
        found = configured_endpoints(self.webhook_urls, self.endpoints, self.key, self.now)
        progress = _Progress()
        for number, endpoint in enumerate(_rotated_each_minute(found, self.now())):
            if self.monotonic() >= stop_at:
                progress.errors += [_OUT_OF_TIME] * (len(found) - number)
                break
            self._process(endpoint, progress)
        while progress.unfinished and self.monotonic() < stop_at:
            self._enqueue_next_batch(progress.unfinished.popleft(), progress)
        return RetryReport(
            sum(each.is_enabled for each in found),
            progress.enqueued,
            tuple(progress.errors),
            progress.overdue_s,
            progress.disabled,
        )

    def _process(self, endpoint: Endpoint, progress: _Progress) -> None:
        """Check one endpoint and enqueue its first batch; errors leave it for the next tick."""
        # If the check fails, for example because the notice cannot be published, deliveries are still enqueued.
        is_enabled = endpoint.is_enabled
        try:
            is_enabled, notified = self.watch.check(endpoint)
            progress.disabled += notified.count(OperationsEventType.ENDPOINT_DISABLED)
        except (ClientError, BotoCoreError, NotPublishedError) as error:
            progress.errors.append(type(error).__name__)
        if not is_enabled:
            return
        try:
            batch = self._enqueue_first_batch(endpoint)
            progress.enqueued += batch.count
            progress.overdue_s = max(progress.overdue_s, batch.overdue_s)
            if batch.last is not None and (capacity := self.backlog.remaining_capacity(endpoint)) > 0:
                progress.unfinished.append(_Unfinished(endpoint.endpoint_id, batch.last, capacity))
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            progress.errors.append(type(error).__name__)

    def _enqueue_first_batch(self, endpoint: Endpoint) -> Enqueued:
        endpoint_id = endpoint.endpoint_id
        if endpoint.health.is_down:
            # Deliveries to an endpoint that is down are not overdue, so report only the count.
            return Enqueued(
                self.backlog.enqueue_probe(
                    endpoint_id, lambda now: self.endpoints.claim_probe(endpoint_id, now, now + PROBE_INTERVAL_S)
                )
            )
        limit = batch_limit(endpoint, self.now())
        batch = self.backlog.enqueue_due(endpoint_id, limit)
        if endpoint.health.draining and batch.count < limit:
            drained, has_more = self.backlog.enqueue_waiting(endpoint_id, limit - batch.count)
            batch = replace(batch, count=batch.count + drained)
            if not has_more:
                self.endpoints.set_draining(endpoint_id, draining=False)
        return batch

    def _enqueue_next_batch(self, endpoint: _Unfinished, progress: _Progress) -> None:
        """Enqueue another batch; the endpoint stays unfinished if more may be due."""
        try:
            batch = self.backlog.enqueue_due(endpoint.endpoint_id, endpoint.capacity, endpoint.last)
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            progress.errors.append(type(error).__name__)
            return
        progress.enqueued += batch.count
        capacity = endpoint.capacity - batch.count
        if batch.last is not None and capacity > 0:
            progress.unfinished.append(_Unfinished(endpoint.endpoint_id, batch.last, capacity))


def _rotated_each_minute(endpoints: Sequence[Endpoint], now: float) -> Sequence[Endpoint]:
    first = int(now // 60) % len(endpoints) if endpoints else 0
    return [*endpoints[first:], *endpoints[:first]]
