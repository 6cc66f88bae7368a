"""What the deliveries of a batch speak of, read by one request: their endpoints and their events.

The messages of a batch name few endpoints, and often one event for several of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import Endpoint
from examhook.storage.endpoint_item import endpoint_from_item
from examhook.storage.event_links import LinkedEvent, linked_event_from_item
from examhook.storage.events import UnreadableEventError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What was read, by id; None for what does not exist. What is not in it was not read."""

    endpoints: Mapping[str, Endpoint | None] = field(default_factory=dict)
    events: Mapping[str, LinkedEvent | None] = field(default_factory=dict)

    def endpoint(self, endpoint_id: str, read: Callable[[str], Endpoint | None]) -> Endpoint | None:
        """One endpoint; ``read`` is asked for what was not read."""
        return self.endpoints[endpoint_id] if endpoint_id in self.endpoints else read(endpoint_id)

    def event(self, event_id: str, read: Callable[[str], LinkedEvent | None]) -> LinkedEvent | None:
        """One event; ``read`` is asked for what was not read."""
        return self.events[event_id] if event_id in self.events else read(event_id)


NOTHING = LookedUp()


class LookUp:
    """Reads endpoints and events together."""

    def __init__(self, client: DynamoDBClient, endpoints_table: str, events_table: str) -> None:
        self._client = client
        self._endpoints_table = endpoints_table
        self._events_table = events_table

    def read(self, endpoint_ids: Sequence[str], event_ids: Sequence[str]) -> LookedUp:
        """All of them, at most 100 together, as last written, but for those that DynamoDB had no capacity for.

        An event that this version did not write is left out: who reads it alone learns what is wrong with it.
        Raises botocore's ClientError when DynamoDB refuses or cannot be reached.
        """
        asked = {self._endpoints_table: ("endpoint_id", endpoint_ids), self._events_table: ("event_id", event_ids)}
        answer = self._client.batch_get_item(
            RequestItems={
                table: {"Keys": [{key: {"S": each}} for each in dict.fromkeys(ids)], "ConsistentRead": True}
                for table, (key, ids) in asked.items()
                if ids
            }
        )
        read: dict[str, dict[str, Item | None]] = {}
        for table, (key, ids) in asked.items():
            unread = {each[key]["S"] for each in answer["UnprocessedKeys"].get(table, {"Keys": []})["Keys"]}
            read[table] = dict.fromkeys([each for each in ids if each not in unread])
            read[table].update({item[key]["S"]: item for item in answer["Responses"].get(table, [])})
        events: dict[str, LinkedEvent | None] = {}
        for event_id, item in read[self._events_table].items():
            with suppress(UnreadableEventError):
                events[event_id] = linked_event_from_item(item)
        return LookedUp(
            {
                endpoint_id: None if item is None else endpoint_from_item(item)
                for endpoint_id, item in read[self._endpoints_table].items()
            },
            events,
        )
