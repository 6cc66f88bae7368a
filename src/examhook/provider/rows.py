"""Test records as both of the provider's APIs show them, and what stands in place of them.

Numbers may come as text and any field may be absent. A row that cannot be understood is skipped,
with the reason; the rest of the page counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from examhook.model import Attempt
from examhook.provider.fields import UnreadableError, flag, identifier, instant, integer, link, points, text
from examhook.provider.json_text import JsonValue
from examhook.provider.pages import NO_STATUS, UnreadableRow

Row = dict[str, JsonValue]
T = TypeVar("T")

ERROR_FIELDS = ("error", "errors", "message", "msg", "errmsg")
"""Where an error object may say what is wrong."""

_MAX_STATUS = 10**6


class ErrorAnswer(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The provider answered with an error object; ``said`` is its text, which may echo what was asked."""

    def __init__(self, said: str) -> None:
        super().__init__("the provider answered with an error object")
        self.said = said


def said(answer: Row) -> str:
    """What an error object says; empty when it says nothing."""
    return next((found for field in ERROR_FIELDS if (found := text(answer.get(field)))), "")


def read_rows(values: Sequence[JsonValue], read_row: Callable[[Row], T]) -> tuple[list[T], list[UnreadableRow]]:
    """What ``read_row`` makes of each row, and why it could make nothing of some."""
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
    return found, unreadable


def attempt(row: Row, candidate_id: str | None) -> Attempt:
    """The attempt that ``row`` shows, of ``candidate_id`` if it names nobody; raises UnreadableError."""
    get = row.get
    sid = get("sid")
    started_at = instant(get("startTime"), "startTime")
    if started_at is None:
        raise UnreadableError("startTime is missing")
    return Attempt(
        candidate_id if candidate_id is not None and (sid is None or sid == "") else identifier(sid, "sid"),
        started_at,
        _status(get("status")),
        text(get("name")),
        instant(get("endTime"), "endTime"),
        points(get("score"), "score"),
        flag(get("passed")),
        link(get("viewResult")),
    )


def _status(value: object) -> int:
    status = value if type(value) is int else integer(value, "status")
    if status is None:
        return NO_STATUS
    if 0 <= status <= _MAX_STATUS:
        return status
    raise UnreadableError("status is no status")
