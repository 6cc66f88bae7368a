"""Fresh result links, stored beside the event that they are for, and the requests for them.

The event's own bytes never change. Its item in the Events table also holds:

::

    link_url, link_expires_at    the newest link
    link_requested_at            when Deliver last requested one (Unix seconds)
    link_requested_for           the account; present until the request is answered

The last two are the key of the sparse index ``link_requests``, so a poll finds open requests with one query,
and an erased or expired event takes its request with it.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.delivery.link_renewal import LinkRequest
from examhook.events.build import Event
from examhook.events.result_link import ResultLink
from examhook.storage.attributes import as_number
from examhook.storage.conditional import if_it_holds
from examhook.storage.events import UnreadableEventError, event_from_item, is_erased

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

REQUEST_INDEX = "link_requests"


@dataclass(frozen=True, slots=True)
class LinkedEvent:
    """An event, its newest link and the last request for one."""

    event: Event
    renewed: ResultLink | None = None
    request: LinkRequest | None = None


class EventLinks:
    """The links of events."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def get(self, event_id: str) -> LinkedEvent | None:
        """An event with its links, as last written; None if it does not exist. Raises UnreadableEventError."""
        answer = self._client.get_item(TableName=self._table_name, Key=_key(event_id), ConsistentRead=True)
        return linked_event_from_item(answer.get("Item"))

    def request(self, event: Event, now: int, repeat_before: int) -> None:
        """Request a link at ``now``, unless one was requested after ``repeat_before`` (Unix seconds)."""
        self._update(
            event,
            "SET link_requested_for = :account, link_requested_at = :now",
            "attribute_exists(event_id) AND (attribute_not_exists(link_requested_at) OR link_requested_at <= :before)",
            {":now": as_number(now), ":before": as_number(repeat_before)},
        )

    def requested(self, account: str, since: int, limit: int) -> list[Event]:
        """Events with an open request made at or after ``since`` (Unix seconds), oldest request first.

        At most ``limit``. The index follows the table within moments, so a request may already be answered.
        """
        answer = self._client.query(
            TableName=self._table_name,
            IndexName=REQUEST_INDEX,
            KeyConditionExpression="link_requested_for = :account AND link_requested_at >= :since",
            ExpressionAttributeValues={":account": {"S": account}, ":since": as_number(since)},
            Limit=limit,
        )
        found: list[Event] = []
        for item in answer["Items"]:
            # Another version wrote it, or it was erased; its request ends by time.
            with suppress(UnreadableEventError):
                found.append(event_from_item(item))
        return found

    def answer(self, event: Event, link: ResultLink) -> None:
        """Store the link that was requested; nothing changes if the request is gone or the event was erased."""
        self._update(
            event,
            "SET link_url = :url, link_expires_at = :expires REMOVE link_requested_for",
            "link_requested_for = :account AND attribute_not_exists(erased_for)",
            {":url": {"S": link.url}, ":expires": as_number(link.expires_at)},
        )

    def close(self, event: Event) -> None:
        """End the request without a link."""
        self._update(event, "REMOVE link_requested_for", "link_requested_for = :account", {})

    def _update(self, event: Event, update: str, condition: str, values: Mapping[str, AttributeValueTypeDef]) -> None:
        if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(event.event_id),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues={":account": {"S": event.account or ""}, **values},
        )


def linked_event_from_item(item: Mapping[str, AttributeValueTypeDef] | None) -> LinkedEvent | None:
    """The event in an item, with its links; None if there is none. Raises UnreadableEventError."""
    if item is None or is_erased(item):
        return None
    renewed = request = None
    if "link_url" in item:
        renewed = ResultLink(item["link_url"]["S"], int(item["link_expires_at"]["N"]))
    if "link_requested_at" in item:
        request = LinkRequest(int(item["link_requested_at"]["N"]), is_open="link_requested_for" in item)
    return LinkedEvent(event_from_item(item), renewed, request)


def _key(event_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"event_id": {"S": event_id}}
