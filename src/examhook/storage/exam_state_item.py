"""How the state of an exam is written as a DynamoDB item, and read back. Absent facts have no attribute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.detection.exam_state import ExamState, RowOrder, ScanCursor
from examhook.model import AttemptKey, Exam, ExamTransition, Receipt
from examhook.storage.attributes import as_number, read_number
from examhook.storage.submission_item import UnreadableItemError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1
_EXAM = "exam"
_NUMBERS = (
    "row_count",
    "running_count",
    "running_depth",
    "digest",
    "scanned_at",
    "read_at",
    "changed_at",
    "failed_since",
    "sequence",
    "version",
    "fence",
)


def is_exam(item: Item) -> bool:
    """Whether an item of the Submissions table is about an exam; all others are about attempts."""
    return item.get("kind", {}).get("S") == _EXAM


def item_from_exam_state(state: ExamState) -> dict[str, AttributeValueTypeDef]:
    """Attributes of an exam's state, without its keys."""
    exam = state.exam
    numbers = {name: getattr(state, name) for name in _NUMBERS}
    return {
        "v": as_number(SCHEMA_VERSION),
        "kind": {"S": _EXAM},
        "account": {"S": state.account},
        "exam_id": {"S": exam.exam_id},
        "exam_title": {"S": exam.title},
        **_text("exam_url", exam.url),
        **_text("exam_category", exam.category),
        **_flag("available", exam.available),
        **({} if exam.attempt_count is None else {"attempt_count": as_number(exam.attempt_count)}),
        "predates_watch": {"BOOL": state.predates_watch},
        "row_order": {"S": state.row_order.value},
        **({"running": {"L": [{"S": _key_text(key)} for key in state.running]}} if state.running else {}),
        **({} if state.cursor is None else {"cursor": {"M": _item_from_cursor(state.cursor)}}),
        **({"skipped": {"M": {name: as_number(n) for name, n in state.skipped.items()}}} if state.skipped else {}),
        # A redrive finds by it whether any transition is recent enough.
        "observed_at": as_number(state.transitions[-1].observed_at if state.transitions else 0),
        "transitions": {"L": [{"M": _item_from_transition(each)} for each in state.transitions]},
        **{name: as_number(number) for name, number in numbers.items() if number is not None},
    }


def exam_state_from_item(item: Item) -> ExamState:
    """The state in an item; raises UnreadableItemError."""
    try:
        if (version := int(item["v"]["N"])) != SCHEMA_VERSION:
            raise UnreadableItemError(f"an exam's item has schema version {version}, wanted {SCHEMA_VERSION}")
        return ExamState(
            account=item["account"]["S"],
            exam=Exam(
                exam_id=item["exam_id"]["S"],
                title=item["exam_title"]["S"],
                available=_read_flag(item, "available"),
                attempt_count=read_number(item, "attempt_count"),
                url=item["exam_url"]["S"] if "exam_url" in item else None,
                category=item["exam_category"]["S"] if "exam_category" in item else None,
            ),
            # An item of an older version has no state of its own; its exam was there before.
            predates_watch=_read_flag(item, "predates_watch") is not False,
            row_order=RowOrder(item["row_order"]["S"]) if "row_order" in item else RowOrder.UNKNOWN,
            row_count=_count(item, "row_count"),
            running=tuple(_key(each["S"]) for each in item["running"]["L"]) if "running" in item else (),
            running_count=_count(item, "running_count"),
            running_depth=_count(item, "running_depth"),
            digest=read_number(item, "digest"),
            scanned_at=read_number(item, "scanned_at"),
            read_at=_count(item, "read_at"),
            changed_at=_count(item, "changed_at"),
            failed_since=read_number(item, "failed_since"),
            skipped={name: int(n["N"]) for name, n in item["skipped"]["M"].items()} if "skipped" in item else {},
            cursor=_cursor_from_item(item["cursor"]["M"]) if "cursor" in item else None,
            transitions=tuple(_transition_from_item(each["M"]) for each in item["transitions"]["L"]),
            sequence=int(item["sequence"]["N"]),
            version=int(item["version"]["N"]),
            fence=int(item["fence"]["N"]),
        )
    except KeyError as missing:
        raise UnreadableItemError(f"an exam's item lacks {missing} or holds it as another type") from missing


def legacy_state_from_item(account: str, exam_id: str, item: Item) -> ExamState:
    """The state that versions before 1.0 kept in the Exams table; raises KeyError, ValueError.

    What they were in the middle of is scanned again.
    """
    running = item["open_attempts"]["L"] if "open_attempts" in item else []
    passed_at = _count(item, "passed_at")
    return ExamState(
        account=account,
        exam=Exam(
            exam_id=exam_id,
            title=item["title"]["S"],
            available=item["available"]["BOOL"],
            attempt_count=read_number(item, "takings"),
            url=item["url"]["S"] if "url" in item else None,
            category=item["category"]["S"] if "category" in item else None,
        ),
        predates_watch=True,
        row_order=RowOrder(item["row_order"]["S"]) if "row_order" in item else RowOrder.UNKNOWN,
        row_count=_count(item, "rows"),
        running=tuple(_key(each["S"]) for each in running),
        running_count=_count(item, "open_count"),
        running_depth=_count(item, "open_depth"),
        digest=read_number(item, "digest"),
        scanned_at=passed_at or None,
        read_at=_count(item, "tried_at"),
        changed_at=_count(item, "changed_at"),
        failed_since=read_number(item, "rejected_since"),
    )


def _item_from_cursor(cursor: ScanCursor) -> dict[str, AttributeValueTypeDef]:
    item = {"start": as_number(cursor.start), "began_at": as_number(cursor.began_at)}
    return item if cursor.last is None else item | {"last": {"S": _key_text(cursor.last)}}


def _cursor_from_item(item: Item) -> ScanCursor:
    last = _key(item["last"]["S"]) if "last" in item else None
    return ScanCursor(int(item["start"]["N"]), last, int(item["began_at"]["N"]))


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


def _count(item: Item, name: str) -> int:
    return read_number(item, name) or 0


def _key_text(key: AttemptKey) -> str:
    return f"{key.started_at}#{key.candidate_id}"


def _key(text: str) -> AttemptKey:
    started_at, _, candidate_id = text.partition("#")
    return AttemptKey(int(started_at), candidate_id)


def _text(name: str, value: str | None) -> dict[str, AttributeValueTypeDef]:
    return {} if value is None else {name: {"S": value}}


def _flag(name: str, value: bool | None) -> dict[str, AttributeValueTypeDef]:  # noqa: FBT001 - a value
    return {} if value is None else {name: {"BOOL": value}}


def _read_flag(item: Item, name: str) -> bool | None:
    return item[name]["BOOL"] if name in item else None
