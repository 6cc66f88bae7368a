"""The answers of the provider's ``legacy`` API, read into pages.

Source: the provider's page "API Interface for Candidate Test Scores". Beyond it, numbers may come
as text, any field may be absent, and failures come as an object with status 200.
"""

from __future__ import annotations

from examhook.model import Exam
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import UnreadableError, flag, identifier, instant, integer, link, text
from examhook.provider.json_text import JsonValue, json_in
from examhook.provider.pages import ExamPage, ResultsPage
from examhook.provider.rows import ERROR_FIELDS, ErrorAnswer, Row, attempt, read_rows, said

__all__ = ["ErrorAnswer", "parse_exams", "parse_results"]


def parse_exams(body: bytes) -> ExamPage:
    """A page of ``getExams``; raises ProviderMalformed, ErrorAnswer."""
    values = _values(json_in(body))
    exams, unreadable = read_rows(values, _exam)
    return ExamPage(tuple(exams), len(values), tuple(unreadable))


def parse_results(body: bytes, candidate_id: str | None = None) -> ResultsPage:
    """A page of ``queryResults``, where ``candidate_id`` is the one asked for, if one was.

    Raises ProviderMalformed, ErrorAnswer.
    """
    values = _values(json_in(body))
    attempts, unreadable = read_rows(values, lambda row: attempt(row, candidate_id))
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
    if status == "error" or (rows is None and any(answer.get(field) for field in ERROR_FIELDS)):
        raise ErrorAnswer(said(answer))
    if isinstance(rows, list):
        return rows
    numbered = rows if isinstance(rows, dict) else answer
    # PHP writes a list as an object when its keys have gaps.
    if numbered and all(key.isdecimal() for key in numbered):
        return list(numbered.values())
    raise ProviderMalformed("The provider answered with something other than a list. If this goes on, report it.")


def _exam(row: Row) -> Exam:
    available = flag(row.get("available"))
    return Exam(
        exam_id=identifier(row.get("eid"), "eid"),
        title=text(row.get("title")) or "",
        # An exam that does not say is asked about: that costs a request, leaving it out costs submissions.
        available=available is not False,
        attempt_count=_attempt_count(row.get("times")),
        url=link(row.get("url")),
        category=text(row.get("category")),
        availability_known=available is not None,
        created_at=_created_at(row.get("createTime")),
    )


def _created_at(value: object) -> int | None:
    """It only tells new exams from old ones, so what cannot be understood is as good as absent."""
    try:
        return instant(value, "createTime")
    except UnreadableError:
        return None


def _attempt_count(value: object) -> int | None:
    """Only a hint, so what cannot be understood is as good as absent."""
    try:
        count = integer(value, "times")
    except UnreadableError:
        return None
    return count if count is None or count >= 0 else None
