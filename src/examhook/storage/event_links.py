"""Fresh result links, kept beside the event that they are for: asked for once, sent to every endpoint.

The event's own bytes are never changed. Beside them, its item of the Events table holds:

::

    link_url, link_expires_at    the newest link that was got since
    link_asked_by                somebody is asking for one right now …
    link_next_at                 … and before this nobody else does (Unix seconds); after a failure as well

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.events.build import Event
from examhook.events.result_link import ResultLink
from examhook.storage.conditional import if_it_holds
from examhook.storage.events import event_from_item, is_erased

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class LinkedEvent:
    """An event, and what is known of fresher links for it."""

    event: Event
    renewed: ResultLink | None = None
    is_asked_for: bool = False
    """Whether somebody is asking for one."""
    next_at: int = 0
    """Before this (Unix seconds) nobody else asks."""


class EventLinks:
    """The links of events."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def get(self, event_id: str) -> LinkedEvent | None:
        """An event with its links, as last written; None if there is none (any more). Raises UnreadableEventError."""
        answer = self._client.get_item(TableName=self._table_name, Key=_key(event_id), ConsistentRead=True)
        return linked_event_from_item(answer.get("Item"))

    def claim(self, event_id: str, owner: str, now: int, until: int) -> bool:
        """Be the one who asks, until ``until`` (Unix seconds); False if somebody else is, or asking failed just now."""
        return self._update(
            event_id,
            "SET link_asked_by = :owner, link_next_at = :until",
            "attribute_exists(event_id) AND (attribute_not_exists(link_next_at) OR link_next_at <= :now)",
            {":owner": {"S": owner}, ":until": {"N": str(until)}, ":now": {"N": str(now)}},
        )

    def keep(self, event_id: str, owner: str, link: ResultLink) -> None:
        """What ``owner`` got."""
        self._update(
            event_id,
            "SET link_url = :url, link_expires_at = :expires REMOVE link_asked_by, link_next_at",
            "link_asked_by = :owner",
            {":owner": {"S": owner}, ":url": {"S": link.url}, ":expires": {"N": str(link.expires_at)}},
        )

    def give_up(self, event_id: str, owner: str, next_at: int) -> None:
        """``owner`` got nothing; nobody asks for this event before ``next_at`` (Unix seconds)."""
        self._update(
            event_id,
            "SET link_next_at = :next REMOVE link_asked_by",
            "link_asked_by = :owner",
            {":owner": {"S": owner}, ":next": {"N": str(next_at)}},
        )

    def _update(self, event_id: str, update: str, condition: str, values: dict[str, AttributeValueTypeDef]) -> bool:
        answer = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(event_id),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        return answer is not None


def linked_event_from_item(item: Mapping[str, AttributeValueTypeDef] | None) -> LinkedEvent | None:
    """The event in an item, with its links; None where there is none (any more). Raises UnreadableEventError."""
    if item is None or is_erased(item):
        return None
    renewed = None
    if "link_url" in item:
        renewed = ResultLink(item["link_url"]["S"], int(item["link_expires_at"]["N"]))
    next_at = int(item["link_next_at"]["N"]) if "link_next_at" in item else 0
    return LinkedEvent(event_from_item(item), renewed, "link_asked_by" in item, next_at)


def _key(event_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"event_id": {"S": event_id}}
