"""Counts the AWS requests and the DynamoDB units of this process, and the events that it writes to the outbox.

Write units are those that the emulator reports: it counts by item size and includes indexes, as DynamoDB does. The
emulator reports one figure for every query, so read units are computed from the returned items: an answer costs half a
unit per started 4 KB, or one unit if the read is consistent (Amazon DynamoDB developer guide, "Capacity unit
consumption for read operations").

::

    UncountableError    the answer does not show the cost of an operation; add the operation here
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import boto3

from examhook.storage.events import LINK_REQUEST_INDEX

SERVICES = ("dynamodb", "kms", "sns", "sqs")
"""Services whose requests are counted."""

_READS = frozenset({"GetItem", "Query", "Scan"})
_BATCH_READ = "BatchGetItem"
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_HIDES_READ_ITEMS = frozenset({"ProjectionExpression", "FilterExpression", "Select"})
_WHOLE_ITEM_INDEXES = frozenset({LINK_REQUEST_INDEX})
_KEYS_ONLY_INDEXES = frozenset({"waiting"})
"""These indexes hold keys only. An answer without items, such as a count, is counted as one step of 4 KB."""

_READ_STEP_BYTES = 4096
_WRITE_STEP_BYTES = 1024
_NESTING_BYTES = 3


class UncountableError(RuntimeError):
    """The answer does not show the cost of the operation."""


class Operation(Protocol):
    """botocore's model of an operation."""

    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """The fields of an event that identify it in a comparison."""

    event_type: str
    exam_id: str
    candidate_id: str
    started_at: int


