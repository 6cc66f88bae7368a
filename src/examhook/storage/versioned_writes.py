"""Writes items that name the version that they replace: few one by one, many in transactions.

::

    at most 50 items    PutItem each, eight at once     1 write unit per KB    about 1 ms of processor time per item
    more                TransactWriteItems, 100 each    2 write units per KB   about 0.12 ms

An item is refused when another poll wrote it first. When DynamoDB cancels a transaction, it names the
items that are to blame and writes none, so the others are sent again without them. A conflict (another
request is writing the same item at this moment) or throttling is temporary: the write is sent again after a pause.

An attempt whose answer is lost is repeated by botocore. The repetition of a transaction carries the same
token, so DynamoDB answers as it did before. The repetition of a PutItem finds its own item in its way; DynamoDB
returns that item, and the write counts as done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeVar, cast

from botocore.exceptions import ClientError

from examhook.storage.versioned_put import VersionedPut, batches

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from examhook.storage.versioned_put import Item

MOST_SINGLE_PUTS = 50
"""Most items of a batch that are written one by one."""

_PARALLEL_PUTS = 8
_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
_NOT_TO_BLAME, _REFUSED = "None", "ConditionalCheckFailed"
_TEMPORARY = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})
"""Reasons that may be gone at the next attempt; botocore does not repeat a cancelled transaction."""

T = TypeVar("T")


class _Reason(TypedDict):
    """Why DynamoDB cancelled a transaction, as far as one of its items is concerned."""

    Code: str
    Item: NotRequired[Item]


class VersionedWrites:
    """Writes to one table whose items have ``pk``, ``sk``, ``version`` and ``fence``."""

    def __init__(self, client: DynamoDBClient, table_name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table_name = table_name
        self._sleep = sleep

    def refused(self, puts: Sequence[VersionedPut]) -> set[int]:
        """Write all of ``puts``; the places of those that were not written because their condition did not hold.

        Two puts of one item are written in their order. Raises ClientError when DynamoDB refuses for another
        reason or cannot be reached: the rest of the puts may then be written or not.
        """
        refused: set[int] = set()
        first = 0
        for batch in batches(puts):
            write = self._one_by_one if len(batch) <= MOST_SINGLE_PUTS else self._in_transactions
            refused |= {first + place for place in write(batch)}
            first += len(batch)
        return refused

    def _one_by_one(self, puts: Sequence[VersionedPut]) -> set[int]:
        if len(puts) == 1:
            written = [self._put(puts[0])]
        else:
            with ThreadPoolExecutor(_PARALLEL_PUTS) as pool:
                written = list(pool.map(self._put, puts))
        return {place for place, was_written in enumerate(written) if not was_written}

    def _put(self, put: VersionedPut) -> bool:
        return self._with_retries(partial(self._put_once, put))

    def _put_once(self, put: VersionedPut) -> bool:
        try:
            self._client.put_item(**put.request(self._table_name))
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            stored = cast("Item | None", error.response.get("Item"))
            return put.stands(stored)
        return True

    def _in_transactions(self, puts: Sequence[VersionedPut]) -> set[int]:
        waiting = dict(enumerate(puts))
        refused: set[int] = set()
        while waiting:
            settled = self._with_retries(partial(self._transact_once, waiting))
            refused |= {place for place, was_written in settled.items() if not was_written}
            waiting = {place: put for place, put in waiting.items() if place not in settled}
        return refused

    def _transact_once(self, waiting: Mapping[int, VersionedPut]) -> dict[int, bool]:
        """Write all of ``waiting``, or only learn which of them the next transaction must leave out.

        By place, whether the item is written; what is missing is not settled.
        """
        try:
            self._client.transact_write_items(
                TransactItems=[{"Put": put.request(self._table_name)} for put in waiting.values()]
            )
        except ClientError as error:
            codes = _codes(error)
            if _REFUSED not in codes or not codes <= {_NOT_TO_BLAME, _REFUSED}:
                raise
            return {
                place: put.stands(reason.get("Item"))
                for (place, put), reason in zip(waiting.items(), _reasons(error), strict=True)
                if reason["Code"] == _REFUSED
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
    blamed = _codes(error) - {_NOT_TO_BLAME, _REFUSED}
    return _code(error) == "TransactionConflictException" or (bool(blamed) and blamed <= _TEMPORARY)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _codes(error: ClientError) -> set[str]:
    return {reason["Code"] for reason in _reasons(error)}


def _reasons(error: ClientError) -> Sequence[_Reason]:
    """Why a transaction was cancelled, item by item; nothing where the error is another one."""
    return cast("Sequence[_Reason]", error.response.get("CancellationReasons", []))
