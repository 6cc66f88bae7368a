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

from typing import TYPE_CHECKING

from examhook.delivery.record import KEPT_ATTEMPTS, AttemptRecord, Delivery, DeliveryStatus
from examhook.storage.conditional import if_it_holds
from examhook.storage.delivery_item import attempt_log_value, delivery_from_item, item_from_delivery
from examhook.storage.delivery_reads import DeliveryReads, DueDelivery, delivery_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_OPEN: dict[str, AttributeValueTypeDef] = {
    ":pending": {"S": DeliveryStatus.PENDING.value},
    ":waiting": {"S": DeliveryStatus.WAITING.value},
}


class DeliveriesTable(DeliveryReads):
    """Reads and conditional writes of deliveries."""

    def create(self, delivery: Delivery) -> bool:
        """Store a new delivery; False, and nothing written, if there is one of this event for this endpoint."""
        written = if_it_holds(
            self._client.put_item,
            TableName=self._table_name,
            Item=item_from_delivery(delivery),
            ConditionExpression="attribute_not_exists(event_id)",
        )
        return written is not None

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

    def cancel(self, endpoint_id: str, event_id: str, reason: str) -> bool:
        """End a delivery that has nothing or nowhere to go, and say why; False if it has ended already or is gone."""
        ended = self._update(
            endpoint_id,
            event_id,
            update="SET #status = :cancelled, cancelled_reason = :reason REMOVE next_attempt_at, waiting_endpoint_id",
            condition="#status IN (:pending, :waiting)",
            values={
                ":cancelled": {"S": DeliveryStatus.CANCELLED.value},
                ":reason": {"S": reason},
                **_OPEN,
            },
        )
        return ended is not None

    def hold(self, endpoint_id: str, event_id: str, attempt: int) -> bool:
        """Let an attempt that has not begun wait until its endpoint is served again; False if it is not to be made.

        It is due at once, before all that was created after it.
        """
        held = self._update(
            endpoint_id,
            event_id,
            update="SET #status = :waiting, next_attempt_at = created_at",
            condition="attempts = :before AND #status IN (:pending, :waiting)",
            values={":before": {"N": str(attempt - 1)}, **_OPEN},
        )
        return held is not None

    def restart(self, seen: Delivery, status: DeliveryStatus, next_attempt_at: int, expires_at: int) -> Delivery | None:
        """Begin the schedule of a delivery anew, whatever became of it, as ``status`` (PENDING or WAITING).

        Nothing of its log is lost. None, and nothing written, if it moved on since ``seen`` was read.
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
                ":status": {"S": status.value},
                ":seen": {"S": seen.status.value},
                ":endpoint": {"S": seen.endpoint_id},
                ":next": {"N": str(next_attempt_at)},
                ":expires": {"N": str(max(expires_at, seen.expires_at))},
                ":attempts": {"N": str(seen.attempts)},
            },
        )

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
        answer = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=delivery_key(endpoint_id, event_id),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        return None if answer is None else delivery_from_item(answer["Attributes"])
