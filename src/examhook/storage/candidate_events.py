"""One candidate's events: finding them, and leaving nothing of each but its id.

The id stays for a week, marked as dispatched, so that what the stream still remembers is not made into
the same event again. It is a digest that means nothing by itself; what else stays is the candidate's
keyed hash, by which an erasure that was cut short finds the ids again.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; doing it again goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from examhook.storage.candidate_scan import pages_of, size_of
from examhook.storage.events import SCHEMA_VERSION, is_erased

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from examhook.storage.candidate_scan import Item

MARKED_S = 7 * 86_400
"""So long an id stays: longer than the stream (a day) and the delivery queue (four) remember it."""


class CandidateEvents:
    """The Events table, for erasing."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def size(self) -> int:
        """About how many items there are to look through."""
        return size_of(self._client, self._table_name)

    def find(self, account: str, candidate_id: str, candidate_hash: str) -> Iterator[tuple[dict[str, bool], int]]:
        """The ids of the candidate's events, each with whether it is still there, and how many items were looked at."""
        named = '"candidate":{"id":' + json.dumps(candidate_id, ensure_ascii=False)
        pages = pages_of(
            self._client,
            {
                "TableName": self._table_name,
                "FilterExpression": "(account = :account AND contains(body, :named)) OR erased_for = :hash",
                "ExpressionAttributeValues": {
                    ":account": {"S": account},
                    ":named": {"S": named},
                    ":hash": {"S": candidate_hash},
                },
            },
        )
        for items, looked_at in pages:
            found = {item["event_id"]["S"]: not is_erased(item) for item in items if _is_about(item, candidate_id)}
            yield found, looked_at

    def erase(self, event_id: str, candidate_hash: str, now: int) -> None:
        """Leave nothing but the id of an event, whether it is there or might be made yet."""
        self._client.put_item(
            TableName=self._table_name,
            Item={
                "event_id": {"S": event_id},
                "v": {"N": str(SCHEMA_VERSION)},
                "erased_for": {"S": candidate_hash},
                "dispatched_at": {"N": str(now)},
                "expires_at": {"N": str(now + MARKED_S)},
            },
        )


def _is_about(item: Item, candidate_id: str) -> bool:
    """Whether it is the candidate's: the same text may stand elsewhere in a body, in an exam's title for one."""
    if is_erased(item):
        return True
    candidate = json.loads(item["body"]["S"])["data"].get("candidate")
    return isinstance(candidate, dict) and candidate.get("id") == candidate_id
