"""Deliveries of one candidate's events: finding and deleting them, with the answers that their logs hold.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; doing it again goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.delivery.record import OPEN_STATUSES
from examhook.storage.candidate_scan import pages_of, size_of
from examhook.storage.delivery_reads import delivery_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CandidateDelivery:
    """One event of the candidate's for one endpoint."""

    endpoint_id: str
    event_id: str
    is_waiting: bool
    """Whether an attempt was still to come."""
    attempts: int
    """How many its log tells of."""


class CandidateDeliveries:
    """The Deliveries table, for erasing."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def size(self) -> int:
        """About how many items there are to look through."""
        return size_of(self._client, self._table_name)

    def find(self, event_ids: Collection[str]) -> Iterator[tuple[list[CandidateDelivery], int]]:
        """Deliveries of these events, and how many items were looked at, page by page."""
        open_statuses = {status.value for status in OPEN_STATUSES}
        for items, looked_at in pages_of(self._client, {"TableName": self._table_name}):
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
            yield found, looked_at

    def delete(self, delivery: CandidateDelivery) -> None:
        """Delete one: an attempt that nobody has claimed yet is never made."""
        self._client.delete_item(TableName=self._table_name, Key=delivery_key(delivery.endpoint_id, delivery.event_id))
