"""Deliver: make the attempts that the queue asks for, all of a batch at once.

What happens to one message, in the order that makes a crash at any step harmless::

    read endpoint, event, secrets ── gone ──▶ cancel;  disabled ──▶ leave it for later
      its result link is near its end ──▶ request a fresh one from the next poll, and wait for it (result_links.py)
      not its turn (turn.py) ──▶ leave it for later
      claim attempt n ── not ours ──▶ drop          (a crash from here on: due again after CLAIM_TIMEOUT_S)
        send
          record the attempt                        (its next time, or its end)
            record the endpoint's health            (recovered: enqueue what waited for it)
              410: disable the endpoint, and leave a notice for the operators with it
              due within a minute: a delayed message, so that it need not wait for Retry

The endpoints and events of a batch are read together. A message is only a hint; whatever fails before
the claim may be tried again with the same message.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from examhook.delivery.decision import Decision, Delivered, DisableEndpoint, GiveUp, Retry, decide
from examhook.delivery.endpoint import Endpoint
from examhook.delivery.health_policy import disabled_notice
from examhook.delivery.rate_limit import SLOWDOWN_S, is_overloaded
from examhook.delivery.record import ENDPOINT_REMOVED, AttemptRecord, Delivery, DeliveryStatus, SendResult
from examhook.delivery.schedule import CLAIM_TIMEOUT_S, MAX_ATTEMPTS
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue
from examhook.destinations.secrets import SecretsKey
from examhook.destinations.webhook import WebhookSender
from examhook.events.build import Event
from examhook.events.catalogue import ENDPOINT_TEST
from examhook.storage.batch_loader import NOTHING_LOADED, BatchLoader, LoadedBatch
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventLinks
from examhook.workflows.delivering.admission import Go, PutOff, Wait, turn_of
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from examhook.workflows.delivering.webhook_request import request_for
from examhook.workflows.polling.result_links import event_to_send
from examhook.workflows.retrying.backlog import Backlog, batch_limit

SOON_S = 60
"""An attempt that is due within this goes to the queue with a delay; Retry's tick would come too late for it."""
LINK_CHECK_S = (20, 40)
"""Random delay until a delivery checks again whether its fresh result link is there."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables that Deliver reads and writes."""

    deliveries: DeliveriesTable
    endpoints: EndpointsTable
    events: EventLinks
    batch_loader: BatchLoader


@dataclass(frozen=True, slots=True)
class Channels:
    """What Deliver sends through."""

    sender: WebhookSender
    key: SecretsKey
    queue: DeliveryQueue


