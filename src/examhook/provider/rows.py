"""Test records, which both of the provider's APIs show alike.

A record needs a candidate, a start and a status. A row without a readable one of them is skipped and
reported with the reason. Any other field that cannot be read becomes None and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from examhook.model import Attempt
from examhook.provider.envelope import Row
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import (
    UnreadableError,
    flag,
    identifier,
    instant,
    integer,
    link,
    optional,
    points,
    record_id,
    text,
)
from examhook.provider.json_text import JsonValue
from examhook.provider.pages import NO_STATUS, UnreadableRow

T = TypeVar("T")

MAX_ROWS = 20_000
"""Rows that one answer may hold; the product asks for 10,000 at most."""

_MAX_STATUS = 10**6


def read_rows(
    values: Sequence[JsonValue], read_row: Callable[[Row], T]
) -> tuple[tuple[T, ...], tuple[UnreadableRow, ...]]:
    """What ``read_row`` makes of each row, and why some could not be read; raises ProviderMalformed."""
    if len(values) > MAX_ROWS:
        raise ProviderMalformed(
            f"The provider answered with more than {MAX_ROWS} rows at once, which is more than can be read.",
            helps_to_retry=False,
        )
    found: list[T] = []
    unreadable: list[UnreadableRow] = []
    for place, value in enumerate(values):
        if not isinstance(value, dict):
            unreadable.append(UnreadableRow(place, "not a record"))
            continue
        try:
            found.append(read_row(value))
        except UnreadableError as reason:
            unreadable.append(UnreadableRow(place, str(reason)))
    return tuple(found), tuple(unreadable)


def attempt(row: Row, candidate_id: str | None, unreadable_fields: Counter[str]) -> Attempt:
    """The attempt that ``row`` shows, of ``candidate_id`` if one was asked for; raises UnreadableError.

    Counts in ``unreadable_fields`` each optional field that could not be read.
    """
    get = row.get
    started_at = instant(get("startTime"), "startTime")
    if started_at is None:
        raise UnreadableError("startTime is missing")
    owner = identifier(get("sid"), "sid") if candidate_id is None else asked_for(candidate_id, get("sid"), "sid")
    status = get("status")
    if type(status) is not int or not 0 <= status <= _MAX_STATUS:
        status = _status(status)
    name, ended_at, score, passed, url, tid = (
        get("name"), get("endTime"), get("score"), get("passed"), get("viewResult"), get("tid"),
    )  # fmt: skip
    try:
        return Attempt(
            owner,
            started_at,
            status,
            text(name, "name"),
            instant(ended_at, "endTime"),
            points(score, "score"),
            None if passed is None else flag(passed, "passed"),
            link(url, "viewResult"),
            None if tid is None else record_id(tid, "tid"),
        )
    except UnreadableError:
        # Rare, so that only such a row pays for reading its fields one by one.
        return Attempt(
            owner,
            started_at,
            status,
            optional(text, name, "name", unreadable_fields),
            optional(instant, ended_at, "endTime", unreadable_fields),
            optional(points, score, "score", unreadable_fields),
            optional(flag, passed, "passed", unreadable_fields),
            optional(link, url, "viewResult", unreadable_fields),
            optional(record_id, tid, "tid", unreadable_fields),
        )


def asked_for(asked: str, value: JsonValue, field: str) -> str:
    """The id that was asked for, where the row names it or none; raises UnreadableError where it names another.

    A server that ignores what it was asked for must not make one exam's or candidate's rows another's.
    """
    if value == asked or value is None or value == "" or identifier(value, field) == asked:
        return asked
    raise UnreadableError(f"{field} is not the one asked for")


def stated_total(value: JsonValue) -> int | None:
    """A count of rows; None where it is absent or has no clear meaning, since it is only a hint."""
    try:
        total = integer(value, "total")
    except UnreadableError:
        return None
    return total if total is None or total >= 0 else None


def _status(value: object) -> int:
    status = integer(value, "status")
    if status is None:
        return NO_STATUS
    if 0 <= status <= _MAX_STATUS:
        return status
    raise UnreadableError("status is no status")
