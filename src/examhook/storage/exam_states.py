"""The exams' own items in the Submissions table: what Examhook remembers of each exam, and the outbox of its events.

All exams of one account are in one partition, ``#exams#{account}``, by their ids. No partition of attempts begins
with ``#``, since no account's name is empty, so a query for attempts never returns them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from examhook.detection.exam_state import ExamState
from examhook.storage.exam_state_item import exam_state_from_item, item_from_exam_state
from examhook.storage.versioned_put import VersionedPut
from examhook.storage.versioned_writes import VersionedWrites

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from examhook.detection.exam_transition import ExamChange


class ExamStates:
    """Reads and conditional writes of exams' states."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name
        self._writes = VersionedWrites(client, table_name)

    def of_account(self, account: str) -> dict[str, ExamState]:
        """Every state of one account by exam id.

        Raises UnreadableItemError, and ClientError when DynamoDB refuses or cannot be reached.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition_key(account)}},
            ConsistentRead=True,
        )
        found = (exam_state_from_item(item) for page in pages for item in page["Items"])
        return {state.exam_id: state for state in found}

    def write(self, changes: Sequence[ExamChange]) -> list[ExamChange]:
        """Write each change if its state is still as it was read; returns those that were not written.

        Another poll was faster with those, and its observation stays. Raises ClientError: the rest may be written
        or not, and the next poll finds out.
        """
        refused = self._writes.refused([_put_of(change) for change in changes])
        return [changes[place] for place in sorted(refused)]


def _put_of(change: ExamChange) -> VersionedPut:
    after = change.after
    item: dict[str, AttributeValueTypeDef] = {
        "pk": {"S": partition_key(after.account)},
        "sk": {"S": after.exam_id},
        "announce": {"BOOL": change.announces},
        **item_from_exam_state(after),
    }
    return VersionedPut(item, None if change.before is None else change.before.version, after.fence)


def partition_key(account: str) -> str:
    """Partition of one account's exams."""
    return f"#exams#{account}"
