"""Counts what AWS is asked for: calls by operation, and DynamoDB's units by its own rules, from what is sent and read.

A write costs a unit for each begun KB of the item, as it is afterwards, in the table and again in each index that holds
it; in a transaction it costs two in the table. A read costs half a unit for each begun 4 KB, or a whole one when it is
consistent (Amazon DynamoDB developer guide, "Capacity unit consumption"). An UpdateItem is counted by the item that it
leaves.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import boto3

from tools.bench.units import item_bytes

_INDEXES = {"Events": ("day",), "Deliveries": ("waiting_endpoint_id",)}
"""The attribute of each table's index without which an item is not in it."""


@dataclass
class Meter:
    """What was asked since ``reset``."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    read_units: float = 0
    index_units: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Write units that went to the index of a table, by table; they are among ``write_units``."""

    def attach(self) -> None:
        """Count what every client does that ``boto3.client`` makes from now on."""
        plain = boto3.client("dynamodb")
        session = boto3.Session()
        session.events.register("before-parameter-build", self._before)
        session.events.register("after-call", lambda **facts: self._after(plain, **facts))
        boto3.DEFAULT_SESSION = session

    def reset(self) -> None:
        """Begin anew."""
        self.calls.clear()
        self.index_units.clear()
        self.write_units = self.read_units = 0

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["asked"] = dict(params)

    def _after(
        self,
        plain: Any,  # noqa: ANN401 - a client of boto3
        *,
        parsed: dict[str, Any],
        model: Any,  # noqa: ANN401 - botocore has no types for it
        context: dict[str, Any],
        **_: object,
    ) -> None:
        service, asked = model.service_model.service_name, context.get("asked", {})
        self.calls[f"{service}.{model.name}"] += 1
        if service != "dynamodb":
            return
        if model.name in {"GetItem", "Query", "Scan"}:
            found = [parsed["Item"]] if parsed.get("Item") else parsed.get("Items", [])
            steps = max(1, math.ceil(sum(map(item_bytes, found)) / 4096))
            self.read_units += steps * (1 if asked.get("ConsistentRead") else 0.5)
        elif model.name == "PutItem":
            self._count_write(asked["TableName"], asked["Item"])
        elif model.name == "UpdateItem":
            item = plain.get_item(TableName=asked["TableName"], Key=asked["Key"]).get("Item", {})
            self._count_write(asked["TableName"], item)
        elif model.name == "TransactWriteItems":
            for each in asked["TransactItems"]:
                self._count_write(each["Put"]["TableName"], each["Put"]["Item"], transacted=True)

    def _count_write(self, table: str, item: dict[str, Any], *, transacted: bool = False) -> None:
        each = max(1, math.ceil(item_bytes(item) / 1024))
        # An index is written outside of the transaction.
        self.write_units += each if transacted else 0
        in_index = each * sum(attribute in item for attribute in _INDEXES.get(table, ()))
        self.index_units[table] += in_index
        self.write_units += each + in_index
