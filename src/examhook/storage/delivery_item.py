"""How a delivery is written as a DynamoDB item, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.delivery.record import AttemptRecord, Delivery, DeliveryStatus, SendOutcome
from examhook.storage.attributes import as_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1


def item_from_delivery(delivery: Delivery) -> dict[str, AttributeValueTypeDef]:
    """Every attribute of a delivery, keys included."""
    item: dict[str, AttributeValueTypeDef] = {
        "endpoint_id": {"S": delivery.endpoint_id},
        "event_id": {"S": delivery.event_id},
        "v": as_number(SCHEMA_VERSION),
        "event_type": {"S": delivery.event_type},
        "created_at": as_number(delivery.created_at),
        "expires_at": as_number(delivery.expires_at),
        "status": {"S": delivery.status.value},
        "attempts": as_number(delivery.attempts),
        "attempt_log": attempt_log_value(delivery.attempt_log),
    }
    if delivery.next_attempt_at is not None:
        # Both attributes or neither: together they put the item into the index of what waits.
        item["waiting_endpoint_id"] = {"S": delivery.endpoint_id}
        item["next_attempt_at"] = as_number(delivery.next_attempt_at)
    if delivery.attempts_before:
        item["attempts_before"] = as_number(delivery.attempts_before)
    if delivery.not_before is not None:
        item["not_before"] = as_number(delivery.not_before)
    if delivery.cancelled_reason is not None:
        item["cancelled_reason"] = {"S": delivery.cancelled_reason}
    return item


def delivery_from_item(item: Item) -> Delivery:
    """The delivery in an item."""
    return Delivery(
        endpoint_id=item["endpoint_id"]["S"],
        event_id=item["event_id"]["S"],
        event_type=item["event_type"]["S"],
        created_at=int(item["created_at"]["N"]),
        expires_at=int(item["expires_at"]["N"]),
        status=DeliveryStatus(item["status"]["S"]),
        attempts=int(item["attempts"]["N"]),
        attempts_before=_optional_int(item, "attempts_before") or 0,
        next_attempt_at=_optional_int(item, "next_attempt_at"),
        not_before=_optional_int(item, "not_before"),
        cancelled_reason=item["cancelled_reason"]["S"] if "cancelled_reason" in item else None,
        attempt_log=tuple(_record_from_item(each["M"]) for each in item["attempt_log"]["L"]),
    )


def attempt_log_value(log: tuple[AttemptRecord, ...]) -> AttributeValueTypeDef:
    """A delivery's log as one attribute value."""
    return {"L": [{"M": _item_from_record(record)} for record in log]}


def _item_from_record(record: AttemptRecord) -> dict[str, AttributeValueTypeDef]:
    item: dict[str, AttributeValueTypeDef] = {
        "attempt": as_number(record.attempt),
        "at": as_number(record.at),
        "outcome": {"S": record.outcome.value},
        "reason": {"S": record.reason},
        "latency_ms": as_number(record.latency_ms),
        "answer_excerpt": {"S": record.answer_excerpt},
    }
    if record.http_status is not None:
        item["http_status"] = as_number(record.http_status)
    if record.next_attempt_at is not None:
        item["next_attempt_at"] = as_number(record.next_attempt_at)
    return item


def _record_from_item(item: Item) -> AttemptRecord:
    return AttemptRecord(
        attempt=int(item["attempt"]["N"]),
        at=int(item["at"]["N"]),
        outcome=SendOutcome(item["outcome"]["S"]),
        reason=item["reason"]["S"],
        http_status=_optional_int(item, "http_status"),
        latency_ms=int(item["latency_ms"]["N"]),
        answer_excerpt=item["answer_excerpt"]["S"],
        next_attempt_at=_optional_int(item, "next_attempt_at"),
    )


def _optional_int(item: Item, name: str) -> int | None:
    value = item.get(name)
    return None if value is None else int(value["N"])
