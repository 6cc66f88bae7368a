"""An EventBridge bus: each event as one entry, whose ``Detail`` is the event's JSON as webhooks get it.

EventBridge takes events for a bus that does not exist, says that all went well, and drops them. So the bus is looked
for before it is given anything.

Source: EventBridge API reference, ``PutEvents`` and ``DescribeEventBus``; user guide, "Sending events with PutEvents".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.batches import batches
from examhook.destinations.refusal import NO_ANSWER, NotPublishedError, Refusal

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef, PutEventsResultEntryTypeDef

    from examhook.events.build import Event

SOURCE = "examhook"
"""What rules find our entries by; names that begin with ``aws.`` are AWS's own."""

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 256_000
"""Of all entries of one request. EventBridge took 256 KB for years; it takes 1 MB now, if not in every partition."""

_TIME_BYTES = 14
"""What EventBridge counts for an entry's time, however it is written."""

_REFUSED_EACH_TIME = "ValidationException"
"""Code with which a whole request is refused for what is in it, and would be again."""

LOOKED_FOR_EACH_S = 60.0
"""A bus that is deleted is missed within this; what it was given since is dropped by EventBridge.

Measured by the wall clock, because monotonic clocks stop while Lambda freezes the function."""

_GONE = "ResourceNotFoundException"

_WORTH_ANOTHER_TRY = frozenset({"InternalFailure", "InternalException", "ThrottlingException"})


class BusPublisher:
    """Puts events on one bus; not for several threads at once."""

    def __init__(self, client: EventBridgeClient, bus: str, now: Callable[[], float]) -> None:
        self._client = client
        self._bus = bus
        """Its name, or its ARN."""
        self._now = now
        self._seen_at: float | None = None

    def publish(self, events: Sequence[Event]) -> None:
        """Put ``events`` on the bus, in their order, in as few requests as may be.

        Raises NotPublishedError after everything was tried, except that a request that fails as a
        whole ends the trying: what follows it counts as refused for the same reason. A bus that is
        gone refuses everything.
        """
        if events and self._is_gone():
            raise NotPublishedError(
                "EventBridge", [Refusal(each.event_id, _GONE, sender_fault=False) for each in events]
            )
        refused: list[Refusal] = []
        broken: str | None = None
        for batch in batches(
            [(event, _entry(event, self._bus)) for event in events], _size, MAX_ENTRIES, MAX_REQUEST_BYTES
        ):
            if broken is not None:
                refused += _refusals(batch, broken, sender_fault=False)
                continue
            try:
                refused += self._put(batch)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                at_fault = code == _REFUSED_EACH_TIME
                refused += _refusals(batch, code, sender_fault=at_fault)
                broken = None if at_fault else code
            except BotoCoreError as error:
                broken = type(error).__name__
                refused += _refusals(batch, broken, sender_fault=False)
        if refused:
            raise NotPublishedError("EventBridge", refused)

    def _is_gone(self) -> bool:
        now = self._now()
        # A clock that was set back says nothing about how long ago the bus was seen.
        if self._seen_at is not None and 0 <= now - self._seen_at < LOOKED_FOR_EACH_S:
            return False
        try:
            self._client.describe_event_bus(Name=self._bus)
        except ClientError as error:
            if error.response["Error"]["Code"] == _GONE:
                self._seen_at = None
                return True
            # It says nothing of the bus: that of another AWS account need not let itself be looked at.
        except BotoCoreError:
            # Putting something on it will tell.
            return False
        self._seen_at = now
        return False

    def _put(self, batch: _Batch) -> list[Refusal]:
        answer = self._client.put_events(Entries=[entry for _, entry in batch])
        # The answers stand in the order of the entries and name no id of ours.
        results = answer.get("Entries", [])
        if len(results) != len(batch):
            return _refusals(batch, NO_ANSWER, sender_fault=False)
        return [
            refusal
            for (event, _), result in zip(batch, results, strict=True)
            if (refusal := _refusal(event, result)) is not None
        ]


if TYPE_CHECKING:
    _Batch = list[tuple[Event, PutEventsRequestEntryTypeDef]]


def _entry(event: Event, bus: str) -> PutEventsRequestEntryTypeDef:
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": event.event_type,
        "Detail": event.body.decode(),
        "Time": datetime.fromtimestamp(event.occurred_at, UTC),
        "Resources": [json.loads(event.body)["source"]],
    }


def _refusal(event: Event, result: PutEventsResultEntryTypeDef) -> Refusal | None:
    if result.get("EventId"):
        return None
    code = result.get("ErrorCode") or NO_ANSWER
    return Refusal(event.event_id, code, sender_fault=code != NO_ANSWER and code not in _WORTH_ANOTHER_TRY)


def _refusals(batch: _Batch, code: str, *, sender_fault: bool) -> list[Refusal]:
    return [Refusal(event.event_id, code, sender_fault) for event, _ in batch]


def _size(pair: tuple[Event, PutEventsRequestEntryTypeDef]) -> int:
    """Bytes, as EventBridge counts them (user guide, "Calculating PutEvents event entry size")."""
    _, entry = pair
    texts = [entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"]]
    return _TIME_BYTES + sum(len(text.encode()) for text in texts)
