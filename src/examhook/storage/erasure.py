"""Finds and erases the data of one candidate in the tables; each search scans a whole table.

The item of an erased event keeps its id for a week and is marked as dispatched, so that an older stream record does
not create the event again. The id is a digest and contains no personal data. The item also keeps the candidate's keyed
hash, by which an interrupted erasure finds the ids again.

Methods raise botocore's errors if DynamoDB fails; a repeated erasure continues.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.delivery.record import OPEN_STATUSES
from examhook.events.identity import submission_event_id
from examhook.model import AttemptKey
from examhook.storage.deliveries import delivery_key
from examhook.storage.events import is_erased
from examhook.storage.item_codec import NUMBER, TEXT, VERSION
from examhook.storage.submissions import attempts_partition
from examhook.storage.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef

    from examhook.storage.item_codec import Item

_ERASED_ID_KEPT_S = 7 * 86_400
"""Longer than the stream keeps records (one day) and the delivery queue keeps messages (four days)."""


@dataclass(frozen=True, slots=True)
class CandidateSubmission:
    """One attempt of the candidate."""

    pk: str
    sk: str = field(repr=False)
    event_ids: frozenset[str]
    """All events of the attempt, including those that were not announced."""


@dataclass(frozen=True, slots=True)
class CandidateDelivery:
    """One event of the candidate for one endpoint."""

    endpoint_id: str
    event_id: str
    is_waiting: bool
    """Whether another attempt was due."""
    attempts: int
    """Number of attempts in its log."""


class _ScannedTable(Table):
    """A table whose searches read every item; too slow for functions that run every minute."""

    def size(self) -> int:
        """Return the approximate number of items; DynamoDB updates it every few hours."""
        return self._client.describe_table(TableName=self._table_name)["Table"]["ItemCount"]

    def _pages(
        self, filter_expression: str | None = None, values: dict[str, str] | None = None
    ) -> Iterator[tuple[list[Item], int]]:
        """Yield the items of each page that the filter selects, and the number of items read."""
        request: ScanInputTypeDef = {"TableName": self._table_name, "ConsistentRead": True}
        if filter_expression is not None:
            request["FilterExpression"] = filter_expression
            request["ExpressionAttributeValues"] = {name: TEXT.value(text) for name, text in (values or {}).items()}
        while True:
            answer = self._client.scan(**request)
            yield list(answer["Items"]), answer["ScannedCount"]
            last = answer.get("LastEvaluatedKey")
            if not last:
                return
            request["ExclusiveStartKey"] = last


class CandidateSubmissions(_ScannedTable):
    """The Submissions table."""

    def find(self, account: str, candidate_id: str) -> Iterator[tuple[list[CandidateSubmission], int]]:
        """Yield the candidate's submissions on each page, and the number of items read."""
        pages = self._pages(
            "account = :account AND candidate_id = :candidate", {":account": account, ":candidate": candidate_id}
        )
        for items, scanned in pages:
            yield [_candidate_submission(account, candidate_id, item) for item in items], scanned

    def delete(self, submission: CandidateSubmission) -> None:
        """Delete one submission; Dispatch ignores the stream's record of it."""
        self._client.delete_item(
            TableName=self._table_name, Key={"pk": TEXT.value(submission.pk), "sk": TEXT.value(submission.sk)}
        )


class CandidateEvents(_ScannedTable):
    """The Events table."""

    def find(self, account: str, candidate_id: str, candidate_hash: str) -> Iterator[tuple[dict[str, bool], int]]:
        """Yield the ids of the candidate's events on each page, with the number of items read.

        Each id maps to whether its event still has to be erased.
        """
        pages = self._pages(
            "(account = :account AND contains(body, :named)) OR erased_for = :hash",
            {
                ":account": account,
                ":named": '"candidate":{"id":' + json.dumps(candidate_id, ensure_ascii=False),
                ":hash": candidate_hash,
            },
        )
        for items, scanned in pages:
            yield (
                {item["event_id"]["S"]: not is_erased(item) for item in items if _is_about(item, candidate_id)},
                scanned,
            )

    def erase(self, event_id: str, candidate_hash: str, now: int) -> None:
        """Reduce an event to its id, whether it is stored or a stream record may still create it."""
        self._client.put_item(
            TableName=self._table_name,
            Item={
                "event_id": TEXT.value(event_id),
                "v": VERSION,
                "erased_for": TEXT.value(candidate_hash),
                "dispatched_at": NUMBER.value(now),
                "expires_at": NUMBER.value(now + _ERASED_ID_KEPT_S),
            },
        )


class CandidateDeliveries(_ScannedTable):
    """The Deliveries table, whose logs contain responses of receivers."""

    def find(self, event_ids: Collection[str]) -> Iterator[tuple[list[CandidateDelivery], int]]:
        """Yield the deliveries of these events on each page, and the number of items read."""
        open_statuses = {status.value for status in OPEN_STATUSES}
        for items, scanned in self._pages():
            found = [
                CandidateDelivery(
                    item["endpoint_id"]["S"],
                    item["event_id"]["S"],
                    is_waiting=item["status"]["S"] in open_statuses,
                    attempts=len(item["attempt_log"]["L"]),
                )
                for item in items
                if item["event_id"]["S"] in event_ids
            ]
            yield found, scanned

    def delete(self, delivery: CandidateDelivery) -> None:
        """Delete one delivery; an attempt that is not claimed yet is never made."""
        self._client.delete_item(TableName=self._table_name, Key=delivery_key(delivery.endpoint_id, delivery.event_id))


def _candidate_submission(account: str, candidate_id: str, item: Item) -> CandidateSubmission:
    # Read only the required attributes, so that items of other versions are erased too.
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    exam_id = pk.removeprefix(attempts_partition(account, ""))
    key = AttemptKey(int(sk.partition("#")[0]), candidate_id)
    derived = {
        submission_event_id(account, exam_id, key, event_type, nth)
        for event_type, count in item.get("type_counts", {"M": {}})["M"].items()
        for nth in range(1, int(count["N"]) + 1)
    }
    stored = {each["M"]["event_id"]["S"] for each in item.get("transitions", {"L": []})["L"]}
    return CandidateSubmission(pk, sk, frozenset(derived | stored))


def _is_about(item: Item, candidate_id: str) -> bool:
    """Whether an event is about the candidate. Other parts of a body, such as a title, may contain the same text."""
    if is_erased(item):
        return True
    candidate = json.loads(item["body"]["S"])["data"].get("candidate")
    return isinstance(candidate, dict) and candidate.get("id") == candidate_id