class DeliverWebhooks:
    """The use case behind the Deliver function; ``process`` may run in several threads at once."""

    def __init__(  # noqa: PLR0913 - what it works with, and where time and chance come from
        self,
        stores: Stores,
        channels: Channels,
        *,
        now: Callable[[], float],
        rng: random.Random,
        deadline_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._deliveries = stores.deliveries
        self._endpoints = stores.endpoints
        self._events = stores.events
        self._batch_loader = stores.batch_loader
        self._successes: dict[str, int] = {}
        """When this process last wrote down a success since the last failure, by endpoint."""
        self._channels = channels
        self._backlog = Backlog(stores.deliveries, channels.queue, now)
        self._now = now
        self._rng = rng
        self._deadline_s = deadline_s
        self._sleep = sleep

    @property
    def queue(self) -> DeliveryQueue:
        """Where its messages come from."""
        return self._channels.queue

    def load_batch(self, messages: Sequence[DeliveryMessage]) -> LoadedBatch:
        """What ``messages`` speak of, as it is now. Raises botocore's ClientError."""
        return self._batch_loader.read([each.endpoint_id for each in messages], [each.event_id for each in messages])

    def process(self, message: DeliveryMessage, known: LoadedBatch = NOTHING_LOADED) -> DeliverReport:
        """Make the attempt that ``message`` asks for, if it is still to be made.

        What is not in ``known`` is read. Raises botocore's errors and those of the queue; then the message may come
        again, and if the attempt had been claimed, the delivery is due again after ``CLAIM_TIMEOUT_S`` instead.
        """
        endpoint = known.endpoint(message.endpoint_id, self._endpoints.get)
        if endpoint is None:
            return self._cancel(message, ENDPOINT_REMOVED)
        if not endpoint.is_enabled:
            # Waiting, and no longer taken for on its way: so it follows as soon as the endpoint is enabled.
            self._deliveries.hold(message.endpoint_id, message.event_id, message.attempt)
            return DeliverReport(message, MessageOutcome.HELD, f"endpoint disabled: {endpoint.disabled_reason}")
        kept = known.event(message.event_id, self._events.get)
        if kept is None:
            return self._cancel(message, "its event is no longer stored")
        # Before its turn: a delivery that waits for a link takes no place in the endpoint's pace.
        event = event_to_send(endpoint, kept, self._events, int(self._now()))
        if event is None:
            self._channels.queue.send([message], delay_s=self._rng.randint(*LINK_CHECK_S))
            return DeliverReport(message, MessageOutcome.PUT_OFF, "waits for a fresh result link")
        turn = turn_of(message, endpoint, self._endpoints, self._now())
        if not isinstance(turn, Go):
            return self._not_now(message, turn)
        self._sleep(turn.after_s)
        return self._attempt(message, endpoint, event)

    def _attempt(self, message: DeliveryMessage, endpoint: Endpoint, event: Event) -> DeliverReport:
        """Claim the attempt, make it, and do what follows from it."""
        began_at = int(self._now())
        request = request_for(endpoint, event, self._channels.key, began_at)
        claimed = self._deliveries.claim(
            message.endpoint_id, message.event_id, message.attempt, until=began_at + CLAIM_TIMEOUT_S
        )
        if claimed is None:
            return DeliverReport(
                message, MessageOutcome.DROPPED, "ended, or another message made this attempt", event.event_type
            )
        result = self._channels.sender.send(endpoint.url, request.body, request.headers, self._deadline_s)
        decision = self._decide(endpoint, event, result, claimed.attempt_in_schedule)
        self._record(claimed, began_at, result, decision)
        self._record_health(endpoint, result, decision)
        self._follow_up(endpoint, claimed, decision)
        return DeliverReport(
            message,
            _OUTCOMES[type(decision)],
            decision.reason,
            event.event_type,
            result.http_status,
            result.latency_ms,
            _next_at(decision),
        )

    def _not_now(self, message: DeliveryMessage, turn: PutOff | Wait) -> DeliverReport:
        if isinstance(turn, Wait):
            self._deliveries.hold(message.endpoint_id, message.event_id, message.attempt)
            return DeliverReport(message, MessageOutcome.HELD, turn.reason)
        # Earlier by up to a second, which is then slept.
        self._channels.queue.send([replace(message, slot_at=turn.at)], delay_s=int(turn.at - self._now()))
        return DeliverReport(message, MessageOutcome.PUT_OFF, "its place in the endpoint's pace comes later")

    def _cancel(self, message: DeliveryMessage, reason: str) -> DeliverReport:
        self._deliveries.cancel(message.endpoint_id, message.event_id, reason)
        return DeliverReport(message, MessageOutcome.CANCELLED, reason)

    def _decide(self, endpoint: Endpoint, event: Event, result: SendResult, attempt: int) -> Decision:
        # A person waits for the test's outcome; hours later nobody does.
        most = 1 if event.event_type == ENDPOINT_TEST else MAX_ATTEMPTS
        return decide(result, attempt, int(self._now()), self._rng, most, body_format=endpoint.body_format)

    def _record(self, claimed: Delivery, began_at: int, result: SendResult, decision: Decision) -> None:
        record = AttemptRecord(
            attempt=claimed.attempts,
            at=began_at,
            outcome=result.outcome,
            reason=decision.reason,
            http_status=result.http_status,
            latency_ms=result.latency_ms,
            answer_excerpt=result.answer_excerpt,
            next_attempt_at=_next_at(decision),
        )
        match decision:
            case Delivered():
                self._deliveries.record(claimed, record, DeliveryStatus.DELIVERED)
            case Retry(not_before=not_before):
                self._deliveries.record(claimed, record, DeliveryStatus.WAITING, not_before)
            case DisableEndpoint(at=at):
                status = DeliveryStatus.FAILED if at is None else DeliveryStatus.WAITING
                self._deliveries.record(claimed, record, status)
            case GiveUp():
                self._deliveries.record(claimed, record, DeliveryStatus.FAILED)
            case _:
                assert_never(decision)

    def _record_health(self, endpoint: Endpoint, result: SendResult, decision: Decision) -> None:
        now, health = int(self._now()), endpoint.health
        if not isinstance(decision, Delivered):
            self._successes.pop(endpoint.endpoint_id, None)
            slowed_until = now + SLOWDOWN_S if is_overloaded(result.http_status) else None
            self._endpoints.record_outcome(endpoint.endpoint_id, now, decision.reason, slowed_until)
            return
        latest = max(health.last_success_at or 0, self._successes.get(endpoint.endpoint_id, 0))
        if health.failing_since is None and now <= latest:
            # Times are whole seconds: of the successes within one, the first is enough.
            return
        before = self._endpoints.record_outcome(endpoint.endpoint_id, now, None)
        self._successes[endpoint.endpoint_id] = now
        if before is not None and before.health.is_down:
            _, more = self._backlog.enqueue_waiting(endpoint.endpoint_id, batch_limit(before, now))
            if more:
                self._endpoints.set_draining(endpoint.endpoint_id, draining=True)

    def _follow_up(self, endpoint: Endpoint, claimed: Delivery, decision: Decision) -> None:
        if isinstance(decision, DisableEndpoint):
            now = int(self._now())
            backlog_summary = self._deliveries.backlog_summary(endpoint.endpoint_id)
            notice = disabled_notice(endpoint.endpoint_id, f"it {decision.reason}", backlog_summary, now)
            self._endpoints.disable(endpoint.endpoint_id, decision.reason, now, notice)
        if isinstance(decision, Retry) and not endpoint.health.is_down:
            delay_s = decision.at - int(self._now())
            if delay_s <= SOON_S:
                message = DeliveryMessage(claimed.endpoint_id, claimed.event_id, claimed.attempts + 1)
                self._channels.queue.send([message], delay_s=max(delay_s, 0))


_OUTCOMES: dict[type[Decision], MessageOutcome] = {
    Delivered: MessageOutcome.DELIVERED,
    Retry: MessageOutcome.RETRY_LATER,
    DisableEndpoint: MessageOutcome.DISABLED,
    GiveUp: MessageOutcome.FAILED,
}


def _next_at(decision: Decision) -> int | None:
    return decision.at if isinstance(decision, Retry | DisableEndpoint) else None
