"""Which of many events were dispatched, as the Events table remembers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_AT_ONCE = 100
"""What BatchGetItem takes."""
_PARALLEL_READS = 8


class DispatchedEvents:
    """Reads the marks that Dispatch leaves; what expired has none any more."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def among(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Those of ``event_ids`` that every destination has been given; raises botocore's errors."""
        distinct = sorted(set(event_ids))
        chunks = [distinct[start : start + _AT_ONCE] for start in range(0, len(distinct), _AT_ONCE)]
        if len(chunks) <= 1:
            return frozenset(each for chunk in chunks for each in self._marked(chunk))
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            return frozenset(each for marked in pool.map(self._marked, chunks) for each in marked)

    def _marked(self, event_ids: Sequence[str]) -> list[str]:
        keys: Sequence[dict[str, AttributeValueTypeDef]] = [{"event_id": {"S": each}} for each in event_ids]
        marked: list[str] = []
        while keys:
            answer = self._client.batch_get_item(
                RequestItems={
                    self._table_name: {
                        "Keys": keys,
                        "ProjectionExpression": "event_id, dispatched_at",
                        "ConsistentRead": True,
                    }
                }
            )
            found = answer["Responses"].get(self._table_name, [])
            marked += [item["event_id"]["S"] for item in found if "dispatched_at" in item]
            # Answers end at 16 MiB, or where the table is too busy; events are small, so that hardly happens.
            left = answer["UnprocessedKeys"].get(self._table_name)
            keys = [dict(key) for key in left["Keys"]] if left else []
        return marked
