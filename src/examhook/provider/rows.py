"""Reads rows of results, which both APIs of the provider return in the same form.

A row needs a candidate, a start and a status. If one of them cannot be read, the row is skipped and reported with the
reason. Any other unreadable field becomes None and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from examhook.model import Attempt
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import (
    UnreadableError,
    flag,
    identifier,
    integer,
    link,
    optional,
    points,
    record_id,
    text,
    unix_seconds,
)
from examhook.provider.json_text import JsonObject, JsonValue
from examhook.provider.port import NO_STATUS, UnreadableRow

T = TypeVar("T")

MAX_ROWS = 20_000
"""Maximum number of rows in one answer. Examhook requests 10,000 at most."""

_MAX_STATUS = 10**6


def read_rows(
    values: Sequence[JsonValue], read_row: Callable[[JsonObject], T]
) -> tuple[tuple[T, ...], tuple[UnreadableRow, ...]]:
    """Return what ``read_row`` returns for each row, and the rows that it cannot read; raises ProviderMalformed."""
    if len(values) > MAX_ROWS:
        raise ProviderMalformed(
            f"The provider answered with more than {MAX_ROWS} rows at once, which is more than can be read.",
            retryable=False,
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


def attempt(row: JsonObject, candidate_id: str | None, unreadable_fields: Counter[str]) -> Attempt:
    """Return the attempt in ``row``; raises UnreadableError.

    ``candidate_id`` is the requested candidate, None if all were requested. ``unreadable_fields`` counts the optional
    fields that cannot be read.
    """
    get = row.get
    started_at = unix_seconds(get("startTime"), "startTime")
    if started_at is None:
        raise UnreadableError("startTime is missing")
    owner = identifier(get("sid"), "sid") if candidate_id is None else requested_id(candidate_id, get("sid"), "sid")
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
            unix_seconds(ended_at, "endTime"),
            points(score, "score"),
            None if passed is None else flag(passed, "passed"),
            link(url, "viewResult"),
            None if tid is None else record_id(tid, "tid"),
        )
    except UnreadableError:
        # Slower, field by field; unreadable rows are rare.
        return Attempt(
            owner,
            started_at,
            status,
            optional(text, name, "name", unreadable_fields),
            optional(unix_seconds, ended_at, "endTime", unreadable_fields),
            optional(points, score, "score", unreadable_fields),
            optional(flag, passed, "passed", unreadable_fields),
            optional(link, url, "viewResult", unreadable_fields),
            optional(record_id, tid, "tid", unreadable_fields),
        )


def requested_id(requested: str, value: JsonValue, field: str) -> str:
    """Return the requested id if the row states it or no id; raises UnreadableError if the row states another one.

    Some servers ignore the filter. The rows of one exam or candidate must not be taken for another's.
    """
    if value == requested or value is None or value == "" or identifier(value, field) == requested:
        return requested
    raise UnreadableError(f"{field} is not the requested one")


def stated_total(value: JsonValue) -> int | None:
    """Return a number of rows; None if it is absent or unclear, because it is only a hint."""
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
    raise UnreadableError("status is not a valid status")
