"""Strict reader of JSON objects, for both sides of the control endpoint.

::

    FieldsError    a field is missing or unknown, or has the wrong type; do not retry
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from examhook_simulator.facts import AttemptRef, LedgerEntry, LedgerKind, RequestRecord, TruthRow


class FieldsError(ValueError):
    """The JSON is invalid; the message names the field."""


class Fields:
    """The fields of a JSON object. Every method raises FieldsError if a value has the wrong type."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @classmethod
    def parse(cls, body: bytes) -> Fields:
        """Parse a body with one JSON object; an empty body has no fields."""
        try:
            values: object = json.loads(body or b"{}")
        except ValueError:
            raise FieldsError("The body is not JSON") from None
        return cls.of(values)

    @classmethod
    def of(cls, value: object) -> Fields:
        """Wrap a decoded object."""
        if not isinstance(value, dict):
            raise FieldsError("The value is not a JSON object")
        return cls(value)

    def text(self, name: str) -> str:
        """Return a string."""
        value = self._take(name)
        if not isinstance(value, str):
            raise FieldsError(f"{name} is not a text")
        return value

    def whole(self, name: str) -> int:
        """Return an integer."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FieldsError(f"{name} is not a whole number")
        return value

    def number(self, name: str) -> float:
        """Return a number."""
        value = self._take(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise FieldsError(f"{name} is not a number")
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise FieldsError(f"{name} is not true or false")
        return value

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        value = self._take(name)
        if not isinstance(value, list):
            raise FieldsError(f"{name} is not a list")
        return [Fields.of(item) for item in value]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise FieldsError(f"{name} is not a list of texts")
        return tuple(value)

    def text_map(self, name: str) -> dict[str, str]:
        """Return an object whose values are strings."""
        inner = Fields.of(self._take(name))
        return {key: inner.text(key) for key in inner.names()}

    def names(self) -> tuple[str, ...]:
        """Return the names of all fields."""
        return tuple(self._values)

    def has(self, name: str) -> bool:
        """Return whether a field exists and is not null."""
        return self._values.get(name) is not None

    def refuse_others(self, known: Collection[str]) -> None:
        """Raise FieldsError if there are unknown fields."""
        others = sorted(self._values.keys() - set(known))
        if others:
            raise FieldsError(f"Unknown: {', '.join(others)}; there is only: {', '.join(known)}")

    def _take(self, name: str) -> object:
        if name not in self._values:
            raise FieldsError(f"{name} is missing")
        return self._values[name]


def attempt_ref(fields: Fields) -> AttemptRef:
    """Read the identity of an attempt."""
    return AttemptRef(fields.text("exam_id"), fields.text("candidate_id"), fields.whole("started_at"))


def ledger_entry(fields: Fields) -> LedgerEntry:
    """Read a ledger entry."""
    return LedgerEntry(
        n=fields.whole("n"),
        at=fields.whole("at"),
        kind=LedgerKind(fields.text("kind")),
        exam_id=fields.text("exam_id"),
        candidate_id=fields.text("candidate_id") if fields.has("candidate_id") else None,
        started_at=fields.whole("started_at") if fields.has("started_at") else None,
        status=fields.whole("status") if fields.has("status") else None,
        score=fields.number("score") if fields.has("score") else None,
        ended_at=fields.whole("ended_at") if fields.has("ended_at") else None,
    )


def truth_row(fields: Fields) -> TruthRow:
    """Read the true state of an attempt."""
    return TruthRow(
        exam_id=fields.text("exam_id"),
        exam_title=fields.text("exam_title"),
        candidate_id=fields.text("candidate_id"),
        name=fields.text("name"),
        started_at=fields.whole("started_at"),
        status=fields.whole("status"),
        score=fields.number("score"),
        passed=fields.flag("passed"),
        ended_at=fields.whole("ended_at") if fields.has("ended_at") else None,
    )


def request_record(fields: Fields) -> RequestRecord:
    """Read a logged request."""
    return RequestRecord(
        n=fields.whole("n"),
        at=fields.whole("at"),
        elapsed_s=fields.number("elapsed_s"),
        task=fields.text("task"),
        params=fields.text_map("params"),
        http_status=fields.whole("http_status"),
        rows=fields.whole("rows"),
        refused=fields.flag("refused"),
        quirks=fields.texts("quirks"),
    )