@dataclass(slots=True)
class UnitCounter:
    """Usage since the last ``reset``. Safe for threads. Make it before the clients."""

    requests: Counter[str] = field(default_factory=Counter)
    """By ``service.Operation``."""
    read_units: float = 0
    write_units: float = 0
    announced: list[Event] = field(default_factory=list)
    """Events whose write succeeded."""
    own_cpu_s: float = 0
    """Processor time of the counting itself."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of_this_process(cls) -> Self:
        """Count for every client that ``boto3.client`` makes from now on."""
        counter, session = cls(), boto3.Session()
        session.events.register("before-parameter-build.dynamodb", counter._before)
        for service in SERVICES:
            session.events.register(f"after-call.{service}", counter._after)
        boto3.DEFAULT_SESSION = session
        return counter

    def reset(self) -> None:
        """Set every figure to zero."""
        self.requests.clear()
        self.read_units, self.write_units, self.announced, self.own_cpu_s = 0, 0, [], 0

    def _before(self, params: dict[str, object], model: Operation, context: dict[str, object], **_: object) -> None:
        if model.name in _READS | _WRITES:
            params["ReturnConsumedCapacity"] = "TOTAL"
            if params.get("Limit") == 1:
                # A projection saves no units and hides the size of the item. The caller ignores the other attributes.
                params.pop("ProjectionExpression", None)
            context["asked"] = dict(params)
        elif model.name == _BATCH_READ:
            whole_items = {
                table: {name: value for name, value in _mapping(asked).items() if name != "ProjectionExpression"}
                for table, asked in _mapping(params["RequestItems"]).items()
            }
            params["RequestItems"] = whole_items
            context["asked"] = whole_items

    def _after(
        self,
        parsed: Mapping[str, object],
        model: Operation,
        context: Mapping[str, object],
        event_name: str,
        **_: object,
    ) -> None:
        began_s = time.thread_time()
        service_operation, asked = event_name.removeprefix("after-call."), context.get("asked")
        with self._lock:
            self.requests[service_operation] += 1
            if isinstance(asked, dict):
                self._count(model.name, asked, parsed)
            elif service_operation.startswith(("dynamodb.Batch", "dynamodb.Transact", "dynamodb.Execute")):
                raise UncountableError(model.name)
            self.own_cpu_s += time.thread_time() - began_s

    def _count(self, name: str, asked: Mapping[str, object], parsed: Mapping[str, object]) -> None:
        if name in _READS:
            self._count_read(name, asked, parsed)
        elif name == _BATCH_READ:
            for table, wanted in asked.items():
                self._count_batch_read(_mapping(wanted), _sequence(_mapping(parsed["Responses"]).get(table, [])))
        elif "Error" not in parsed:
            self.write_units += sum(_units(entry) for entry in _entries(parsed["ConsumedCapacity"]))
            for item in _items_put(asked):
                self._note_announcement(item)
        else:
            # A failed condition costs as much as the write would have, at least one unit.
            units_per_step = 2 if "TransactItems" in asked else 1
            sizes = [item_bytes(item) for item in _items_put(asked)] or [0]
            self.write_units += sum(units_per_step * max(1, math.ceil(size / _WRITE_STEP_BYTES)) for size in sizes)

    def _count_read(self, name: str, asked: Mapping[str, object], parsed: Mapping[str, object]) -> None:
        index = asked.get("IndexName")
        hidden = _HIDES_READ_ITEMS & asked.keys()
        if index is not None and index not in _WHOLE_ITEM_INDEXES:
            hidden |= {"IndexName"}
        if hidden and index not in _KEYS_ONLY_INDEXES:
            raise UncountableError(f"{name} with {', '.join(sorted(hidden))}")
        found = [parsed["Item"]] if parsed.get("Item") else parsed.get("Items", [])
        size = sum(item_bytes(item) for item in _sequence(found))
        self.read_units += _read_unit(asked) * max(1, math.ceil(size / _READ_STEP_BYTES))

    def _count_batch_read(self, asked: Mapping[str, object], found: Sequence[object]) -> None:
        # Each item costs at least one step, and so does an absent one.
        absent = len(_sequence(asked["Keys"])) - len(found)
        steps = absent + sum(max(1, math.ceil(item_bytes(one) / _READ_STEP_BYTES)) for one in found)
        self.read_units += _read_unit(asked) * steps

    def _note_announcement(self, item: Mapping[str, Any]) -> None:
        if item.get("announce") != {"BOOL": True}:
            return
        newest = item["transitions"]["L"][-1]["M"]
        self.announced.append(
            Event(
                newest["event_type"]["S"],
                item["exam_id"]["S"],
                # Events about an exam name no attempt.
                item["candidate_id"]["S"] if "candidate_id" in item else "",
                int(item["started_at"]["N"]) if "started_at" in item else 0,
            )
        )


def _read_unit(asked: Mapping[str, object]) -> float:
    return 1.0 if asked.get("ConsistentRead") else 0.5


def _items_put(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    puts = [each["Put"] for each in asked.get("TransactItems", []) if "Put" in each] or [asked]
    return [put["Item"] for put in puts if "Item" in put]


def item_bytes(item: object) -> int:
    """Return the size of an item by DynamoDB's rules; raises UncountableError."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in _mapping(item).items())


def _value_bytes(value: object) -> int:
    ((kind, content),) = _mapping(value).items()
    match kind:
        case "BOOL" | "NULL":
            return 1
        case "S":
            return len(str(content).encode())
        case "B" if isinstance(content, bytes):
            return len(content)
        case "N":
            digits = str(content).strip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1
        case "M":
            return _NESTING_BYTES + sum(
                1 + len(name.encode()) + _value_bytes(each) for name, each in _mapping(content).items()
            )
        case "L":
            return _NESTING_BYTES + sum(1 + _value_bytes(each) for each in _sequence(content))
        case _:
            raise UncountableError(f"a value of type {kind}")


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UncountableError(f"a {type(value).__name__} where an item was expected")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, Sequence):
        raise UncountableError(f"a {type(value).__name__} where a list was expected")
    return value


def _entries(capacity: object) -> Sequence[object]:
    return capacity if isinstance(capacity, list) else [capacity]


def _units(entry: object) -> float:
    units = _mapping(entry)["CapacityUnits"]
    if not isinstance(units, int | float):
        raise UncountableError("units are not a number")
    return float(units)
