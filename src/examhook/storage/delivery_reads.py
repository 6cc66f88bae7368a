"""Reads of the Deliveries table: one delivery, what is due, what waits, and listings for people.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.delivery.health_policy import MAX_COUNTED, BacklogSummary
from examhook.delivery.record import Delivery, DeliveryStatus
from examhook.storage.delivery_item import delivery_from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

WAITING_INDEX = "waiting"


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """What the index says of a delivery that waits; the item itself may have moved on."""

    endpoint_id: str
    event_id: str
    next_attempt_at: int


class DeliveryReads:
    """The part of the Deliveries table that changes nothing."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def get(self, endpoint_id: str, event_id: str) -> Delivery | None:
        """One delivery, as last written."""
        key = delivery_key(endpoint_id, event_id)
        answer = self._client.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else delivery_from_item(item)

    def due(self, endpoint_id: str, now: int, limit: int, after: DueDelivery | None = None) -> list[DueDelivery]:
        """Up to ``limit`` deliveries of an endpoint that are due at ``now``, longest due first, those behind ``after``.

        ``limit`` is at most some thousands: so many come in one answer.
        """
        return self._in_index(endpoint_id, limit, until=now, after=after)

    def waiting(self, endpoint_id: str, limit: int, after: DueDelivery | None = None) -> list[DueDelivery]:
        """Up to ``limit`` deliveries of an endpoint that are still to be sent, whenever they are due.

        Those behind ``after``, where given.
        """
        return self._in_index(endpoint_id, limit, until=None, after=after)

    def backlog_summary(self, endpoint_id: str) -> BacklogSummary:
        """How many deliveries of an endpoint are still to be sent, up to MAX_COUNTED, and when the next is due."""
        first = self._in_index(endpoint_id, 1, until=None)
        return BacklogSummary(self._count(endpoint_id, MAX_COUNTED), first[0].next_attempt_at if first else None)

    def due_within(self, endpoint_id: str, begin: int, end: int, most: int) -> int:
        """How many deliveries of an endpoint are due from ``begin`` to ``end``, counted up to ``most``."""
        return self._count(
            endpoint_id,
            most,
            " AND next_attempt_at BETWEEN :begin AND :end",
            {":begin": {"N": str(begin)}, ":end": {"N": str(end)}},
        )

    def list_for(
        self, endpoint_id: str | None = None, status: DeliveryStatus | None = None, limit: int = 100
    ) -> list[Delivery]:
        """The newest ``limit`` deliveries, of one endpoint and in one status where given.

        Reads the endpoint's items, or the whole table: for people, not for functions.
        """
        found = (delivery for delivery in self.every(endpoint_id) if status is None or delivery.status is status)
        return heapq.nlargest(limit, found, key=lambda delivery: (delivery.created_at, delivery.event_id))

    def every(self, endpoint_id: str | None = None) -> Iterator[Delivery]:
        """All deliveries, of one endpoint where given, in no order that means anything."""
        if endpoint_id is None:
            for scanned in self._client.get_paginator("scan").paginate(TableName=self._table_name):
                yield from map(delivery_from_item, scanned["Items"])
            return
        for queried in self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression="endpoint_id = :endpoint",
            ExpressionAttributeValues={":endpoint": {"S": endpoint_id}},
        ):
            yield from map(delivery_from_item, queried["Items"])

    def _count(
        self, endpoint_id: str, most: int, when: str = "", values: Mapping[str, AttributeValueTypeDef] | None = None
    ) -> int:
        """How many wait, read only until ``most`` are counted: what a dead endpoint has waiting knows no bounds."""
        counted = 0
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=WAITING_INDEX,
            KeyConditionExpression=f"waiting_endpoint_id = :endpoint{when}",
            ExpressionAttributeValues={":endpoint": {"S": endpoint_id}, **(values or {})},
            Select="COUNT",
            PaginationConfig={"PageSize": most},
        ):
            counted += page["Count"]
            if counted >= most:
                return most
        return counted

    def _in_index(
        self, endpoint_id: str, limit: int, *, until: int | None, after: DueDelivery | None = None
    ) -> list[DueDelivery]:
        values: dict[str, AttributeValueTypeDef] = {":endpoint": {"S": endpoint_id}}
        condition = "waiting_endpoint_id = :endpoint"
        if until is not None:
            condition += " AND next_attempt_at <= :until"
            values[":until"] = {"N": str(until)}
        request: QueryInputTypeDef = {
            "TableName": self._table_name,
            "IndexName": WAITING_INDEX,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "Limit": limit,
        }
        if after is not None:
            # By place and not by time: many may be due in the same second, and the index is a moment behind.
            request["ExclusiveStartKey"] = {
                "waiting_endpoint_id": {"S": endpoint_id},
                "next_attempt_at": {"N": str(after.next_attempt_at)},
                **delivery_key(endpoint_id, after.event_id),
            }
        return [
            DueDelivery(item["endpoint_id"]["S"], item["event_id"]["S"], int(item["next_attempt_at"]["N"]))
            for item in self._client.query(**request)["Items"]
        ]


def delivery_key(endpoint_id: str, event_id: str) -> dict[str, AttributeValueTypeDef]:
    """Primary key of one delivery."""
    return {"endpoint_id": {"S": endpoint_id}, "event_id": {"S": event_id}}
