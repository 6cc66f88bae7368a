"""The answers of the provider's ``legacy`` API, read into pages.

Source: the provider's page "API Interface for Candidate Test Scores". Beyond it, numbers may come
as text, any field may be absent, and failures come as an object with status 200. A row that cannot
be understood is skipped, with the reason; the rest of the page counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from examhook.model import Attempt, Exam
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import UnreadableError, flag, identifier, instant, integer, link, points, text
from examhook.provider.json_text import JsonValue, json_in
from examhook.provider.pages import NO_STATUS, ExamPage, ResultsPage, UnreadableRow

Row = dict[str, JsonValue]
T = TypeVar("T")

_ERROR_FIELDS = ("error", "errors", "message", "msg", "errmsg")
_MAX_STATUS = 10**6


class ErrorAnswer(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The provider answered with an error object; ``said`` is its text, which may echo what was asked."""

    def __init__(self, said: str) -> None:
        super().__init__("the provider answered with an error object")
        self.said = said


def parse_exams(body: bytes) -> ExamPage:
    """A page of ``getExams``; raises ProviderMalformed, ErrorAnswer."""
    values = _values(json_in(body))
    exams, unreadable = _read(values, _exam)
    return ExamPage(tuple(exams), len(values), tuple(unreadable))


def parse_results(body: bytes, candidate_id: str | None = None) -> ResultsPage:
    """A page of ``queryResults``, where ``candidate_id`` is the one asked for, if one was.

    Raises ProviderMalformed, ErrorAnswer.
    """
    values = _values(json_in(body))
    attempts, unreadable = _read(values, lambda row: _attempt(row, candidate_id))
    return ResultsPage(
        rows=tuple(attempts),
        row_count=len(values),
        unreadable=tuple(unreadable),
    )


def _values(answer: list[JsonValue] | Row) -> list[JsonValue]:
    """The rows of an answer: a bare list, a list as ``data``, or an object with row numbers for keys."""
    if isinstance(answer, list):
        return answer
    rows = answer.get("data")
    status = answer.get("status")
    if status == "error" or (rows is None and any(answer.get(field) for field in _ERROR_FIELDS)):
        raise ErrorAnswer(_said(answer))
    if isinstance(rows, list):
        return rows
    numbered = rows if isinstance(rows, dict) else answer
    # PHP writes a list as an object when its keys have gaps.
    if numbered and all(key.isdecimal() for key in numbered):
        return list(numbered.values())
    raise ProviderMalformed("The provider answered with something other than a list. If this goes on, report it.")


def _said(answer: Row) -> str:
    return next((said for field in _ERROR_FIELDS if (said := text(answer.get(field)))), "")


def _read(values: list[JsonValue], read_row: Callable[[Row], T]) -> tuple[list[T], list[UnreadableRow]]:
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


def _exam(row: Row) -> Exam:
    return Exam(
        exam_id=identifier(row.get("eid"), "eid"),
        title=text(row.get("title")) or "",
        # An exam that does not say is asked about: that costs a request, leaving it out costs submissions.
        available=flag(row.get("available")) is not False,
        takings=_takings(row.get("times")),
        url=link(row.get("url")),
        category=text(row.get("category")),
    )


def _takings(value: object) -> int | None:
    """Only a hint, so what cannot be understood is as good as absent."""
    try:
        takings = integer(value, "times")
    except UnreadableError:
        return None
    return takings if takings is None or takings >= 0 else None


def _attempt(row: Row, candidate_id: str | None) -> Attempt:
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
    status = integer(value, "status")
    if status is None:
        return NO_STATUS
    if 0 <= status <= _MAX_STATUS:
        return status
    raise UnreadableError("status is no status")
