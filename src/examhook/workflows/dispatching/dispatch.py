"""Dispatch: turn stored changes into events and send them to every destination.

Each event takes these steps, each of which may be repeated::

    build ─▶ store (Events) ─▶ create deliveries ─▶ enqueue ─▶ send to the bus ─▶ publish (SNS) ─▶ mark as dispatched
      │        │                 │                    │          │ (optional)       │                │
      │        │                 │                    │          └ same id, same bytes               └ skipped by
      │        │                 │                    └ Deliver claims each attempt once               a repetition
      │        │                 └ one per endpoint whose filters match; conditional by (endpoint, event)
      │        └ conditional by id; later attempts send the event that was stored first
      └ pure: the same record gives the same bytes

A crash between two steps leaves the event unmarked. The stream then sends the batch again, and Dispatch skips the
steps that succeeded. Publishing to SNS comes last, because subscribers see repetitions.

The bus belongs to the operator and may be unavailable. If it rejects an event, SNS still receives the event once: the
event is marked as published, its record fails, and the next attempt skips SNS.

Records fail independently, except that later events of the same submission wait to keep their order. The stream
resends everything from the first failed record, and Dispatch skips events that are marked as dispatched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import assert_never

from botocore.exceptions import BotoCoreError, ClientError

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import DeliveryStatus, new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue, DeliveryQueueError
from examhook.destinations.event_bus import BusPublisher
from examhook.destinations.publishing import NotPublishedError
from examhook.destinations.sns import TopicPublisher
from examhook.events.build import Event, exam_event, submission_event
from examhook.events.encoding import UnwritableInstantError
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.events import EventsTable
from examhook.storage.item_codec import UnreadableItemError
from examhook.storage.submission_outbox import (
    StoredChange,
    StoredExamChange,
    StreamRecord,
    UnreadableRecordError,
    record_key,
    stored_change,
)
from examhook.workflows.dispatching.batch import Batch, DispatchReport, OutgoingEvent, StepFailure

_PARALLEL_STEPS = 8
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Dispatches batches of the stream."""

    events: EventsTable
    deliveries: DeliveriesTable
    queue: DeliveryQueue
    publisher: TopicPublisher
    topic_arn: str
    endpoints: Callable[[], Sequence[Endpoint]]
    """Reads the endpoints that receive events now or when they are enabled.

    Called once per batch and never cached, so that a new endpoint misses no event."""
    retention_days: int
    now: Callable[[], float]
    bus: BusPublisher | None = None

    def run(self, records: Sequence[StreamRecord]) -> DispatchReport:
        """Dispatch one batch, in stream order.

        Raises ClientError or BotoCoreError, before anything is sent, if the endpoints cannot be read.
        """
        batch = Batch()
        for number, record in enumerate(records):
            _add_events(number, record, batch)
        enqueued = self.send(batch)
        first_failed = batch.first_failed
        return DispatchReport(
            records=len(records),
            dispatched=len(batch.outgoing),
            enqueued=enqueued,
            failed=len(batch.failures),
            reason=batch.reasons,
            retry_from=None if first_failed is None else records[first_failed]["dynamodb"]["SequenceNumber"],
        )

    def send(self, batch: Batch) -> int:
        """Take every step for the events of ``batch``, which then contains only dispatched events.

        Returns the number of messages sent to the delivery queue. Raises the same errors as ``run``.
        """
        endpoints = self.endpoints() if batch.outgoing else ()
        with ThreadPoolExecutor(_PARALLEL_STEPS) as pool:
            _for_each(pool, batch, self._store)
            _for_each(pool, batch, lambda outgoing: self._create_deliveries(outgoing, endpoints))
            enqueued = self._enqueue(batch)
            self._send_to_bus(batch)
            self._publish(batch)
            _for_each(pool, batch, self._mark)
        return enqueued

    def _store(self, outgoing: OutgoingEvent) -> OutgoingEvent | None:
        """Store the event; if it is stored already, continue with the stored one, or end if it was dispatched."""
        event = outgoing.event
        if self.events.add(event, self._expires_at()):
            return outgoing
        progress = self.events.dispatch_progress(event.event_id)
        if progress.is_dispatched:
            return None
        # Checked without a bus too: the stack may have had one in the previous attempt.
        return replace(outgoing, event=progress.event or event, is_published=progress.is_published)

    def _create_deliveries(self, outgoing: OutgoingEvent, endpoints: Sequence[Endpoint]) -> OutgoingEvent:
        """Create a delivery for each matching endpoint; it waits in the table if the endpoint is down or disabled."""
        event = outgoing.event
        at = int(self.now())
        enqueued_ids = []
        for endpoint in endpoints:
            if not endpoint.wants(event):
                continue
            delivery = new_delivery(
                endpoint.endpoint_id, event.event_id, event.event_type, now=at, expires_at=self._expires_at()
            )
            if endpoint.is_enabled and not endpoint.health.is_down:
                enqueued_ids.append(endpoint.endpoint_id)
            else:
                delivery = replace(delivery, status=DeliveryStatus.WAITING, next_attempt_at=at)
            self.deliveries.create(delivery)
        return replace(outgoing, endpoint_ids=tuple(enqueued_ids))

    def _enqueue(self, batch: Batch) -> int:
        """Enqueue every first attempt, including those of deliveries that an earlier attempt of the batch created."""
        messages = [
            DeliveryMessage(endpoint_id, outgoing.event.event_id, attempt=1)
            for outgoing in batch.outgoing
            for endpoint_id in outgoing.endpoint_ids
        ]
        try:
            self.queue.send(messages)
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            failure = StepFailure(_reason(error))
            batch.apply([failure if outgoing.endpoint_ids else outgoing for outgoing in batch.outgoing])
            return 0
        return len(messages)

    def _send_to_bus(self, batch: Batch) -> None:
        if self.bus is None:
            return
        try:
            self.bus.publish([each.event for each in batch.outgoing])
        except NotPublishedError as error:
            codes = {each.event_id: each.code for each in error.unpublished}
            batch.apply([replace(each, bus_error=codes.get(each.event.event_id)) for each in batch.outgoing])

    def _publish(self, batch: Batch) -> None:
        unpublished = [each.event for each in batch.outgoing if not each.is_published]
        try:
            self.publisher.publish_submission_events(self.topic_arn, unpublished)
        except NotPublishedError as error:
            failures = {each.event_id: StepFailure(each.code) for each in error.unpublished}
            batch.apply([failures.get(outgoing.event.event_id, outgoing) for outgoing in batch.outgoing])

    def _mark(self, outgoing: OutgoingEvent) -> OutgoingEvent | StepFailure:
        event_id, at = outgoing.event.event_id, int(self.now())
        if outgoing.bus_error is not None:
            self.events.mark_published(event_id, at)
            return StepFailure(outgoing.bus_error)
        self.events.mark_dispatched(event_id, at)
        return outgoing

    def _expires_at(self) -> int:
        return int(self.now()) + self.retention_days * _DAY_S


