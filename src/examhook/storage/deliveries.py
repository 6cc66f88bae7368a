"""The Deliveries table: one item for each event on its way to each endpoint.

Every write after the first is conditional on what was read, so that a message that comes late,
twice or not at all changes nothing::

    create ──▶ pending ──claim──▶ pending ──record──▶ delivered | failed | cancelled
                  ▲                                │
                  └──────── postpone ◀── waiting ◀─┘

Every item that is still to be sent carries ``waiting_endpoint_id`` and ``next_attempt_at``, which
place it in the sparse index ``waiting``; the write that ends a delivery takes it out.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from examhook.delivery.record import KEPT_ATTEMPTS, AttemptRecord, Delivery, DeliveryStatus
from examhook.storage.delivery_item import attempt_log_value, delivery_from_item, item_from_delivery

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

WAITING_INDEX = "waiting"
_CONDITION_FAILED = "ConditionalCheckFailedException"
_OPEN: dict[str, AttributeValueTypeDef] = {
    ":pending": {"S": DeliveryStatus.PENDING.value},
    ":waiting": {"S": DeliveryStatus.WAITING.value},
}


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """What the index says of a delivery that waits; the item itself may have moved on."""

    endpoint_id: str
    event_id: str
    next_attempt_at: int


class DeliveriesTable:
    """Reads and conditional writes of deliveries."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def create(self, delivery: Delivery) -> bool:
        """Store a new delivery; False, and nothing written, if there is one of this event for this endpoint."""
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item=item_from_delivery(delivery),
                ConditionExpression="attribute_not_exists(event_id)",
            )
        except ClientError as error:
            if _is_condition_failure(error):
                return False
            raise
        return True

    def get(self, endpoint_id: str, event_id: str) -> Delivery | None:
        """One delivery, as last written."""
        key = _key(endpoint_id, event_id)
        answer = self._client.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else delivery_from_item(item)

    def claim(self, endpoint_id: str, event_id: str, attempt: int, until: int) -> Delivery | None:
        """Take attempt ``attempt`` for oneself; None if another has it, or the delivery has ended or is gone.

        Should the outcome never be recorded, the delivery is due again at ``until`` (Unix seconds).
        """
        return self._update(
            endpoint_id,
            event_id,
            update="SET attempts = :attempt, #status = :pending, next_attempt_at = :until",
            condition="attempts = :before AND #status IN (:pending, :waiting)",
            values={
                ":attempt": {"N": str(attempt)},
                ":before": {"N": str(attempt - 1)},
                ":until": {"N": str(until)},
                **_OPEN,
            },
        )

    def record(
        self,
        claimed: Delivery,
        record: AttemptRecord,
        status: DeliveryStatus,
        not_before: int | None = None,
    ) -> bool:
        """Write what came of a claimed attempt; False if the claim ran out and another attempt was made since.

        ``record.next_attempt_at`` says when the next attempt is due and goes with ``status`` WAITING;
        None ends the delivery.
        """
        values: dict[str, AttributeValueTypeDef] = {
            ":attempt": {"N": str(claimed.attempts)},
            ":status": {"S": status.value},
            ":log": attempt_log_value((*claimed.attempt_log, record)[-KEPT_ATTEMPTS:]),
        }
        update = "SET #status = :status, attempt_log = :log"
        removed = ["not_before"] if not_before is None else []
        if record.next_attempt_at is None:
            removed += ["next_attempt_at", "waiting_endpoint_id"]
        else:
            update += ", next_attempt_at = :next"
            values[":next"] = {"N": str(record.next_attempt_at)}
        if not_before is not None:
            update += ", not_before = :not_before"
            values[":not_before"] = {"N": str(not_before)}
        if removed:
            update += " REMOVE " + ", ".join(removed)
        key = claimed.endpoint_id, claimed.event_id
        return self._update(*key, update=update, condition="attempts = :attempt", values=values) is not None

    def cancel(self, endpoint_id: str, event_id: str) -> bool:
        """End a delivery that has nothing or nowhere to go; False if it has ended already or is gone."""
        ended = self._update(
            endpoint_id,
            event_id,
            update="SET #status = :cancelled REMOVE next_attempt_at, waiting_endpoint_id",
            condition="#status IN (:pending, :waiting)",
            values={":cancelled": {"S": DeliveryStatus.CANCELLED.value}, **_OPEN},
        )
        return ended is not None

    def due(self, endpoint_id: str, now: int, limit: int) -> list[DueDelivery]:
        """Up to ``limit`` deliveries of an endpoint that are due at ``now``, longest due first."""
        return self._in_index(endpoint_id, limit, until=now)

    def waiting(self, endpoint_id: str, limit: int) -> list[DueDelivery]:
        """Up to ``limit`` deliveries of an endpoint that are still to be sent, whenever they are due."""
        return self._in_index(endpoint_id, limit, until=None)

    def postpone(self, due: DueDelivery, until: int) -> Delivery | None:
        """Take a due delivery for the queue: due again at ``until``; None if it moved on since it was read."""
        return self._take(due, until, also="", values={})

    def bring_forward(self, waiting: DueDelivery, now: int, until: int) -> Delivery | None:
        """Like ``postpone``, before its time; None also if it is under way, or its receiver asked for more time."""
        return self._take(
            waiting,
            until,
            also=" AND #status = :waiting AND (attribute_not_exists(not_before) OR not_before <= :now)",
            values={":now": {"N": str(now)}, ":waiting": {"S": DeliveryStatus.WAITING.value}},
        )

    def _take(
        self, seen: DueDelivery, until: int, *, also: str, values: dict[str, AttributeValueTypeDef]
    ) -> Delivery | None:
        return self._update(
            seen.endpoint_id,
            seen.event_id,
            update="SET next_attempt_at = :until, #status = :pending",
            condition=f"next_attempt_at = :seen{also}",
            values={
                **values,
                ":until": {"N": str(until)},
                ":seen": {"N": str(seen.next_attempt_at)},
                ":pending": {"S": DeliveryStatus.PENDING.value},
            },
        )

    def list_for(
        self, endpoint_id: str | None = None, status: DeliveryStatus | None = None, limit: int = 100
    ) -> list[Delivery]:
        """The newest ``limit`` deliveries, of one endpoint and in one status where given.

        Reads the endpoint's items, or the whole table: for people, not for functions.
        """
        found = (delivery for delivery in self._all(endpoint_id) if status is None or delivery.status is status)
        return heapq.nlargest(limit, found, key=lambda delivery: (delivery.created_at, delivery.event_id))

    def _all(self, endpoint_id: str | None) -> Iterator[Delivery]:
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

    def _in_index(self, endpoint_id: str, limit: int, until: int | None) -> list[DueDelivery]:
        values: dict[str, AttributeValueTypeDef] = {":endpoint": {"S": endpoint_id}}
        condition = "waiting_endpoint_id = :endpoint"
        if until is not None:
            condition += " AND next_attempt_at <= :until"
            values[":until"] = {"N": str(until)}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=WAITING_INDEX,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            PaginationConfig={"MaxItems": limit},
        )
        return [
            DueDelivery(item["endpoint_id"]["S"], item["event_id"]["S"], int(item["next_attempt_at"]["N"]))
            for page in pages
            for item in page["Items"]
        ]

    def _update(
        self,
        endpoint_id: str,
        event_id: str,
        *,
        update: str,
        condition: str,
        values: dict[str, AttributeValueTypeDef],
    ) -> Delivery | None:
        """The delivery after a conditional update; None if the condition did not hold."""
        try:
            answer = self._client.update_item(
                TableName=self._table_name,
                Key=_key(endpoint_id, event_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if _is_condition_failure(error):
                return None
            raise
        return delivery_from_item(answer["Attributes"])


def _key(endpoint_id: str, event_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"endpoint_id": {"S": endpoint_id}, "event_id": {"S": event_id}}


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == _CONDITION_FAILED
