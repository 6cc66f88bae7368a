"""Deliver: process the messages of the delivery queue.

The order of the steps makes a crash at any point harmless::

    load endpoint and event ── removed or expired ──▶ cancel;  endpoint disabled ──▶ hold
      result link expires soon ──▶ request a fresh one from the next poll, and check again later (result_links.py)
        not admitted (admission.py) ──▶ hold or postpone
          claim the attempt ── not possible ──▶ drop     (after a crash from here on: due again after CLAIM_TIMEOUT_S)
            send
              record the attempt
                record the endpoint's health             (recovered: enqueue its waiting deliveries)
                  answered 410: disable the endpoint and leave a notice for the operators
                  next attempt is due within DIRECT_RETRY_S: send a delayed message

The Deliveries table decides whether an attempt is due. A message only triggers the check, so it may be repeated after
an error before the claim.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
from examhook.workflows.delivering.admission import Admit, Hold, Postpone, admit
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from examhook.workflows.delivering.webhook_request import request_for
from examhook.workflows.polling.result_links import event_to_send
from examhook.workflows.retrying.backlog import Backlog, batch_limit

DIRECT_RETRY_S = 60
"""Attempts due within this time get a delayed message, because the next tick of Retry would be late."""
LINK_CHECK_S = (20, 40)
"""Range of the random delay until a delivery checks again for its fresh result link."""


@dataclass(frozen=True, slots=True)
class DeliverWebhooks:
    """The use case of the Deliver function; several threads may call ``process`` at once."""

    deliveries: DeliveriesTable
    endpoints: EndpointsTable
    events: EventLinks
    batch_loader: BatchLoader
    sender: WebhookSender
    key: SecretsKey
    queue: DeliveryQueue
    now: Callable[[], float]
    rng: random.Random
    deadline_s: float
    """Maximum duration of an attempt."""
    sleep: Callable[[float], None] = time.sleep
    _recorded_success_at: dict[str, int] = field(default_factory=dict)
    """When this process last recorded a success, by endpoint; cleared by a failure."""

    def load_batch(self, messages: Sequence[DeliveryMessage]) -> LoadedBatch:
        """Load the endpoints and events of ``messages``. Raises botocore's ClientError."""
        return self.batch_loader.read([each.endpoint_id for each in messages], [each.event_id for each in messages])

    def process(self, message: DeliveryMessage, loaded: LoadedBatch = NOTHING_LOADED) -> DeliverReport:
        """Make the attempt that ``message`` requests, if it is due; load what ``loaded`` lacks.

        Raises botocore's errors and those of the queue. The message may then be processed again; if the attempt was
        already claimed, the delivery is due again after CLAIM_TIMEOUT_S.
        """
        endpoint = loaded.endpoint(message.endpoint_id, self.endpoints.get)
        if endpoint is None:
            return self._cancel(message, ENDPOINT_REMOVED)
        if not endpoint.is_enabled:
            return self._hold(message, f"endpoint disabled: {endpoint.disabled_reason}")
        stored = loaded.event(message.event_id, self.events.get)
        if stored is None:
            return self._cancel(message, "its event is no longer stored")
        # Before admission, so that a delivery that waits for a link takes no rate slot.
        event = event_to_send(endpoint, stored, self.events, int(self.now()))
        if event is None:
            self.queue.send([message], delay_s=self.rng.randint(*LINK_CHECK_S))
            return DeliverReport(message, MessageOutcome.PUT_OFF, "waits for a fresh result link")
        return self._attempt_if_admitted(message, endpoint, event)

    def _attempt_if_admitted(self, message: DeliveryMessage, endpoint: Endpoint, event: Event) -> DeliverReport:
        admission = admit(message, endpoint, self.endpoints, self.now())
        match admission:
            case Hold(reason):
                return self._hold(message, reason)
            case Postpone(slot_at):
                return self._postpone(message, slot_at)
            case Admit(after_s):
                self.sleep(after_s)
                return self._attempt(message, endpoint, event)
            case _:
                assert_never(admission)

    def _attempt(self, message: DeliveryMessage, endpoint: Endpoint, event: Event) -> DeliverReport:
        began_at = int(self.now())
        request = request_for(endpoint, event, self.key, began_at)
        claimed = self.deliveries.claim(
            message.endpoint_id, message.event_id, message.attempt, until=began_at + CLAIM_TIMEOUT_S
        )
        if claimed is None:
            return DeliverReport(
                message, MessageOutcome.DROPPED, "ended, or another message made this attempt", event.event_type
            )
        result = self.sender.send(endpoint.url, request.body, request.headers, self.deadline_s)
        # An operator waits for the result of a test event, so it is not retried hours later.
        max_attempts = 1 if event.event_type == ENDPOINT_TEST else MAX_ATTEMPTS
        decision = decide(
            result,
            claimed.attempt_in_schedule,
            int(self.now()),
            self.rng,
            max_attempts,
            body_format=endpoint.body_format,
        )
        self._record_attempt(claimed, began_at, result, decision)
        self._record_health(endpoint, result, decision)
        self._follow_up(endpoint, claimed, decision)
        return DeliverReport(
            message,
            _OUTCOMES[type(decision)],
            decision.reason,
            event.event_type,
            result.http_status,
            result.latency_ms,
            _next_attempt_at(decision),
        )

    def _cancel(self, message: DeliveryMessage, reason: str) -> DeliverReport:
        self.deliveries.cancel(message.endpoint_id, message.event_id, reason)
        return DeliverReport(message, MessageOutcome.CANCELLED, reason)

    def _hold(self, message: DeliveryMessage, reason: str) -> DeliverReport:
        self.deliveries.hold(message.endpoint_id, message.event_id, message.attempt)
        return DeliverReport(message, MessageOutcome.HELD, reason)

    def _postpone(self, message: DeliveryMessage, slot_at: float) -> DeliverReport:
        # Rounding down the delay makes the message up to 1 s early; the process then sleeps until the slot.
        self.queue.send([replace(message, slot_at=slot_at)], delay_s=int(slot_at - self.now()))
        return DeliverReport(message, MessageOutcome.PUT_OFF, "waits for its rate slot")

    def _record_attempt(self, claimed: Delivery, began_at: int, result: SendResult, decision: Decision) -> None:
        record = AttemptRecord(
            attempt=claimed.attempts,
            at=began_at,
            outcome=result.outcome,
            reason=decision.reason,
            http_status=result.http_status,
            latency_ms=result.latency_ms,
            answer_excerpt=result.answer_excerpt,
            next_attempt_at=_next_attempt_at(decision),
        )
        match decision:
            case Delivered():
                self.deliveries.record(claimed, record, DeliveryStatus.DELIVERED)
            case Retry(not_before=not_before):
                self.deliveries.record(claimed, record, DeliveryStatus.WAITING, not_before)
            case DisableEndpoint(at=at):
                status = DeliveryStatus.FAILED if at is None else DeliveryStatus.WAITING
                self.deliveries.record(claimed, record, status)
            case GiveUp():
                self.deliveries.record(claimed, record, DeliveryStatus.FAILED)
            case _:
                assert_never(decision)

    def _record_health(self, endpoint: Endpoint, result: SendResult, decision: Decision) -> None:
        if isinstance(decision, Delivered):
            self._record_success(endpoint)
            return
        now = int(self.now())
        self._recorded_success_at.pop(endpoint.endpoint_id, None)
        slowed_until = now + SLOWDOWN_S if is_overloaded(result.http_status) else None
        self.endpoints.record_outcome(endpoint.endpoint_id, now, decision.reason, slowed_until)

    def _record_success(self, endpoint: Endpoint) -> None:
        now, health = int(self.now()), endpoint.health
        recorded_at = max(health.last_success_at or 0, self._recorded_success_at.get(endpoint.endpoint_id, 0))
        if health.failing_since is None and now <= recorded_at:
            # Timestamps have 1 s resolution, so record one success per second.
            return
        before = self.endpoints.record_outcome(endpoint.endpoint_id, now, None)
        self._recorded_success_at[endpoint.endpoint_id] = now
        if before is not None and before.health.is_down:
            backlog = Backlog(self.deliveries, self.queue, self.now)
            _, has_more = backlog.enqueue_waiting(endpoint.endpoint_id, batch_limit(before, now))
            if has_more:
                self.endpoints.set_draining(endpoint.endpoint_id, draining=True)

    def _follow_up(self, endpoint: Endpoint, claimed: Delivery, decision: Decision) -> None:
        now = int(self.now())
        if isinstance(decision, DisableEndpoint):
            backlog_summary = self.deliveries.backlog_summary(endpoint.endpoint_id)
            notice = disabled_notice(endpoint.endpoint_id, f"it {decision.reason}", backlog_summary, now)
            self.endpoints.disable(endpoint.endpoint_id, decision.reason, now, notice)
        if isinstance(decision, Retry) and not endpoint.health.is_down:
            delay_s = decision.at - now
            if delay_s <= DIRECT_RETRY_S:
                message = DeliveryMessage(claimed.endpoint_id, claimed.event_id, claimed.attempts + 1)
                self.queue.send([message], delay_s=max(delay_s, 0))


_OUTCOMES: dict[type[Decision], MessageOutcome] = {
    Delivered: MessageOutcome.DELIVERED,
    Retry: MessageOutcome.RETRY_LATER,
    DisableEndpoint: MessageOutcome.DISABLED,
    GiveUp: MessageOutcome.FAILED,
}


def _next_attempt_at(decision: Decision) -> int | None:
    return decision.at if isinstance(decision, Retry | DisableEndpoint) else None