def _add_events(number: int, record: StreamRecord, batch: Batch) -> None:
    submission = record_key(record)
    try:
        events = _events(stored_change(record))
    except (UnreadableRecordError, UnwritableInstantError) as error:
        batch.fail(number, submission, type(error).__name__)
        return
    batch.add([OutgoingEvent(number, submission, event) for event in events])


def _events(change: StoredChange | StoredExamChange | None) -> list[Event]:
    match change:
        case None:
            return []
        case StoredChange(submission, announced):
            return [submission_event(submission, each) for each in announced]
        case StoredExamChange(state, announced_of_exam):
            return [exam_event(state.account, state.exam, each) for each in announced_of_exam]
        case _:
            assert_never(change)


def _for_each(
    pool: ThreadPoolExecutor, batch: Batch, step: Callable[[OutgoingEvent], OutgoingEvent | StepFailure | None]
) -> None:
    """Take ``step`` for all events in parallel; an error fails the event's record."""

    def take(outgoing: OutgoingEvent) -> OutgoingEvent | StepFailure | None:
        try:
            return step(outgoing)
        except (ClientError, BotoCoreError, UnreadableItemError) as error:
            return StepFailure(_reason(error))

    batch.apply(list(pool.map(take, batch.outgoing)))


def _reason(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
