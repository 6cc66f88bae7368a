"""Strict reader for the JSON objects of the control endpoint, for both its sides.

::

    WireError    a field is missing, of the wrong type, or unknown; retrying does not help
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from examhook_simulator.facts import AttemptRef, LedgerEntry, LedgerKind, RequestRecord, TruthRow


class WireError(ValueError):
    """The JSON is not what it should be; the message names the field."""


class Fields:
    """The fields of one JSON object; each reader raises WireError where the value is not of its type."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @classmethod
    def parse(cls, body: bytes) -> Fields:
        """Fields of a body that holds one JSON object; an empty body holds none."""
        try:
            values: object = json.loads(body or b"{}")
        except ValueError:
            raise WireError("The body is not JSON") from None
        return cls.of(values)

    @classmethod
    def of(cls, value: object) -> Fields:
        """Fields of a decoded value, which must be an object."""
        if not isinstance(value, dict):
            raise WireError("The value is not a JSON object")
        return cls(value)

    def text(self, name: str) -> str:
        """A text."""
        value = self._take(name)
        if not isinstance(value, str):
            raise WireError(f"{name} is not a text")
        return value

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise WireError(f"{name} is not a whole number")
        return value

    def number(self, name: str) -> float:
        """A number."""
        value = self._take(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise WireError(f"{name} is not a number")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise WireError(f"{name} is not true or false")
        return value

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        value = self._take(name)
        if not isinstance(value, list):
            raise WireError(f"{name} is not a list")
        return [Fields.of(item) for item in value]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise WireError(f"{name} is not a list of texts")
        return tuple(value)

    def text_map(self, name: str) -> dict[str, str]:
        """An object with texts in it."""
        inner = Fields.of(self._take(name))
        return {key: inner.text(key) for key in inner.names()}

    def names(self) -> tuple[str, ...]:
        """Names of the fields that are there."""
        return tuple(self._values)

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self._values.get(name) is not None

    def refuse_others(self, known: Collection[str]) -> None:
        """Raise WireError if there are fields beside the known ones."""
        others = sorted(self._values.keys() - set(known))
        if others:
            raise WireError(f"Unknown: {', '.join(others)}; there is only: {', '.join(known)}")

    def _take(self, name: str) -> object:
        if name not in self._values:
            raise WireError(f"{name} is missing")
        return self._values[name]


def attempt_ref(fields: Fields) -> AttemptRef:
    """The fields that identify an attempt."""
    return AttemptRef(fields.text("exam_id"), fields.text("candidate_id"), fields.whole("started_at"))


def ledger_entry(fields: Fields) -> LedgerEntry:
    """One entry of the ledger."""
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
    """One attempt as it really is."""
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
    """One request as it was answered."""
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
