"""How an exam's history is written as a DynamoDB item, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.model import ExamHistory, ExamTransition, Receipt
from examhook.storage.attributes import as_number
from examhook.storage.submission_item import UnreadableItemError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1
_EXAM = "exam"


def is_exam_history(item: Item) -> bool:
    """Whether an item of the Submissions table is about an exam; all others are about attempts."""
    return item.get("kind", {}).get("S") == _EXAM


def item_from_exam_history(history: ExamHistory) -> dict[str, AttributeValueTypeDef]:
    """Attributes of an exam's history, without its keys; absent facts have no attribute."""
    return {
        "v": as_number(SCHEMA_VERSION),
        "kind": {"S": _EXAM},
        "account": {"S": history.account},
        "exam_id": {"S": history.exam_id},
        "exam_title": {"S": history.title},
        **_text("exam_url", history.url),
        **_text("exam_category", history.category),
        **_flag("available", history.available),
        "observed_at": as_number(history.observed_at),
        "transitions": {"L": [{"M": _item_from_transition(each)} for each in history.transitions]},
        "sequence": as_number(history.sequence),
        "version": as_number(history.version),
        "fence": as_number(history.fence),
    }


def exam_history_from_item(item: Item) -> ExamHistory:
    """The history in an item; raises UnreadableItemError."""
    try:
        if (version := int(item["v"]["N"])) != SCHEMA_VERSION:
            raise UnreadableItemError(f"an exam's item has schema version {version}, wanted {SCHEMA_VERSION}")
        return ExamHistory(
            account=item["account"]["S"],
            exam_id=item["exam_id"]["S"],
            title=item["exam_title"]["S"],
            url=item["exam_url"]["S"] if "exam_url" in item else None,
            category=item["exam_category"]["S"] if "exam_category" in item else None,
            available=_read_flag(item, "available"),
            observed_at=int(item["observed_at"]["N"]),
            transitions=tuple(_transition_from_item(each["M"]) for each in item["transitions"]["L"]),
            sequence=int(item["sequence"]["N"]),
            version=int(item["version"]["N"]),
            fence=int(item["fence"]["N"]),
        )
    except KeyError as missing:
        raise UnreadableItemError(f"an exam's item lacks {missing} or holds it as another type") from missing


def _item_from_transition(transition: ExamTransition) -> dict[str, AttributeValueTypeDef]:
    return {
        "event_id": {"S": transition.event_id},
        "event_type": {"S": transition.event_type},
        "sequence": as_number(transition.sequence),
        **_text("previous_id", transition.previous_id),
        "observed_at": as_number(transition.observed_at),
        **_flag("available", transition.available),
        **_flag("previously_available", transition.previously_available),
        **({} if transition.receipt is None else {"receipt": {"M": _item_from_receipt(transition.receipt)}}),
    }


def _transition_from_item(item: Item) -> ExamTransition:
    return ExamTransition(
        event_id=item["event_id"]["S"],
        event_type=item["event_type"]["S"],
        sequence=int(item["sequence"]["N"]),
        previous_id=item["previous_id"]["S"] if "previous_id" in item else None,
        observed_at=int(item["observed_at"]["N"]),
        available=_read_flag(item, "available"),
        previously_available=_read_flag(item, "previously_available"),
        receipt=_receipt_from_item(item["receipt"]["M"]) if "receipt" in item else None,
    )


def _item_from_receipt(receipt: Receipt) -> dict[str, AttributeValueTypeDef]:
    counts = {str(status_code): as_number(count) for status_code, count in sorted(receipt.status_counts.items())}
    return {
        "watermark": as_number(receipt.watermark),
        "status_counts": {"M": counts},
        "digest": {"S": receipt.digest},
    }


def _receipt_from_item(item: Item) -> Receipt:
    return Receipt(
        watermark=int(item["watermark"]["N"]),
        status_counts={int(code): int(count["N"]) for code, count in item["status_counts"]["M"].items()},
        digest=item["digest"]["S"],
    )


def _text(name: str, value: str | None) -> dict[str, AttributeValueTypeDef]:
    return {} if value is None else {name: {"S": value}}


def _flag(name: str, value: bool | None) -> dict[str, AttributeValueTypeDef]:  # noqa: FBT001 - a value
    return {} if value is None else {name: {"BOOL": value}}


def _read_flag(item: Item, name: str) -> bool | None:
    return item[name]["BOOL"] if name in item else None
