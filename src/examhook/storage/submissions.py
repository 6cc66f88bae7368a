"""The Submissions table: what is known of each attempt, and the outbox that its stream makes of every write.

One item holds one attempt: partition key ``{account}#{exam_id}``, sort key
``{started_at, 10 digits}#{candidate_id}``, so that one query reads the attempts that one page of
the provider covers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from examhook.model import AttemptKey, Submission
from examhook.storage.attributes import as_number
from examhook.storage.submission_item import item_from_submission, submission_from_item
from examhook.storage.versioned_put import VersionedPut
from examhook.storage.versioned_writes import VersionedWrites

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from examhook.detection.transition import Change


def submission_from_image(image: Mapping[str, AttributeValueTypeDef]) -> Submission:
    """The submission in a stream record's image; raises UnreadableItemError."""
    return submission_from_item(image)


class SubmissionsTable:
    """Reads and conditional writes of submissions."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name
        self._writes = VersionedWrites(client, table_name)

    def between(self, account: str, exam_id: str, first: AttemptKey, last: AttemptKey) -> dict[AttemptKey, Submission]:
        """Stored submissions of one exam from ``first`` to ``last``, both included, as of a moment ago."""
        return self._query(
            "pk = :pk AND sk BETWEEN :first AND :last",
            {
                ":pk": {"S": partition_key(account, exam_id)},
                ":first": {"S": sort_key(first)},
                ":last": {"S": sort_key(last)},
            },
        )

    def of_exam(self, account: str, exam_id: str) -> dict[AttemptKey, Submission]:
        """All stored submissions of one exam, as of a moment ago."""
        return self._query("pk = :pk", {":pk": {"S": partition_key(account, exam_id)}})

    def page_after(
        self, account: str, exam_id: str, after: AttemptKey | None, limit: int
    ) -> tuple[list[Submission], AttemptKey | None]:
        """At most ``limit`` stored submissions of one exam after ``after``, in stored order, as they are now.

        With them comes where to go on; None after the last.
        """
        condition, values = "pk = :pk", {":pk": {"S": partition_key(account, exam_id)}}
        if after is not None:
            condition, values = f"{condition} AND sk > :after", {**values, ":after": {"S": sort_key(after)}}
        answer = self._client.query(
            TableName=self._table_name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            Limit=limit,
        )
        last = answer.get("LastEvaluatedKey")
        return [submission_from_item(item) for item in answer["Items"]], key_of(last["sk"]["S"]) if last else None

    def holds_any(self, account: str, exam_id: str) -> bool:
        """Whether anything is stored of an exam."""
        answer = self._client.query(
            TableName=self._table_name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition_key(account, exam_id)}},
            ProjectionExpression="pk",
            Limit=1,
            ConsistentRead=True,
        )
        return bool(answer["Items"])

    def beyond(self, account: str, exam_id: str, seen: Container[AttemptKey]) -> dict[AttemptKey, Submission]:
        """Stored submissions of one exam that are not among ``seen``, as of a moment ago.

        All of the exam is read, however large; only what is given back is kept in memory.
        """
        items = self._items("pk = :pk", {":pk": {"S": partition_key(account, exam_id)}})
        found = (submission_from_item(item) for item in items if key_of(item["sk"]["S"]) not in seen)
        return {submission.key: submission for submission in found}

    def _query(self, condition: str, values: Mapping[str, AttributeValueTypeDef]) -> dict[AttemptKey, Submission]:
        found = (submission_from_item(item) for item in self._items(condition, values))
        return {submission.key: submission for submission in found}

    def _items(
        self, condition: str, values: Mapping[str, AttributeValueTypeDef]
    ) -> Iterator[Mapping[str, AttributeValueTypeDef]]:
        # Eventually consistent, which costs half: a write names the version that it replaces, so
        # whatever rests on an old one is refused and found again.
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        for page in pages:
            yield from page["Items"]

    def write(self, changes: Sequence[Change]) -> list[Change]:
        """Write each change if its submission is still as it was read; returns those that were not written.

        A change that is not written was overtaken by another poll, whose observation stands.
        Raises ClientError when DynamoDB refuses or cannot be reached: the rest of the changes may
        be written or not, and the next pass finds out.
        """
        refused = self._writes.refused([_put_of(change) for change in changes])
        return [changes[place] for place in sorted(refused)]


def _put_of(change: Change) -> VersionedPut:
    after = change.after
    item: dict[str, AttributeValueTypeDef] = {
        "pk": {"S": partition_key(after.account, after.exam_id)},
        "sk": {"S": sort_key(after.key)},
        "announce": {"BOOL": change.announces},
        **({"again": {"L": [as_number(each) for each in change.again]}} if change.again else {}),
        **item_from_submission(after),
    }
    return VersionedPut(item, None if change.before is None else change.before.version, after.fence)


def partition_key(account: str, exam_id: str) -> str:
    """Partition of one exam's submissions."""
    return f"{account}#{exam_id}"


def sort_key(key: AttemptKey) -> str:
    """Place of one attempt within its exam: by start time first."""
    return f"{key.started_at:010d}#{key.candidate_id}"


def key_of(place: str) -> AttemptKey:
    """The attempt whose sort key is ``place``."""
    started_at, _, candidate_id = place.partition("#")
    return AttemptKey(int(started_at), candidate_id)


def spanning(keys: Iterable[AttemptKey]) -> tuple[AttemptKey, AttemptKey] | None:
    """The first and the last of ``keys`` in stored order; None when there are none."""
    ordered = sorted(keys, key=sort_key)
    return (ordered[0], ordered[-1]) if ordered else None
