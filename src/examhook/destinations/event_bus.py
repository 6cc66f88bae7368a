"""An EventBridge event bus: one entry per event, whose ``Detail`` is the event's JSON.

EventBridge accepts and then drops entries for a bus that does not exist. The publisher therefore checks that the bus
exists before it puts entries on it.

Source: EventBridge API reference, ``PutEvents`` and ``DescribeEventBus``; user guide, "Sending events with PutEvents".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.publishing import (
    NO_ANSWER,
    NotPublishedError,
    UnpublishedEvent,
    all_unpublished,
    publish_batches,
    split_batches,
)

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef, PutEventsResultEntryTypeDef

    from examhook.events.build import Event

SOURCE = "examhook"
"""Event source that rules match. Prefix ``aws.`` is reserved for AWS services."""

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 256_000
"""Maximum size of a request. EventBridge's limit was 256 KB for years; 1 MB is not yet available in all partitions."""

CHECK_INTERVAL_S = 60.0
"""Interval for checking that the bus exists; EventBridge drops events sent between its deletion and the next check.

Measured by the wall clock, because monotonic clocks stop while Lambda freezes the function."""

_TIME_BYTES = 14
"""Size of an entry's time, as EventBridge counts it."""

_REJECTED_CODES = frozenset({"ValidationException"})
_NO_SUCH_BUS = "ResourceNotFoundException"
_TRANSIENT_CODES = frozenset({"InternalFailure", "InternalException", "ThrottlingException"})


class BusPublisher:
    """Publishes events to one bus; not thread-safe."""

    def __init__(self, client: EventBridgeClient, bus: str, now: Callable[[], float]) -> None:
        self._client = client
        self._bus = bus
        """Name or ARN."""
        self._now = now
        self._checked_at: float | None = None

    def publish(self, events: Sequence[Event]) -> None:
        """Publish ``events`` in order; raises NotPublishedError (see ``publish_batches``).

        If the bus does not exist, no event is published.
        """
        entries = [(event, _entry(event, self._bus)) for event in events]
        if entries and self._is_missing():
            raise NotPublishedError("EventBridge", all_unpublished(entries, _NO_SUCH_BUS))
        publish_batches(
            "EventBridge",
            split_batches(entries, _size_bytes, MAX_ENTRIES, MAX_REQUEST_BYTES),
            self._publish_batch,
            _REJECTED_CODES,
        )

    def _is_missing(self) -> bool:
        now = self._now()
        # After the clock was set back, the age of the last check is unknown.
        if self._checked_at is not None and 0 <= now - self._checked_at < CHECK_INTERVAL_S:
            return False
        try:
            self._client.describe_event_bus(Name=self._bus)
        except ClientError as error:
            if error.response["Error"]["Code"] == _NO_SUCH_BUS:
                self._checked_at = None
                return True
            # Other errors do not mean that the bus is missing: another AWS account may deny DescribeEventBus.
        except BotoCoreError:
            # The check did not reach EventBridge, so repeat it next time.
            return False
        self._checked_at = now
        return False

    def _publish_batch(self, batch: Sequence[tuple[Event, PutEventsRequestEntryTypeDef]]) -> Sequence[UnpublishedEvent]:
        response = self._client.put_events(Entries=[entry for _, entry in batch])
        # Results have the order of the entries and do not contain event ids of ours.
        results = response.get("Entries", [])
        if len(results) != len(batch):
            return all_unpublished(batch, NO_ANSWER)
        return [
            _unpublished(event, result)
            for (event, _), result in zip(batch, results, strict=True)
            if not result.get("EventId")
        ]


def _entry(event: Event, bus: str) -> PutEventsRequestEntryTypeDef:
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": event.event_type,
        "Detail": event.body.decode(),
        "Time": datetime.fromtimestamp(event.occurred_at, UTC),
        "Resources": [json.loads(event.body)["source"]],
    }


def _unpublished(event: Event, result: PutEventsResultEntryTypeDef) -> UnpublishedEvent:
    code = result.get("ErrorCode") or NO_ANSWER
    return UnpublishedEvent(event.event_id, code, sender_fault=code != NO_ANSWER and code not in _TRANSIENT_CODES)


def _size_bytes(entry: PutEventsRequestEntryTypeDef) -> int:
    """Size as EventBridge counts it (user guide, "Calculating PutEvents event entry size")."""
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"]]
    return _TIME_BYTES + sum(len(text.encode()) for text in texts)
