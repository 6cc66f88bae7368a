"""Counts AWS calls, and DynamoDB units by DynamoDB's rules.

moto reports no units, so they are computed from requests and answers. A write costs one unit per started KB of the new
item, in the table and in each index that contains the item; in a transaction it costs two units in the table. A read
costs half a unit per started 4 KB, or one if it is consistent (Amazon DynamoDB developer guide, "Capacity unit
consumption").
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from typing import Any

import boto3

from tools.bench.units import item_bytes

_INDEXES = {"Events": ("day",), "Deliveries": ("waiting_endpoint_id",)}
"""Key attribute of each table's index; an item without it is not in the index."""


@dataclass(frozen=True)
class Units:
    """Usage per unit of work."""

    calls: float
    """AWS calls."""
    write_units: float
    read_units: float
    sns: float = 0
    sqs: float = 0

    def per(self, count: int) -> Units:
        """Divide every figure by ``count``."""
        return self._each(lambda figure, _: figure / count, self)

    def plus(self, other: Units) -> Units:
        """Add every figure of ``other``."""
        return self._each(lambda figure, more: figure + more, other)

    def minus(self, other: Units) -> Units:
        """Subtract every figure of ``other``; no result is below 0."""
        return self._each(lambda figure, less: max(0.0, figure - less), other)

    def _each(self, combine: Callable[[float, float], float], other: Units) -> Units:
        return Units(*map(combine, astuple(self), astuple(other)))


@dataclass(frozen=True)
class Measured:
    """Units of all work that costs depend on."""

    quiet_poll: Units
    """A poll without changes, of an account with one exam."""
    exam_in_quiet_poll: Units
    """Each further exam in such a poll."""
    rotation: Units
    """Each exam whose new rows a poll reads in the rotation, if there are none."""
    submission: Units
    """Poll's part of an attempt that is seen to start and to end."""
    event: Units
    """Dispatch's part of one event in a batch of ten; every other event has one webhook."""
    day_index_units: float
    """Write units of ``event`` in the index of Events by day, in which all events of a day have one key."""
    delivery: Units
    """Deliver's part of one webhook that succeeds at the first attempt."""
    retry_tick: Units
    """A tick of Retry with one webhook and nothing due."""


@dataclass
class Meter:
    """Usage since the last ``reset``."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    read_units: float = 0
    index_units: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Write units in the index of each table; ``write_units`` includes them."""

    def attach(self) -> None:
        """Count the calls of every client that ``boto3.client`` makes from now on."""
        plain = boto3.client("dynamodb")
        session = boto3.Session()
        session.events.register("before-parameter-build", self._before)
        session.events.register("after-call", lambda **facts: self._after(plain, **facts))
        boto3.DEFAULT_SESSION = session

    def reset(self) -> None:
        """Set every figure to zero."""
        self.calls.clear()
        self.index_units.clear()
        self.write_units = self.read_units = 0

    def units(self) -> Units:
        """Return the usage as Units."""
        calls = self.calls
        sns, sqs = (sum(calls[name] for name in calls if name.startswith(f"{service}.")) for service in ("sns", "sqs"))
        return Units(calls.total(), self.write_units, self.read_units, sns, sqs)

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["asked"] = dict(params)

    def _after(
        self,
        plain: Any,  # noqa: ANN401 - a boto3 client
        *,
        parsed: dict[str, Any],
        model: Any,  # noqa: ANN401 - botocore has no types
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
        # The index is not part of the transaction.
        self.write_units += each if transacted else 0
        in_index = each * sum(attribute in item for attribute in _INDEXES.get(table, ()))
        self.index_units[table] += in_index
        self.write_units += each + in_index
