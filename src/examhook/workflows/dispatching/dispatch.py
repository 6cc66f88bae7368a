"""Dispatch: from stored changes to events at every destination.

Each event takes these steps, and each step may be repeated::

    built ─▶ kept (Events) ─▶ deliveries ─▶ queued ─▶ on the bus, if there is one ─▶ published (SNS) ─▶ marked
      │         │               │             │           │                            │                │
      │         │               │             │           └ same id, same bytes        └ the same       └ a repeat
      │         │               │             └ Deliver claims each attempt once                          skips it
      │         │               └ one per endpoint that wants it, conditional by (endpoint, event)
      │         └ conditional by id; what was kept first is what is sent
      └ pure: same record, same bytes

A crash between two steps leaves the event unmarked, so the stream's next try begins again and finds
what is done. Publishing comes last of the steps that others can see, because it is the one whose
repetition people notice.

The bus is not ours and may be gone or closed to us. What it refuses goes to SNS all the same, once:
such an event is marked as published, its record fails, and the next try leaves SNS out.

A record that fails fails alone: the others go on, except later ones of the same submission, which
wait so that its events keep their order. The stream is then told the first that failed and sends
everything from there again; what was marked is skipped.
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
from examhook.workflows.dispatching.batch import Batch, DispatchReport, Failed, Outgoing

_PARALLEL_STEPS = 8
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Sends what the stream brings; one instance serves many batches."""

    events: EventsTable
    deliveries: DeliveriesTable
    queue: DeliveryQueue
    publisher: TopicPublisher
    topic_arn: str
    endpoints: Callable[[], Sequence[Endpoint]]
    """Those that are to get events, now or when they are enabled.

    Asked once per batch, never remembered: one small read, and a new endpoint misses nothing."""
    retention_days: int
    now: Callable[[], float]
    bus: BusPublisher | None = None
    """Where events go besides, if the stack names one."""

    def run(self, records: Sequence[StreamRecord]) -> DispatchReport:
        """Dispatch one batch, in stream order.

        Raises ClientError or BotoCoreError if the endpoints cannot be read; nothing was sent then.
        """
        batch = Batch()
        for number, record in enumerate(records):
            _set_out(number, record, batch)
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
        """Take every step with the events of ``batch``, which afterwards holds those that were dispatched.

        Returns how many messages were put on the delivery queue. Raises as ``run`` does.
        """
        endpoints = self.endpoints() if batch.outgoing else ()
        with ThreadPoolExecutor(_PARALLEL_STEPS) as pool:
            _each(pool, batch, self._keep)
            _each(pool, batch, lambda outgoing: self._create_deliveries(outgoing, endpoints))
            enqueued = self._enqueue(batch)
            self._put_on_bus(batch)
            self._publish(batch)
            _each(pool, batch, self._mark)
        return enqueued

    def _keep(self, outgoing: Outgoing) -> Outgoing | None:
        """Store the event; if it was stored before, go on with that one, or end if it was dispatched."""
        event = outgoing.event
        if self.events.add(event, self._expires_at()):
            return outgoing
        progress = self.events.dispatch_progress(event.event_id)
        if progress.is_dispatched:
            return None
        # Checked without a bus too: the stack may have had one at the attempt before.
        return replace(outgoing, event=progress.event or event, published=progress.is_published)

    def _create_deliveries(self, outgoing: Outgoing, endpoints: Sequence[Endpoint]) -> Outgoing:
        """What an endpoint that is down or disabled is to get waits in the table until it is back."""
        event = outgoing.event
        at = int(self.now())
        served = []
        for endpoint in endpoints:
            if not endpoint.wants(event):
                continue
            fresh = new_delivery(
                endpoint.endpoint_id, event.event_id, event.event_type, now=at, expires_at=self._expires_at()
            )
            if endpoint.is_enabled and not endpoint.health.is_down:
                served.append(endpoint.endpoint_id)
            else:
                fresh = replace(fresh, status=DeliveryStatus.WAITING, next_attempt_at=at)
            self.deliveries.create(fresh)
        return replace(outgoing, endpoint_ids=tuple(served))

    def _enqueue(self, batch: Batch) -> int:
        """Put every first attempt on the queue, also of deliveries that a try before this one created."""
        messages = [
            DeliveryMessage(endpoint_id, outgoing.event.event_id, attempt=1)
            for outgoing in batch.outgoing
            for endpoint_id in outgoing.endpoint_ids
        ]
        try:
            self.queue.send(messages)
        except (ClientError, BotoCoreError, DeliveryQueueError) as error:
            failed = Failed(_reason(error))
            batch.proceed([failed if outgoing.endpoint_ids else outgoing for outgoing in batch.outgoing])
            return 0
        return len(messages)

    def _put_on_bus(self, batch: Batch) -> None:
        if self.bus is None:
            return
        try:
            self.bus.publish([each.event for each in batch.outgoing])
        except NotPublishedError as error:
            refused = {refusal.event_id: refusal.code for refusal in error.unpublished}
            batch.proceed([replace(each, refused=refused.get(each.event.event_id)) for each in batch.outgoing])

    def _publish(self, batch: Batch) -> None:
        try:
            self.publisher.publish_submission_events(
                self.topic_arn, [each.event for each in batch.outgoing if not each.published]
            )
        except NotPublishedError as error:
            refused = {refusal.event_id: Failed(refusal.code) for refusal in error.unpublished}
            batch.proceed([refused.get(outgoing.event.event_id, outgoing) for outgoing in batch.outgoing])

    def _mark(self, outgoing: Outgoing) -> Outgoing | Failed:
        event_id, at = outgoing.event.event_id, int(self.now())
        if outgoing.refused is not None:
            self.events.mark_published(event_id, at)
            return Failed(outgoing.refused)
        self.events.mark_dispatched(event_id, at)
        return outgoing

    def _expires_at(self) -> int:
        return int(self.now()) + self.retention_days * _DAY_S


def _set_out(number: int, record: StreamRecord, batch: Batch) -> None:
    submission = record_key(record)
    try:
        change = stored_change(record)
        events = _events(change)
    except (UnreadableRecordError, UnwritableInstantError) as error:
        batch.fail(number, submission, type(error).__name__)
        return
    batch.add([Outgoing(number, submission, event) for event in events])


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


def _each(pool: ThreadPoolExecutor, batch: Batch, step: Callable[[Outgoing], Outgoing | Failed | None]) -> None:
    """Take ``step`` with every event at once; None ends its way, an error fails its record."""

    def take(outgoing: Outgoing) -> Outgoing | Failed | None:
        try:
            return step(outgoing)
        except (ClientError, BotoCoreError, UnreadableItemError) as error:
            return Failed(_reason(error))

    batch.proceed(list(pool.map(take, batch.outgoing)))


def _reason(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
