"""The Deliveries table: one item for each event and endpoint.

Every write after ``create`` is conditional on the item that was read, so late, duplicated or lost messages do no harm::

    create ──▶ pending ──claim──▶ pending ──record──▶ delivered | failed | cancelled
                  ▲                                │
                  └──────── postpone ◀── waiting ◀─┘

Each unfinished delivery has the attributes ``waiting_endpoint_id`` and ``next_attempt_at``, the keys of the sparse
index ``waiting``. The write that ends the delivery removes them.

Methods raise botocore's errors if DynamoDB fails; a retry helps.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.delivery.health_policy import MAX_COUNTED, BacklogSummary
from examhook.delivery.record import KEPT_ATTEMPTS, AttemptRecord, Delivery, DeliveryStatus, SendOutcome
from examhook.storage.item_codec import NUMBER, TEXT, VERSION, ItemCodec, list_of, member_of, nested
from examhook.storage.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from examhook.storage.item_codec import Attributes

_WAITING_INDEX = "waiting"
_STATUS = member_of(DeliveryStatus)
_ATTEMPT_RECORD_CODEC = ItemCodec(
    AttemptRecord,
    attempt=NUMBER,
    at=NUMBER,
    outcome=member_of(SendOutcome),
    reason=TEXT,
    http_status=NUMBER.optional(),
    latency_ms=NUMBER,
    answer_excerpt=TEXT,
    next_attempt_at=NUMBER.optional(),
)
ATTEMPT_LOG = list_of(nested(_ATTEMPT_RECORD_CODEC))
_DELIVERY_CODEC = ItemCodec(
    Delivery,
    endpoint_id=TEXT,
    event_id=TEXT,
    event_type=TEXT,
    created_at=NUMBER,
    expires_at=NUMBER,
    status=_STATUS,
    attempts=NUMBER,
    attempts_before=NUMBER.sparse(0),
    next_attempt_at=NUMBER.optional(),
    not_before=NUMBER.optional(),
    cancelled_reason=TEXT.optional(),
    attempt_log=ATTEMPT_LOG,
)
_OPEN = {":pending": _STATUS.value(DeliveryStatus.PENDING), ":waiting": _STATUS.value(DeliveryStatus.WAITING)}


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """An unfinished delivery as read from the index; the item may have changed since."""

    endpoint_id: str
    event_id: str
    next_attempt_at: int


_DUE_CODEC = ItemCodec(DueDelivery, endpoint_id=TEXT, event_id=TEXT, next_attempt_at=NUMBER)


class DeliveriesTable(Table):
    """Reads and conditional writes of deliveries."""

    def get(self, endpoint_id: str, event_id: str) -> Delivery | None:
        """Return one delivery, as last written."""
        item = self._get_item(delivery_key(endpoint_id, event_id))
        return None if item is None else _DELIVERY_CODEC.from_item(item)

    def due(self, endpoint_id: str, now: int, limit: int, after: DueDelivery | None = None) -> list[DueDelivery]:
        """Return up to ``limit`` deliveries of an endpoint that are due at ``now``, longest due first.

        The listing starts after ``after``. One response of DynamoDB contains them all, so ``limit`` must not exceed a
        few thousand.
        """
        return self._in_index(endpoint_id, limit, until=now, after=after)

    def waiting(self, endpoint_id: str, limit: int, after: DueDelivery | None = None) -> list[DueDelivery]:
        """Return up to ``limit`` unfinished deliveries of an endpoint, whether due or not.

        The listing starts after ``after``.
        """
        return self._in_index(endpoint_id, limit, until=None, after=after)

    def backlog_summary(self, endpoint_id: str) -> BacklogSummary:
        """Return the number of unfinished deliveries of an endpoint, up to MAX_COUNTED, and when the next is due."""
        first = self._in_index(endpoint_id, 1, until=None)
        return BacklogSummary(self._count(endpoint_id, MAX_COUNTED), first[0].next_attempt_at if first else None)

    def due_within(self, endpoint_id: str, begin: int, end: int, most: int) -> int:
        """Return the number of deliveries of an endpoint that are due from ``begin`` to ``end``, up to ``most``."""
        return self._count(
            endpoint_id,
            most,
            " AND next_attempt_at BETWEEN :begin AND :end",
            {":begin": NUMBER.value(begin), ":end": NUMBER.value(end)},
        )

    def list_for(
        self, endpoint_id: str | None = None, status: DeliveryStatus | None = None, limit: int = 100
    ) -> list[Delivery]:
        """Return the newest ``limit`` deliveries, optionally of one endpoint or with one status.

        For operators, not for functions: it reads all items of the endpoint, or the whole table.
        """
        found = (delivery for delivery in self.every(endpoint_id) if status is None or delivery.status is status)
        return heapq.nlargest(limit, found, key=lambda delivery: (delivery.created_at, delivery.event_id))

    def every(self, endpoint_id: str | None = None) -> Iterator[Delivery]:
        """Yield all deliveries, optionally of one endpoint, in no particular order."""
        if endpoint_id is None:
            for scanned in self._client.get_paginator("scan").paginate(TableName=self._table_name):
                yield from map(_DELIVERY_CODEC.from_item, scanned["Items"])
            return
        values = {":endpoint": TEXT.value(endpoint_id)}
        yield from map(_DELIVERY_CODEC.from_item, self._query_items("endpoint_id = :endpoint", values))

    def create(self, delivery: Delivery) -> bool:
        """Store a new delivery; return False if the endpoint already has a delivery of this event."""
        return self._put_item(_item_from_delivery(delivery), "attribute_not_exists(event_id)")

    def claim(self, endpoint_id: str, event_id: str, attempt: int, until: int) -> Delivery | None:
        """Claim an attempt; return None if another process claimed it, or if the delivery has ended or was deleted.

        If no outcome is recorded, the delivery is due again at ``until`` (Unix seconds).
        """
        return self._update(
            endpoint_id,
            event_id,
            update="SET attempts = :attempt, #status = :pending, next_attempt_at = :until",
            condition="attempts = :before AND #status IN (:pending, :waiting)",
            values={
                ":attempt": NUMBER.value(attempt),
                ":before": NUMBER.value(attempt - 1),
                ":until": NUMBER.value(until),
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
        """Record the outcome of a claimed attempt; return False if the claim expired and another attempt followed.

        ``record.next_attempt_at`` is the time of the next attempt if ``status`` is WAITING. None ends the delivery.
        """
        values: Attributes = {
            ":attempt": NUMBER.value(claimed.attempts),
            ":status": _STATUS.value(status),
            ":log": ATTEMPT_LOG.value((*claimed.attempt_log, record)[-KEPT_ATTEMPTS:]),
        }
        update = "SET #status = :status, attempt_log = :log"
        removed = ["not_before"] if not_before is None else []
        if record.next_attempt_at is None:
            removed += ["next_attempt_at", "waiting_endpoint_id"]
        else:
            update += ", next_attempt_at = :next"
            values[":next"] = NUMBER.value(record.next_attempt_at)
        if not_before is not None:
            update += ", not_before = :not_before"
            values[":not_before"] = NUMBER.value(not_before)
        if removed:
            update += " REMOVE " + ", ".join(removed)
        key = claimed.endpoint_id, claimed.event_id
        return self._update(*key, update=update, condition="attempts = :attempt", values=values) is not None

    def cancel(self, endpoint_id: str, event_id: str, reason: str) -> bool:
        """Cancel a delivery whose event or endpoint is gone; return False if it has already ended or was deleted."""
        ended = self._update(
            endpoint_id,
            event_id,
            update="SET #status = :cancelled, cancelled_reason = :reason REMOVE next_attempt_at, waiting_endpoint_id",
            condition="#status IN (:pending, :waiting)",
            values={
                ":cancelled": _STATUS.value(DeliveryStatus.CANCELLED),
                ":reason": TEXT.value(reason),
                **_OPEN,
            },
        )
        return ended is not None

    def hold(self, endpoint_id: str, event_id: str, attempt: int) -> bool:
        """Let a delivery wait for its endpoint before ``attempt``; return False if the attempt is no longer due.

        The delivery is due immediately, before all deliveries that were created after it.
        """
        held = self._update(
            endpoint_id,
            event_id,
            update="SET #status = :waiting, next_attempt_at = created_at",
            condition="attempts = :before AND #status IN (:pending, :waiting)",
            values={":before": NUMBER.value(attempt - 1), **_OPEN},
        )
        return held is not None

    def restart(self, seen: Delivery, status: DeliveryStatus, next_attempt_at: int, expires_at: int) -> Delivery | None:
        """Restart the schedule of a delivery with any status; the new ``status`` is PENDING or WAITING.

        The log stays. Returns None, and writes nothing, if the delivery changed since ``seen`` was read.
        """
        return self._update(
            seen.endpoint_id,
            seen.event_id,
            update=(
                "SET #status = :status, next_attempt_at = :next, waiting_endpoint_id = :endpoint,"
                " attempts_before = attempts, expires_at = :expires REMOVE not_before, cancelled_reason"
            ),
            condition="attempts = :attempts AND #status = :seen",
            values={
                ":status": _STATUS.value(status),
                ":seen": _STATUS.value(seen.status),
                ":endpoint": TEXT.value(seen.endpoint_id),
                ":next": NUMBER.value(next_attempt_at),
                ":expires": NUMBER.value(max(expires_at, seen.expires_at)),
                ":attempts": NUMBER.value(seen.attempts),
            },
        )

    def postpone(self, due: DueDelivery, until: int) -> Delivery | None:
        """Claim a due delivery for the queue; it is due again at ``until``.

        Returns None if it changed since it was read.
        """
        return self._requeue(due, until, and_condition="", values={})

    def bring_forward(self, waiting: DueDelivery, now: int, until: int) -> Delivery | None:
        """Claim a delivery for the queue before it is due; it is due again at ``until``.

        Returns None if it changed since it was read, if an attempt runs, or if the receiver asked to wait.
        """
        return self._requeue(
            waiting,
            until,
            and_condition=" AND #status = :waiting AND (attribute_not_exists(not_before) OR not_before <= :now)",
            values={":now": NUMBER.value(now), ":waiting": _STATUS.value(DeliveryStatus.WAITING)},
        )

    def _requeue(self, seen: DueDelivery, until: int, *, and_condition: str, values: Attributes) -> Delivery | None:
        return self._update(
            seen.endpoint_id,
            seen.event_id,
            update="SET next_attempt_at = :until, #status = :pending",
            condition=f"next_attempt_at = :seen{and_condition}",
            values={
                **values,
                ":until": NUMBER.value(until),
                ":seen": NUMBER.value(seen.next_attempt_at),
                ":pending": _STATUS.value(DeliveryStatus.PENDING),
            },
        )

    def _update(
        self,
        endpoint_id: str,
        event_id: str,
        *,
        update: str,
        condition: str,
        values: Attributes,
    ) -> Delivery | None:
        """Return the delivery after a conditional update; None if the condition did not hold."""
        item = self._update_item(
            delivery_key(endpoint_id, event_id),
            update,
            condition,
            values,
            names={"#status": "status"},
            returned="ALL_NEW",
        )
        return None if item is None else _DELIVERY_CODEC.from_item(item)

    def _count(self, endpoint_id: str, most: int, when: str = "", values: Attributes | None = None) -> int:
        """Return the number of unfinished deliveries, up to ``most``: an endpoint that is down may have very many."""
        counted = 0
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=_WAITING_INDEX,
            KeyConditionExpression=f"waiting_endpoint_id = :endpoint{when}",
            ExpressionAttributeValues={":endpoint": TEXT.value(endpoint_id), **(values or {})},
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
        values: Attributes = {":endpoint": TEXT.value(endpoint_id)}
        condition = "waiting_endpoint_id = :endpoint"
        if until is not None:
            condition += " AND next_attempt_at <= :until"
            values[":until"] = NUMBER.value(until)
        request: QueryInputTypeDef = {
            "TableName": self._table_name,
            "IndexName": _WAITING_INDEX,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "Limit": limit,
        }
        if after is not None:
            # Continue by key, not by time, because many deliveries may be due in the same second.
            request["ExclusiveStartKey"] = {
                "waiting_endpoint_id": TEXT.value(endpoint_id),
                "next_attempt_at": NUMBER.value(after.next_attempt_at),
                **delivery_key(endpoint_id, after.event_id),
            }
        return [_DUE_CODEC.from_item(item) for item in self._client.query(**request)["Items"]]


def delivery_key(endpoint_id: str, event_id: str) -> Attributes:
    """Return the primary key of one delivery."""
    return {"endpoint_id": TEXT.value(endpoint_id), "event_id": TEXT.value(event_id)}


def _item_from_delivery(delivery: Delivery) -> Attributes:
    item = {"v": VERSION, **_DELIVERY_CODEC.to_item(delivery)}
    if delivery.next_attempt_at is not None:
        item["waiting_endpoint_id"] = TEXT.value(delivery.endpoint_id)
    return item
