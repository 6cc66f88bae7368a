"""One item to write if it is still of the version that was read, and how many of them fit a transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

MAX_ITEMS = 100
"""Most items of one transaction (DynamoDB API reference, TransactWriteItems)."""

MAX_BYTES = 3_900_000
"""Most bytes of items in one transaction: DynamoDB takes 4 MB, and the rest of the request stays clear of it."""


@dataclass(frozen=True, slots=True)
class VersionedPut:
    """An item with the keys ``pk`` and ``sk``, the version that it replaces, and the poll that writes it."""

    item: Item
    read_version: int | None
    """Version that was read; None: the item was not there."""
    fence: int
    """Fencing value of the poll; it never overwrites what a newer poll wrote."""

    @property
    def key(self) -> tuple[str, str]:
        """The item's partition key and sort key."""
        return self.item["pk"]["S"], self.item["sk"]["S"]

    @property
    def most_bytes(self) -> int:
        """Upper bound of the item's size: DynamoDB counts no attribute as more than its JSON text has characters."""
        return len(json.dumps(self.item))

    def request(self, table_name: str) -> PutTypeDef:
        """Parameters of PutItem, or of a transaction's ``Put``."""
        put: PutTypeDef = {
            "TableName": table_name,
            "Item": self.item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.read_version is not None:
            put["ConditionExpression"] = "version = :read AND fence <= :fence"
            put["ExpressionAttributeValues"] = {
                ":read": {"N": str(self.read_version)},
                ":fence": {"N": str(self.fence)},
            }
        return put

    def stands(self, stored: Item | None) -> bool:
        """Whether ``stored``, the item on which the condition failed, is this write's own.

        The answer to an earlier attempt was lost then. No other poll has the same fencing value.
        """
        return stored == self.item


def batches(puts: Iterable[VersionedPut]) -> Iterator[list[VersionedPut]]:
    """``puts`` in their order, cut so that each batch fits one transaction and writes no item twice."""
    batch: list[VersionedPut] = []
    keys: set[tuple[str, str]] = set()
    size = 0
    for put in puts:
        key, put_bytes = put.key, put.most_bytes
        if batch and (len(batch) == MAX_ITEMS or key in keys or size + put_bytes > MAX_BYTES):
            yield batch
            batch, keys, size = [], set(), 0
        batch.append(put)
        keys.add(key)
        size += put_bytes
    if batch:
        yield batch
