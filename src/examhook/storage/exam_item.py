"""How the watch on an exam is written as a DynamoDB item, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.detection.watch import ExamWatch
from examhook.model import Exam

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_VERSION = 1


def item_from_exam_watch(watch: ExamWatch, fence: int) -> dict[str, AttributeValueTypeDef]:
    """Attributes of an exam's watch, without its keys."""
    exam = watch.exam
    item: dict[str, AttributeValueTypeDef] = {
        "v": _number(SCHEMA_VERSION),
        "title": {"S": exam.title},
        "available": {"BOOL": exam.available},
        "rows": _number(watch.rows),
        "open_attempts": _number(watch.open_attempts),
        "passed_at": _number(watch.passed_at),
        "tried_at": _number(watch.tried_at),
        "fence": _number(fence),
    }
    for name, text in (("url", exam.url), ("category", exam.category)):
        if text is not None:
            item[name] = {"S": text}
    for name, number in (("takings", exam.takings), ("unreconciled_since", watch.unreconciled_since)):
        if number is not None:
            item[name] = _number(number)
    return item


def exam_watch_from_item(exam_id: str, item: Mapping[str, AttributeValueTypeDef]) -> ExamWatch:
    """The watch on exam ``exam_id`` in an item."""
    return ExamWatch(
        exam=Exam(
            exam_id=exam_id,
            title=item["title"]["S"],
            available=item["available"]["BOOL"],
            takings=int(item["takings"]["N"]) if "takings" in item else None,
            url=item["url"]["S"] if "url" in item else None,
            category=item["category"]["S"] if "category" in item else None,
        ),
        rows=int(item["rows"]["N"]),
        open_attempts=int(item["open_attempts"]["N"]),
        passed_at=int(item["passed_at"]["N"]),
        tried_at=int(item["tried_at"]["N"]),
        unreconciled_since=int(item["unreconciled_since"]["N"]) if "unreconciled_since" in item else None,
    )


def _number(value: int) -> AttributeValueTypeDef:
    return {"N": str(value)}
