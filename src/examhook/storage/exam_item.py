"""How the watch on an exam is written as a DynamoDB item, and read back.

Attributes without a value are left out. Attempts are written as text, ``{started_at}#{candidate_id}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from examhook.detection.watch import ExamWatch, PassProgress, RowOrder, Told
from examhook.model import AttemptKey, Exam
from examhook.storage.attributes import read_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1

_WATCH_NUMBERS = (
    "rows",
    "open_count",
    "open_depth",
    "digest",
    "compared_at",
    "passed_at",
    "tried_at",
    "failed_at",
    "rejected_since",
    "changed_at",
    "unreconciled_since",
    "empty_since",
)
_TOLD_NUMBERS = ("ahead", "ahead_since")
_PROGRESS_NUMBERS = (
    "start",
    "began_at",
    "rows",
    "digest",
    "appeared",
    "ended",
    "newest_at",
    "inserted",
    "late",
    "erased",
)

_PROGRESS_FLAGS = ("rising", "falling")


def item_from_exam_watch(watch: ExamWatch, fence: int) -> dict[str, AttributeValueTypeDef]:
    """Attributes of an exam's watch, without its keys."""
    exam = watch.exam
    item: dict[str, AttributeValueTypeDef] = {
        "v": {"N": str(SCHEMA_VERSION)},
        "title": {"S": exam.title},
        "available": {"BOOL": exam.available},
        "row_order": {"S": watch.order.value},
        "fence": {"N": str(fence)},
        **_numbers(watch, _WATCH_NUMBERS),
    }
    for name, text in (("url", exam.url), ("category", exam.category)):
        if text is not None:
            item[name] = {"S": text}
    if exam.attempt_count is not None:
        item["takings"] = {"N": str(exam.attempt_count)}
    if watch.open_attempts:
        item["open_attempts"] = _keys(watch.open_attempts)
    item |= {name: _told(told) for name, told in (("starts", watch.starts), ("ends", watch.ends)) if told != Told()}
    if watch.progress is not None:
        item["progress"] = {"M": _item_from_progress(watch.progress)}
    return item


def exam_watch_from_item(exam_id: str, item: Item) -> ExamWatch:
    """The watch on exam ``exam_id`` in an item."""
    return ExamWatch(
        exam=Exam(
            exam_id=exam_id,
            title=item["title"]["S"],
            available=item["available"]["BOOL"],
            attempt_count=read_number(item, "takings"),
            url=item["url"]["S"] if "url" in item else None,
            category=item["category"]["S"] if "category" in item else None,
        ),
        rows=_count(item, "rows"),
        open_count=_count(item, "open_count"),
        open_attempts=_read_keys(item),
        open_depth=_count(item, "open_depth"),
        order=RowOrder(item["row_order"]["S"]),
        digest=read_number(item, "digest"),
        compared_at=_count(item, "compared_at"),
        passed_at=_count(item, "passed_at"),
        tried_at=_count(item, "tried_at"),
        failed_at=read_number(item, "failed_at"),
        rejected_since=read_number(item, "rejected_since"),
        changed_at=_count(item, "changed_at"),
        starts=_read_told(item, "starts"),
        ends=_read_told(item, "ends"),
        unreconciled_since=read_number(item, "unreconciled_since"),
        empty_since=read_number(item, "empty_since"),
        progress=_progress_from_item(item["progress"]["M"]) if "progress" in item else None,
    )


def _item_from_progress(progress: PassProgress) -> dict[str, AttributeValueTypeDef]:
    item = _numbers(progress, _PROGRESS_NUMBERS)
    if progress.last is not None:
        item["last"] = {"S": _key_text(progress.last)}
    if progress.open_attempts:
        item["open_attempts"] = _keys(progress.open_attempts)
        item["open_places"] = {"L": [{"N": str(place)} for place in progress.open_places]}
    item |= {name: {"BOOL": getattr(progress, name)} for name in _PROGRESS_FLAGS}
    return item


def _progress_from_item(item: Item) -> PassProgress:
    return PassProgress(
        start=_count(item, "start"),
        last=_key(item["last"]["S"]) if "last" in item else None,
        began_at=_count(item, "began_at"),
        rows=_count(item, "rows"),
        digest=_count(item, "digest"),
        appeared=_count(item, "appeared"),
        ended=_count(item, "ended"),
        newest_at=_count(item, "newest_at"),
        open_attempts=_read_keys(item),
        # A pass that an older version began says nothing of these.
        open_places=tuple(int(place["N"]) for place in item["open_places"]["L"]) if "open_places" in item else (),
        inserted=_count(item, "inserted"),
        late=_count(item, "late"),
        erased=_count(item, "erased"),
        **{name: item[name]["BOOL"] for name in _PROGRESS_FLAGS if name in item},
    )


def _told(told: Told) -> AttributeValueTypeDef:
    return {"M": {**_numbers(told, _TOLD_NUMBERS), **({"refuted": {"BOOL": True}} if told.refuted else {})}}


def _read_told(item: Item, name: str) -> Told:
    found = item[name]["M"] if name in item else {}
    return Told(_count(found, "ahead"), read_number(found, "ahead_since"), refuted="refuted" in found)


def _numbers(value: ExamWatch | PassProgress | Told, names: Iterable[str]) -> dict[str, AttributeValueTypeDef]:
    found = {name: getattr(value, name) for name in names}
    return {name: {"N": str(number)} for name, number in found.items() if number is not None}


def _count(item: Item, name: str) -> int:
    return read_number(item, name) or 0


def _keys(keys: Iterable[AttemptKey]) -> AttributeValueTypeDef:
    return {"L": [{"S": _key_text(key)} for key in keys]}


def _read_keys(item: Item) -> tuple[AttemptKey, ...]:
    return tuple(_key(each["S"]) for each in item["open_attempts"]["L"]) if "open_attempts" in item else ()


def _key_text(key: AttemptKey) -> str:
    return f"{key.started_at}#{key.candidate_id}"


def _key(text: str) -> AttemptKey:
    started_at, _, candidate_id = text.partition("#")
    return AttemptKey(int(started_at), candidate_id)
