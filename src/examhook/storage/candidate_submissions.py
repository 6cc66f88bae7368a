"""One candidate's submissions: finding and deleting them.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; doing it again goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.events.identity import submission_event_id
from examhook.model import AttemptKey
from examhook.storage.candidate_scan import pages_of, size_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from examhook.storage.candidate_scan import Item


@dataclass(frozen=True, slots=True)
class CandidateSubmission:
    """One attempt of the candidate."""

    pk: str
    sk: str = field(repr=False)
    event_ids: frozenset[str]
    """Every event that it ever had, silent ones included."""


class CandidateSubmissions:
    """The Submissions table, for erasing."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def size(self) -> int:
        """About how many items there are to look through."""
        return size_of(self._client, self._table_name)

    def find(self, account: str, candidate_id: str) -> Iterator[tuple[list[CandidateSubmission], int]]:
        """The candidate's, and how many items were looked at, page by page."""
        pages = pages_of(
            self._client,
            {
                "TableName": self._table_name,
                "FilterExpression": "account = :account AND candidate_id = :candidate",
                "ExpressionAttributeValues": {":account": {"S": account}, ":candidate": {"S": candidate_id}},
            },
        )
        for items, looked_at in pages:
            yield [_read(account, candidate_id, item) for item in items], looked_at

    def delete(self, submission: CandidateSubmission) -> None:
        """Delete one; the stream tells of it, and nothing follows from that."""
        self._client.delete_item(
            TableName=self._table_name, Key={"pk": {"S": submission.pk}, "sk": {"S": submission.sk}}
        )


def _read(account: str, candidate_id: str, item: Item) -> CandidateSubmission:
    # By hand, so that an item which another version wrote is erased too.
    started_at = int(item["sk"]["S"].partition("#")[0])
    exam_id = item["pk"]["S"].removeprefix(f"{account}#")
    counts = {name: int(count["N"]) for name, count in item.get("type_counts", {"M": {}})["M"].items()}
    derived = {
        submission_event_id(account, exam_id, AttemptKey(started_at, candidate_id), name, nth)
        for name, count in counts.items()
        for nth in range(1, count + 1)
    }
    kept = {each["M"]["event_id"]["S"] for each in item.get("transitions", {"L": []})["L"]}
    return CandidateSubmission(item["pk"]["S"], item["sk"]["S"], frozenset(derived | kept))
