"""Reads and conditional writes of one table. A versioned write names the version of the item that it replaces.

::

    at most 50 items    PutItem each, eight at once     1 write unit per KB    about 1 ms of processor time per item
    more                TransactWriteItems, 100 each    2 write units per KB   about 0.12 ms

The table rejects an item if another poll wrote it first. When DynamoDB cancels a transaction, it writes nothing and
names the items whose conditions failed, so the next transaction contains only the other items. A conflict (another
request is writing the same item) or throttling is temporary, so the write is repeated after a pause.

botocore repeats a request whose response is lost. A repeated transaction has the same token, so DynamoDB returns
the same result. The condition of a repeated PutItem fails on the item that the first one wrote. DynamoDB returns that
item, and the write counts as done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NotRequired, ParamSpec, TypedDict, TypeVar, cast

from botocore.exceptions import ClientError

from examhook.storage.item_codec import NUMBER

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import ReturnValueType
    from mypy_boto3_dynamodb.type_defs import PutItemInputTypeDef, PutTypeDef, UpdateItemInputTypeDef

    from examhook.storage.item_codec import Attributes, Item

P = ParamSpec("P")
T = TypeVar("T")

MAX_ITEMS = 100
"""Maximum number of items in one transaction (DynamoDB API reference, TransactWriteItems)."""
MAX_BYTES = 3_900_000
"""Maximum size of a transaction's items. DynamoDB accepts 4 MB; the margin covers the rest of the request."""
MAX_SINGLE_PUTS = 50
"""Maximum number of items in a batch that are written one by one."""

_PARALLEL_PUTS = 8
_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
_NO_FAILURE, _CONDITION_FAILED = "None", "ConditionalCheckFailed"
_TEMPORARY = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})
"""Temporary reasons for a cancellation; botocore does not repeat a cancelled transaction."""


