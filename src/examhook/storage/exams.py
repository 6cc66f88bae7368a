"""The Exams table: one record per account, the lease of the poll that runs, and the marks of erased candidates.

The state of each exam is in the Submissions table, because it is the outbox of the exam's events (``exam_states``).
Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examhook.detection.exam_state import ExamState
from examhook.storage.account_state import AccountRecord, AccountState, item_from_record, record_from_item
from examhook.storage.attributes import as_number
from examhook.storage.conditional import if_it_holds
from examhook.storage.erasures import Erasures
from examhook.storage.exam_state_item import legacy_state_from_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_VERSION = 1
_ACCOUNT = "account"
_LEASE = "lease"
_EXAM_PREFIX = "exam#"


class ExamsTable:
    """Reads and writes of what is remembered of accounts."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def read(self, account: str) -> AccountState:
        """All that the table holds of one account."""
        items: dict[str, Mapping[str, AttributeValueTypeDef]] = {}
        legacy_exams: dict[str, ExamState] = {}
        erasures = Erasures()
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression="account = :account",
            ExpressionAttributeValues={":account": {"S": account}},
            ConsistentRead=True,
        )
        for item in (item for page in pages for item in page["Items"]):
            place = item["sk"]["S"]
            if place.startswith(_EXAM_PREFIX):
                exam_id = place.removeprefix(_EXAM_PREFIX)
                legacy_exams[exam_id] = legacy_state_from_item(account, exam_id, item)
            elif place in {_ACCOUNT, _LEASE}:
                items[place] = item
            else:
                erasures.take(place, item)
        record = record_from_item(items.get(_ACCOUNT, {}), items.get(_LEASE, {}))
        return AccountState(record, erasures, legacy_exams)

    def write(self, account: str, record: AccountRecord, fence: int) -> bool:
        """Replace the account's record; False when a newer poll wrote it already."""
        written = if_it_holds(
            self._client.put_item,
            TableName=self._table_name,
            Item={
                **_key(account, _ACCOUNT),
                "v": as_number(SCHEMA_VERSION),
                "fence": as_number(fence),
                **item_from_record(record),
            },
            ConditionExpression="attribute_not_exists(fence) OR fence <= :fence",
            ExpressionAttributeValues={":fence": as_number(fence)},
        )
        return written is not None

    def delete_legacy(self, account: str, exam_ids: Iterable[str]) -> None:
        """Delete the exams that an older version stored here, after their states were written elsewhere."""
        for exam_id in exam_ids:
            self._client.delete_item(TableName=self._table_name, Key=_key(account, _EXAM_PREFIX + exam_id))

    def take_lease(self, account: str, owner: str, *, now_ms: int, expires_at_ms: int) -> int | None:
        """Take the account's lease until ``expires_at_ms`` if nobody holds it.

        Returns its fencing value, higher than the last; None when another poll holds it. ``owner`` may hold it already:
        a call that is repeated because its answer was lost meets the lease that the first one took.
        The item also notes when a lease expired that was never released.
        """
        values: dict[str, AttributeValueTypeDef] = {":owner": {"S": owner}, ":until": as_number(expires_at_ms)}
        fence = self._take_lease(account, "", "attribute_not_exists(expires_at_ms)", values)
        if fence is None:
            expired = "expires_at_ms <= :now"
            values[":now"] = as_number(now_ms)
            fence = self._take_lease(account, "overrun_ms = expires_at_ms, ", expired, values)
        return fence

    def overrun_at(self, account: str) -> float | None:
        """When the last lease expired that was not released, Unix seconds: its owner died, or is late."""
        answer = self._client.get_item(TableName=self._table_name, Key=_key(account, _LEASE), ConsistentRead=True)
        overrun = answer.get("Item", {}).get("overrun_ms")
        return None if overrun is None else int(overrun["N"]) / 1000

    def _take_lease(
        self, account: str, noting: str, condition: str, values: Mapping[str, AttributeValueTypeDef]
    ) -> int | None:
        answer = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account, _LEASE),
            UpdateExpression=f"SET {noting}v = :v, lease_owner = :owner, expires_at_ms = :until ADD fence :one",
            ConditionExpression=f"{condition} OR lease_owner = :owner",
            ExpressionAttributeValues={":v": as_number(SCHEMA_VERSION), ":one": as_number(1), **values},
            ReturnValues="ALL_NEW",
        )
        return None if answer is None else int(answer["Attributes"]["fence"]["N"])

    def prolong_lease(self, account: str, owner: str, *, expires_at_ms: int) -> bool:
        """Hold the lease until ``expires_at_ms``; False when ``owner`` no longer holds it."""
        return self._update_lease(
            account, owner, "SET expires_at_ms = :expires_at", {":expires_at": as_number(expires_at_ms)}
        )

    def release_lease(self, account: str, owner: str) -> None:
        """Release the lease if ``owner`` still holds it."""
        self._update_lease(account, owner, "REMOVE expires_at_ms", {})

    def _update_lease(self, account: str, owner: str, update: str, values: Mapping[str, AttributeValueTypeDef]) -> bool:
        updated = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account, _LEASE),
            UpdateExpression=update,
            ConditionExpression="lease_owner = :owner",
            ExpressionAttributeValues={":owner": {"S": owner}, **values},
        )
        return updated is not None


def _key(account: str, place: str) -> dict[str, AttributeValueTypeDef]:
    return {"account": {"S": account}, "sk": {"S": place}}
