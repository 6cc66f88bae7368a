"""Reading all submissions and exams that were seen since a time, page by page, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.detection.exam_state import ExamState
from examhook.model import Submission
from examhook.storage.exam_state_item import exam_state_from_item, is_exam
from examhook.storage.submission_item import UnreadableItemError, submission_from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, ScanInputTypeDef

_PAGE_ITEMS = 250
"""So few that what a page becomes in memory is little beside the function itself."""
_KEY = ("pk", "sk")
_WITH_EVENTS = "(observed_at >= :since OR recalled_at >= :since) AND #sequence > :none"


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """Some of the table."""

    submissions: tuple[Submission, ...]
    exams: tuple[ExamState, ...]
    unreadable: int
    """Items that hold neither a submission nor an exam that this version can read."""
    read: int
    """Items that were looked at."""
    next_place: Mapping[str, str] | None
    """Where the next page begins (``pk``, ``sk``); None after the last."""


class SubmissionScan:
    """Looks through the whole table: for repairs, not for every minute."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def announced_since(
        self, since: int, place: Mapping[str, str] | None = None, until: Mapping[str, str] | None = None
    ) -> Iterator[ScannedPage]:
        """Submissions and exams with events, seen or recalled at ``since`` or later (Unix seconds), from ``place`` on.

        The item ``until`` is the last, and comes although nothing of it may be that new. If it is gone by now, it goes
        on to the table's end.

        Raises botocore's errors; going on from the last page's ``next_place`` repeats nothing.
        """
        while True:
            page = self._page(since, place, until)
            yield page
            place = page.next_place
            if place is None:
                return

    def _page(self, since: int, place: Mapping[str, str] | None, until: Mapping[str, str] | None) -> ScannedPage:
        values: dict[str, AttributeValueTypeDef] = {":since": {"N": str(since)}, ":none": {"N": "0"}}
        request: ScanInputTypeDef = {
            "TableName": self._table_name,
            "ConsistentRead": True,
            "FilterExpression": _WITH_EVENTS,
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": values,
            "Limit": _PAGE_ITEMS,
        }
        if place is not None:
            request["ExclusiveStartKey"] = {name: {"S": place[name]} for name in _KEY}
        if until is not None:
            # Its key has no order that could be compared, so it has to be met.
            request["FilterExpression"] = f"({_WITH_EVENTS}) OR (pk = :pk AND sk = :sk)"
            values |= {f":{name}": {"S": until[name]} for name in _KEY}
        answer = self._client.scan(**request)
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
            except (UnreadableItemError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
                # Counted below; one item must not keep the others from being repaired.
                continue
        return ScannedPage(
            tuple(submissions),
            tuple(exams),
            unreadable=len(items) - len(submissions) - len(exams),
            read=answer["ScannedCount"],
            next_place=None if last is None else _key_of(last),
        )


def _key_of(item: Mapping[str, AttributeValueTypeDef]) -> dict[str, str]:
    return {name: item[name]["S"] for name in _KEY}
