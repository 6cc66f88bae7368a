"""The Submissions table as an outbox: finds the events that its stream records announce, and those for a redrive.

::

    UnreadableRecordError    a stream record does not have the format of this version; a retry does not help
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypedDict

from examhook.detection.exam_state import ExamState
from examhook.model import ExamTransition, Submission, Transition
from examhook.storage.item_codec import NUMBER, TEXT
from examhook.storage.submissions import exam_state_from_item, is_exam, submission_from_item
from examhook.storage.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef

    from examhook.storage.item_codec import Attributes, Item

_SCAN_PAGE_ITEMS = 250
"""Items per page; few enough to need little memory."""
_KEY_NAMES = ("pk", "sk")
_WITH_EVENTS = "(observed_at >= :since OR recalled_at >= :since) AND #sequence > :none"
_UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""Errors of reading an item that no version wrote. UnreadableItemError is a ValueError."""


class StreamedWrite(TypedDict):
    """One write of a stream whose view type is NEW_AND_OLD_IMAGES."""

    SequenceNumber: str
    Keys: NotRequired[Item]
    NewImage: NotRequired[Item]
    OldImage: NotRequired[Item]


class StreamRecord(TypedDict):
    """One record of a batch, with the fields that Examhook reads; ``eventName`` is INSERT, MODIFY or REMOVE."""

    eventName: str
    dynamodb: StreamedWrite


class UnreadableRecordError(ValueError):
    """A stream record contains no readable submission and no readable exam."""


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A submission after one write, and what the write announced."""

    submission: Submission
    announced: tuple[Transition, ...]
    """The transitions that the write added or announces again, oldest first; empty if it announced nothing."""


@dataclass(frozen=True, slots=True)
class StoredExamChange:
    """An exam state after one write, and what the write announced."""

    state: ExamState
    announced: tuple[ExamTransition, ...]


def stored_change(record: StreamRecord) -> StoredChange | StoredExamChange | None:
    """Return the change in ``record``, None for a removal; raises UnreadableRecordError."""
    if record["eventName"] == "REMOVE":
        return None
    try:
        image = record["dynamodb"]["NewImage"]
        before = _sequence(record["dynamodb"].get("OldImage"))
        if is_exam(image):
            state = exam_state_from_item(image)
            return StoredExamChange(state, tuple(each for each in state.transitions if each.sequence > before))
        submission = submission_from_item(image)
        again = {int(each["N"]) for each in image["again"]["L"]} if "again" in image else set()
    except _UNREADABLE as error:
        # The cause contains names of attributes, but no values.
        raise UnreadableRecordError(
            f"the stream record {record['dynamodb']['SequenceNumber']} contains no readable submission or exam"
        ) from error
    announced = (each for each in submission.transitions if each.sequence > before or each.sequence in again)
    return StoredChange(submission, tuple(announced))


def record_key(record: StreamRecord) -> str:
    """Return the key of the record's submission or exam, even if it is unreadable."""
    keys = record["dynamodb"].get("Keys", {})
    parts = [f"{name}={value.get('S', '')}" for name, value in sorted(keys.items())]
    return "\n".join(parts) or record["dynamodb"]["SequenceNumber"]


def _sequence(image: Item | None) -> int:
    """Return the sequence of the newest transition in an image; 0 if there is none."""
    return int(image["sequence"]["N"]) if image else 0


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of the table."""

    submissions: tuple[Submission, ...]
    exams: tuple[ExamState, ...]
    unreadable: int
    """Number of items that this version cannot read."""
    read: int
    """Number of items that DynamoDB read, including those that the filter excluded."""
    next_place: Mapping[str, str] | None
    """Key after which the next page begins (``pk``, ``sk``); None for the last page."""


class SubmissionScan(Table):
    """Reads the whole table; for repairs, not for functions that run every minute."""

    def announced_since(
        self, since: int, place: Mapping[str, str] | None = None, until: Mapping[str, str] | None = None
    ) -> Iterator[ScannedPage]:
        """Yield submissions and exams with events that were observed or announced again since ``since`` (Unix seconds).

        The scan begins after the key ``place``. It ends with the item ``until``, which it always includes, or at the
        end of the table if that item no longer exists.

        Raises botocore's errors. Continue from the last page's ``next_place``; nothing is repeated.
        """
        while True:
            page = self._page(since, place, until)
            yield page
            place = page.next_place
            if place is None:
                return

    def _page(self, since: int, place: Mapping[str, str] | None, until: Mapping[str, str] | None) -> ScannedPage:
        answer = self._client.scan(**self._request(since, place, until))
        items, last = answer["Items"], answer.get("LastEvaluatedKey")
        ends = [number for number, item in enumerate(items, 1) if _key_of(item) == until]
        if ends:
            items, last = items[: ends[0]], None
        submissions: list[Submission] = []
        exams: list[ExamState] = []
        for item in items:
            try:
                if is_exam(item):
                    exams.append(exam_state_from_item(item))
                else:
                    submissions.append(submission_from_item(item))
            except _UNREADABLE:
                # Counted below. One unreadable item must not prevent the repair of the others.
                continue
        return ScannedPage(
            tuple(submissions),
            tuple(exams),
            unreadable=len(items) - len(submissions) - len(exams),
            read=answer["ScannedCount"],
            next_place=None if last is None else _key_of(last),
        )

    def _request(
        self, since: int, place: Mapping[str, str] | None, until: Mapping[str, str] | None
    ) -> ScanInputTypeDef:
        values: Attributes = {":since": NUMBER.value(since), ":none": NUMBER.value(0)}
        request: ScanInputTypeDef = {
            "TableName": self._table_name,
            "ConsistentRead": True,
            "FilterExpression": _WITH_EVENTS,
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": values,
            "Limit": _SCAN_PAGE_ITEMS,
        }
        if place is not None:
            request["ExclusiveStartKey"] = {name: TEXT.value(place[name]) for name in _KEY_NAMES}
        if until is not None:
            # A scan has no order of keys, so it must return the end item itself.
            request["FilterExpression"] = f"({_WITH_EVENTS}) OR (pk = :pk AND sk = :sk)"
            values |= {f":{name}": TEXT.value(until[name]) for name in _KEY_NAMES}
        return request


def _key_of(item: Item) -> dict[str, str]:
    return {name: item[name]["S"] for name in _KEY_NAMES}
