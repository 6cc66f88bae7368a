"""Counts the DynamoDB units that a process uses, and the events that it writes into the outbox.

Writes are counted as the emulator says: it goes by the size of the items, as DynamoDB does. Reads
are counted here, from the items that come back, since the emulator says the same for every query:
all items of an answer together, in steps of 4 KB, half a unit each, or a whole one when consistent
(Amazon DynamoDB developer guide, "Capacity unit consumption for read operations").

::

    UncountableError    an operation whose cost the answer does not show; teach it here, don't try again
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import boto3

from examhook.storage.events import LINK_REQUEST_INDEX

_READS = frozenset({"GetItem", "Query", "Scan"})
_READ_OF_MANY = "BatchGetItem"
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_WRITES_OF_MANY = frozenset({"BatchWriteItem", "TransactWriteItems"})
_HIDES_WHAT_WAS_READ = frozenset({"ProjectionExpression", "FilterExpression", "Select"})

_READ_STEP_BYTES = 4096
_WRITE_STEP_BYTES = 1024
_NESTING_BYTES = 3


class UncountableError(RuntimeError):
    """What an operation cost cannot be told from its answer."""


class Operation(Protocol):
    """botocore's model of an operation."""

    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """What an event says, as far as it tells one from the others."""

    event_type: str
    exam_id: str
    candidate_id: str
    started_at: int


@dataclass(slots=True)
class UnitCounter:
    """What was used since the last ``reset``; made before the clients are. Any thread may use them."""

    read_units: float = 0
    write_units: float = 0
    announced: list[Event] = field(default_factory=list)
    """The events whose write was accepted."""
    own_cpu_s: float = 0
    """Seconds of processor time that the counting itself took."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of_this_process(cls) -> Self:
        """Count what every client does that ``boto3.client`` makes from now on."""
        counter, session = cls(), boto3.Session()
        session.events.register("before-parameter-build.dynamodb", counter._before)
        session.events.register("after-call.dynamodb", counter._after)
        boto3.DEFAULT_SESSION = session
        return counter

    def reset(self) -> None:
        """Begin anew."""
        self.read_units, self.write_units, self.announced, self.own_cpu_s = 0, 0, [], 0

    def _before(self, params: dict[str, object], model: Operation, context: dict[str, object], **_: object) -> None:
        if model.name in _READS | _WRITES | _WRITES_OF_MANY:
            params["ReturnConsumedCapacity"] = "TOTAL"
            if params.get("Limit") == 1:
                # A projection saves no units, and hides how large the one item is. Whoever asked passes over the rest.
                params.pop("ProjectionExpression", None)
            context["asked"] = dict(params)
        elif model.name == _READ_OF_MANY:
            tables = _mapping(params["RequestItems"]).items()
            of_whole_items = {
                table: {name: value for name, value in _mapping(asked).items() if name != "ProjectionExpression"}
                for table, asked in tables
            }
            params["RequestItems"] = of_whole_items
            context["asked"] = of_whole_items

    def _after(
        self, parsed: Mapping[str, object], model: Operation, context: Mapping[str, object], **_: object
    ) -> None:
        began_s = time.thread_time()
        asked = context.get("asked")
        with self._lock:
            if isinstance(asked, dict):
                self._count(model.name, asked, parsed)
            elif model.name.startswith(("Batch", "Transact", "Execute")):
                raise UncountableError(model.name)
            self.own_cpu_s += time.thread_time() - began_s

    def _count(self, name: str, asked: Mapping[str, object], parsed: Mapping[str, object]) -> None:
        if name in _READS:
            self._count_read(name, asked, parsed)
        elif name == _READ_OF_MANY:
            for table, wanted in asked.items():
                self._count_read_of_many(_mapping(wanted), _sequence(_mapping(parsed["Responses"]).get(table, [])))
        elif "Error" not in parsed:
            self.write_units += sum(_units(entry) for entry in _entries(parsed["ConsumedCapacity"]))
            for item in _items_put(asked):
                self._note_announcement(item)
        else:
            # A refused condition costs what the write would have, one unit at least.
            each = 2 if "TransactItems" in asked else 1
            sizes = [item_bytes(item) for item in _items_put(asked)] or [0]
            self.write_units += sum(each * max(1, math.ceil(size / _WRITE_STEP_BYTES)) for size in sizes)

    def _count_read(self, name: str, asked: Mapping[str, object], parsed: Mapping[str, object]) -> None:
        hidden = _HIDES_WHAT_WAS_READ & asked.keys()
        # This index projects every attribute, so that an answer shows all that was read.
        if asked.get("IndexName", LINK_REQUEST_INDEX) != LINK_REQUEST_INDEX:
            hidden |= {"IndexName"}
        if hidden:
            raise UncountableError(f"{name} with {', '.join(sorted(hidden))}")
        found = [parsed["Item"]] if parsed.get("Item") else parsed.get("Items", [])
        size = sum(item_bytes(item) for item in _sequence(found))
        unit = 1.0 if asked.get("ConsistentRead") else 0.5
        self.read_units += unit * max(1, math.ceil(size / _READ_STEP_BYTES))

    def _count_read_of_many(self, asked: Mapping[str, object], found: Sequence[object]) -> None:
        unit = 1.0 if asked.get("ConsistentRead") else 0.5
        # Each item by itself, and an item that is not there like the smallest.
        absent = len(_sequence(asked["Keys"])) - len(found)
        self.read_units += unit * (absent + sum(max(1, math.ceil(item_bytes(one) / _READ_STEP_BYTES)) for one in found))

    def _note_announcement(self, item: Mapping[str, Any]) -> None:
        if item.get("announce") != {"BOOL": True}:
            return
        newest = item["transitions"]["L"][-1]["M"]
        self.announced.append(
            Event(
                newest["event_type"]["S"],
                item["exam_id"]["S"],
                # An exam's own events are about no attempt.
                item["candidate_id"]["S"] if "candidate_id" in item else "",
                int(item["started_at"]["N"]) if "started_at" in item else 0,
            )
        )


def _items_put(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a PutItem, or of a transaction's puts."""
    puts = [each["Put"] for each in asked.get("TransactItems", []) if "Put" in each] or [asked]
    return [put["Item"] for put in puts if "Item" in put]


def item_bytes(item: object) -> int:
    """Size of an item as DynamoDB counts it."""
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
        raise UncountableError("units that are no number")
    return float(units)
