"""Retry: each minute, look after every endpoint and enqueue what is due for it.

An endpoint that is down gets one delivery at a time, to find out whether it is back. Once one
arrives, Deliver begins to send what waited, and Retry goes on with it until nothing is left.

First each endpoint gets one batch. Then those for which more is due get further ones in turn, as long as there is
time and no more is on its way to them than they take in a minute. A tick that is out of time leaves the rest of the
endpoints to the next, which begins with another one: none is always the last, however long those before it take.
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
"""After this no further endpoint is begun with: what was begun last has to end within the function's 60 s."""
_OUT_OF_TIME = "OutOfTime"


@dataclass(frozen=True, slots=True)
class RetryReport:
    """What one tick did."""

    endpoints: int
    """Enabled ones."""
    enqueued: int
    errors: tuple[str, ...] = ()
    """Kinds of errors, or that there was no time; each left one endpoint's deliveries for the next tick."""
    overdue_s: int = 0
    """How long the delivery had been due that was due longest, endpoints that are down or disabled not counted."""
    disabled: int = 0
    """Endpoints that the operators were told of as disabled."""


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """An endpoint of which more is due than the first batch."""

    endpoint_id: str
    last: DueDelivery
    room: int
    """How many more may be put on the queue."""


@dataclass(slots=True)
class _Tick:
    """What a tick has done so far."""

    enqueued: int = 0
    overdue_s: int = 0
    disabled: int = 0
    errors: list[str] = field(default_factory=list)
    unfinished: deque[_Unfinished] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class RetryDeliveries:
    """The use case behind the Retry function."""

    endpoints: EndpointsTable
    backlog: Backlog
    watch: EndpointWatch
    key: SecretsKey
    webhook_urls: Sequence[str]
    now: Callable[[], float]
    monotonic: Callable[[], float] = time.monotonic

    def run(self) -> RetryReport:
        """Look after every endpoint, and enqueue what is due for it if it is enabled, as far as the time goes.

        Raises botocore's errors if endpoints cannot be read.
        """
        stop_at = self.monotonic() + TICK_S
        found = configured_endpoints(self.webhook_urls, self.endpoints, self.key, self.now)
        tick = _Tick()
        for number, endpoint in enumerate(_from_another_each_minute(found, self.now())):
            if self.monotonic() >= stop_at:
                tick.errors += [_OUT_OF_TIME] * (len(found) - number)
                break
            self._visit(endpoint, tick)
        while tick.unfinished and self.monotonic() < stop_at:
            self._go_on(tick.unfinished.popleft(), tick)
        return RetryReport(
            sum(each.is_enabled for each in found), tick.enqueued, tuple(tick.errors), tick.overdue_s, tick.disabled
        )

    def _visit(self, endpoint: Endpoint, tick: _Tick) -> None:
        """What goes wrong with one is left for the next tick; the others are served all the same."""
        # Operators who cannot be told are no reason to let events wait.
        enabled = endpoint.is_enabled
        try:
            enabled, told = self.watch.look_after(endpoint)
            tick.disabled += told.count(OperationsEventType.ENDPOINT_DISABLED)
        except (ClientError, BotoCoreError, NotPublishedError) as error:
            tick.errors.append(type(error).__name__)
        try:
            if enabled:
                served = self._serve(endpoint)
                tick.enqueued += served.count
                tick.overdue_s = max(tick.overdue_s, served.overdue_s)
                if served.last is not None and (room := self.backlog.room(endpoint)) > 0:
                    tick.unfinished.append(_Unfinished(endpoint.endpoint_id, served.last, room))
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            tick.errors.append(type(error).__name__)

    def _go_on(self, rest: _Unfinished, tick: _Tick) -> None:
        """Enqueue another batch of an endpoint, and get in line again behind the others if there may be more."""
        try:
            served = self.backlog.enqueue_due(rest.endpoint_id, rest.room, rest.last)
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            tick.errors.append(type(error).__name__)
            return
        tick.enqueued += served.count
        room = rest.room - served.count
        if served.last is not None and room > 0:
            tick.unfinished.append(_Unfinished(rest.endpoint_id, served.last, room))

    def _serve(self, endpoint: Endpoint) -> Enqueued:
        endpoint_id = endpoint.endpoint_id
        if endpoint.health.is_down:
            # What waits for a receiver that is down is not late: its turn comes when it is back.
            return Enqueued(
                self.backlog.enqueue_probe(
                    endpoint_id, lambda now: self.endpoints.claim_probe(endpoint_id, now, now + PROBE_INTERVAL_S)
                )
            )
        limit = batch_limit(endpoint, self.now())
        enqueued = self.backlog.enqueue_due(endpoint_id, limit)
        if endpoint.health.draining and enqueued.count < limit:
            drained, more = self.backlog.enqueue_waiting(endpoint_id, limit - enqueued.count)
            enqueued = replace(enqueued, count=enqueued.count + drained)
            if not more:
                self.endpoints.set_draining(endpoint_id, draining=False)
        return enqueued


def _from_another_each_minute(endpoints: Sequence[Endpoint], now: float) -> Sequence[Endpoint]:
    first = int(now // 60) % len(endpoints) if endpoints else 0
    return [*endpoints[first:], *endpoints[:first]]
