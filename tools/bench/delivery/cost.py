"""Counts what a process asks of AWS: requests by operation, and DynamoDB units.

Written units are counted as the emulator says, indexes included; it goes by the sizes of the items, as
DynamoDB does. Read units are counted from the items that come back, those of the sparse index too: it
holds their keys and nothing else.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import boto3

from tools.bench.units import Operation, item_bytes

_COUNTED = ("dynamodb", "kms", "sns", "sqs")
_READS = frozenset({"GetItem", "Query", "Scan"})
_READS_OF_MANY = "BatchGetItem"
_WRITES = frozenset({"DeleteItem", "PutItem", "UpdateItem"})
_READ_STEP_BYTES = 4096


@dataclass(slots=True)
class CostCounter:
    """What was asked since it was made; made before the clients are. Any thread may use them."""

    requests: Counter[str] = field(default_factory=Counter)
    """By ``service.Operation``."""
    read_units: float = 0
    write_units: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of_this_process(cls) -> Self:
        """Count what every client does that ``boto3.client`` makes from now on."""
        counter, session = cls(), boto3.Session()
        session.events.register("before-parameter-build.dynamodb", counter._before)
        for service in _COUNTED:
            session.events.register(f"after-call.{service}", counter._after)
        boto3.DEFAULT_SESSION = session
        return counter

    @staticmethod
    def _before(params: dict[str, object], model: Operation, context: dict[str, object], **_: object) -> None:
        if model.name == _READS_OF_MANY:
            # Nobody asks for an item twice in one request.
            tables = params["RequestItems"]
            asked = list(tables.values()) if isinstance(tables, Mapping) else []
            context["keys"] = sum(len(each["Keys"]) for each in asked)
            context["consistent"] = all(each.get("ConsistentRead") for each in asked)
        elif model.name in _READS | _WRITES:
            params["ReturnConsumedCapacity"] = "TOTAL"
            context["consistent"] = bool(params.get("ConsistentRead"))

    def _after(
        self,
        parsed: Mapping[str, object],
        model: Operation,
        context: Mapping[str, object],
        event_name: str,
        **_: object,
    ) -> None:
        with self._lock:
            self.requests[event_name.removeprefix("after-call.")] += 1
            unit = 1.0 if context.get("consistent") else 0.5
            if model.name == _READS_OF_MANY:
                self.read_units += unit * _steps_of_each(parsed, context)
            elif model.name in _READS:
                self.read_units += unit * max(1, math.ceil(_bytes(parsed) / _READ_STEP_BYTES))
            elif model.name in _WRITES:
                capacity = parsed.get("ConsumedCapacity")
                # A refused condition costs what the write would have: one unit for items as small as these.
                units = capacity.get("CapacityUnits") if isinstance(capacity, Mapping) else 1.0
                self.write_units += float(units) if isinstance(units, int | float) else 1.0


def _steps_of_each(parsed: Mapping[str, object], context: Mapping[str, object]) -> int:
    """Each item by itself; one that is not there costs a step."""
    tables, asked = parsed["Responses"], context["keys"]
    found = [item for items in tables.values() for item in items] if isinstance(tables, Mapping) else []
    steps = sum(math.ceil(item_bytes(_as_text(item)) / _READ_STEP_BYTES) for item in found)
    return steps + (asked - len(found) if isinstance(asked, int) else 0)


def _bytes(parsed: Mapping[str, object]) -> int:
    items = [parsed["Item"]] if parsed.get("Item") else parsed.get("Items", [])
    return sum(item_bytes(_as_text(item)) for item in items) if isinstance(items, list) else 0


def _as_text(item: object) -> object:
    """The item with bytes as text of their length, which counts the same."""
    if not isinstance(item, Mapping):
        return item
    return {
        name: {"S": "x" * len(value["B"])} if isinstance(value, Mapping) and "B" in value else value
        for name, value in item.items()
    }
