"""Reads the endpoints and events of a batch of deliveries with one request.

The messages of a batch often name the same endpoints and events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import Endpoint
from examhook.storage.endpoints import endpoint_from_item
from examhook.storage.events import LinkedEvent, linked_event_from_item
from examhook.storage.item_codec import TEXT, UnreadableItemError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from examhook.storage.item_codec import Item


@dataclass(frozen=True, slots=True)
class LoadedBatch:
    """Endpoints and events by id. None means that the item does not exist, a missing id that it was not read."""

    endpoints: Mapping[str, Endpoint | None] = field(default_factory=dict)
    events: Mapping[str, LinkedEvent | None] = field(default_factory=dict)

    def endpoint(self, endpoint_id: str, read: Callable[[str], Endpoint | None]) -> Endpoint | None:
        """Return one endpoint; call ``read`` if the batch lacks it."""
        return self.endpoints[endpoint_id] if endpoint_id in self.endpoints else read(endpoint_id)

    def event(self, event_id: str, read: Callable[[str], LinkedEvent | None]) -> LinkedEvent | None:
        """Return one event; call ``read`` if the batch lacks it."""
        return self.events[event_id] if event_id in self.events else read(event_id)


NOTHING_LOADED = LoadedBatch()


class BatchLoader:
    """Reads endpoints and events together."""

    def __init__(self, client: DynamoDBClient, endpoints_table: str, events_table: str) -> None:
        self._client = client
        self._endpoints_table = endpoints_table
        self._events_table = events_table

    def read(self, endpoint_ids: Sequence[str], event_ids: Sequence[str]) -> LoadedBatch:
        """Return up to 100 endpoints and events, as last written.

        The result lacks items that DynamoDB had no capacity for, and events that this version cannot read. Reading such
        an event by itself raises the error. Raises botocore's errors.
        """
        keys = {self._endpoints_table: ("endpoint_id", endpoint_ids), self._events_table: ("event_id", event_ids)}
        answer = self._client.batch_get_item(
            RequestItems={
                table: {"Keys": [{key: TEXT.value(each)} for each in dict.fromkeys(ids)], "ConsistentRead": True}
                for table, (key, ids) in keys.items()
                if ids
            }
        )
        read: dict[str, dict[str, Item | None]] = {}
        for table, (key, ids) in keys.items():
            unread = {each[key]["S"] for each in answer["UnprocessedKeys"].get(table, {"Keys": []})["Keys"]}
            read[table] = dict.fromkeys([each for each in ids if each not in unread])
            read[table].update({item[key]["S"]: item for item in answer["Responses"].get(table, [])})
        events: dict[str, LinkedEvent | None] = {}
        for event_id, item in read[self._events_table].items():
            with suppress(UnreadableItemError):
                events[event_id] = linked_event_from_item(item)
        return LoadedBatch(
            {
                endpoint_id: None if item is None else endpoint_from_item(item)
                for endpoint_id, item in read[self._endpoints_table].items()
            },
            events,
        )