class Table:
    """One table; methods raise botocore's errors if DynamoDB fails."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def _get_item(self, key: Attributes) -> Item | None:
        """Return one item, as last written."""
        return self._client.get_item(TableName=self._table_name, Key=key, ConsistentRead=True).get("Item")

    def _query_items(self, condition: str, values: Attributes, *, consistent: bool = False) -> Iterator[Item]:
        """Yield items whose keys meet ``condition``; unless ``consistent``, the newest writes may be missing."""
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=consistent,
        ):
            yield from page["Items"]

    def _put_item(self, item: Attributes, condition: str, values: Attributes | None = None) -> bool:
        """Write an item; return False if the condition does not hold."""
        request: PutItemInputTypeDef = {"TableName": self._table_name, "Item": item, "ConditionExpression": condition}
        if values:
            request["ExpressionAttributeValues"] = values
        return if_condition_holds(self._client.put_item, **request) is not None

    def _update_item(  # noqa: PLR0913 - DynamoDB's parameters
        self,
        key: Attributes,
        update: str,
        condition: str,
        values: Attributes,
        *,
        names: Mapping[str, str] | None = None,
        returned: ReturnValueType = "NONE",
    ) -> Item | None:
        """Update an item and return the attributes that ``returned`` selects; None if the condition does not hold."""
        request: UpdateItemInputTypeDef = {
            "TableName": self._table_name,
            "Key": key,
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ReturnValues": returned,
        }
        if values:
            request["ExpressionAttributeValues"] = values
        if names:
            request["ExpressionAttributeNames"] = names
        answer = if_condition_holds(self._client.update_item, **request)
        return None if answer is None else answer.get("Attributes", {})


def if_condition_holds(write: Callable[P, T], /, *args: P.args, **parameters: P.kwargs) -> T | None:
    """Call ``write`` and return its response; None if the condition of the write does not hold.

    Raises botocore's other errors.
    """
    try:
        return write(*args, **parameters)
    except ClientError as error:
        if _code(error) == "ConditionalCheckFailedException":
            return None
        raise


@dataclass(frozen=True, slots=True)
class VersionedPut:
    """An item with the keys ``pk`` and ``sk``, the version that it replaces, and the poll that writes it."""

    item: Item
    read_version: int | None
    """Version that was read; None if the item did not exist."""
    fence: int
    """Fencing token of the poll, which never overwrites the write of a newer poll."""

    @property
    def key(self) -> tuple[str, str]:
        """Return the item's partition key and sort key."""
        return self.item["pk"]["S"], self.item["sk"]["S"]

    @property
    def max_bytes(self) -> int:
        """Return an upper bound of the item's size: the length of its JSON text."""
        return len(json.dumps(self.item))

    def request(self, table_name: str) -> PutTypeDef:
        """Return the parameters of PutItem, or of a transaction's ``Put``."""
        put: PutTypeDef = {
            "TableName": table_name,
            "Item": self.item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.read_version is not None:
            put["ConditionExpression"] = "version = :read AND fence <= :fence"
            put["ExpressionAttributeValues"] = {
                ":read": NUMBER.value(self.read_version),
                ":fence": NUMBER.value(self.fence),
            }
        return put

    def wrote(self, stored: Item | None) -> bool:
        """Whether an earlier attempt of this put wrote ``stored``, the item on which its condition failed.

        The response to that attempt was lost. No other poll has the same fencing token.
        """
        return stored == self.item


def batches(puts: Iterable[VersionedPut]) -> Iterator[list[VersionedPut]]:
    """Split ``puts``, in order, into batches that fit one transaction and write no item twice."""
    batch: list[VersionedPut] = []
    keys: set[tuple[str, str]] = set()
    size = 0
    for put in puts:
        key, put_bytes = put.key, put.max_bytes
        if batch and (len(batch) == MAX_ITEMS or key in keys or size + put_bytes > MAX_BYTES):
            yield batch
            batch, keys, size = [], set(), 0
        batch.append(put)
        keys.add(key)
        size += put_bytes
    if batch:
        yield batch


class _CancellationReason(TypedDict):
    """Why DynamoDB cancelled a transaction, for one of its items."""

    Code: str
    Item: NotRequired[Item]


class VersionedWrites:
    """Writes to one table whose items have ``pk``, ``sk``, ``version`` and ``fence``."""

    def __init__(self, client: DynamoDBClient, table_name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table_name = table_name
        self._sleep = sleep

    def refused(self, puts: Sequence[VersionedPut]) -> set[int]:
        """Write all of ``puts``; return the positions of those whose condition did not hold.

        Two puts of one item are written in order. After any other error of botocore, some puts may be missing.
        """
        refused: set[int] = set()
        first = 0
        for batch in batches(puts):
            write = self._one_by_one if len(batch) <= MAX_SINGLE_PUTS else self._in_transactions
            refused |= {first + position for position in write(batch)}
            first += len(batch)
        return refused

    def _one_by_one(self, puts: Sequence[VersionedPut]) -> set[int]:
        if len(puts) == 1:
            written = [self._put(puts[0])]
        else:
            with ThreadPoolExecutor(_PARALLEL_PUTS) as pool:
                written = list(pool.map(self._put, puts))
        return {position for position, was_written in enumerate(written) if not was_written}

    def _put(self, put: VersionedPut) -> bool:
        return self._with_retries(partial(self._put_once, put))

    def _put_once(self, put: VersionedPut) -> bool:
        try:
            self._client.put_item(**put.request(self._table_name))
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            return put.wrote(cast("Item | None", error.response.get("Item")))
        return True

    def _in_transactions(self, puts: Sequence[VersionedPut]) -> set[int]:
        waiting = dict(enumerate(puts))
        refused: set[int] = set()
        while waiting:
            settled = self._with_retries(partial(self._transact_once, waiting))
            refused |= {position for position, was_written in settled.items() if not was_written}
            waiting = {position: put for position, put in waiting.items() if position not in settled}
        return refused

    def _transact_once(self, waiting: Mapping[int, VersionedPut]) -> dict[int, bool]:
        """Write all of ``waiting``, or find the puts that the next transaction must omit.

        Returns the settled puts by position: True if written, False if rejected.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[{"Put": put.request(self._table_name)} for put in waiting.values()]
            )
        except ClientError as error:
            codes = _reason_codes(error)
            if _CONDITION_FAILED not in codes or not codes <= {_NO_FAILURE, _CONDITION_FAILED}:
                raise
            return {
                position: put.wrote(reason.get("Item"))
                for (position, put), reason in zip(waiting.items(), _reasons(error), strict=True)
                if reason["Code"] == _CONDITION_FAILED
            }
        return dict.fromkeys(waiting, True)

    def _with_retries(self, write: Callable[[], T]) -> T:
        for pause_s in _PAUSES_S:
            try:
                return write()
            except ClientError as error:
                if not _is_temporary(error):
                    raise
            self._sleep(pause_s)
        return write()


def _is_temporary(error: ClientError) -> bool:
    failures = _reason_codes(error) - {_NO_FAILURE, _CONDITION_FAILED}
    return _code(error) == "TransactionConflictException" or (bool(failures) and failures <= _TEMPORARY)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _reason_codes(error: ClientError) -> set[str]:
    return {reason["Code"] for reason in _reasons(error)}


def _reasons(error: ClientError) -> Sequence[_CancellationReason]:
    """Return why a transaction was cancelled, item by item; empty for other errors."""
    return cast("Sequence[_CancellationReason]", error.response.get("CancellationReasons", []))
