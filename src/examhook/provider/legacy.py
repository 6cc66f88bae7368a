"""Reads the answers of the provider's ``legacy`` API into pages.

Source: the provider's page "API Interface for Candidate Test Scores". Beyond that page, numbers may
come as text, any field may be absent, and an error comes as an object with HTTP status 200.
"""

from __future__ import annotations

from collections import Counter

from examhook.model import Attempt, Exam
from examhook.provider.envelope import Row, rows_in
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import flag, identifier, link, optional, text
from examhook.provider.json_text import JsonValue, json_in
from examhook.provider.pages import ExamPage, ResultsPage
from examhook.provider.rows import asked_for, attempt, read_rows, stated_total


def parse_exams(body: bytes, charset: str | None = None) -> ExamPage:
    """A page of ``getExams``; raises ProviderMalformed, ErrorAnswer."""
    values, _ = _values(json_in(body, charset))
    exams, unreadable = read_rows(values, _exam)
    return ExamPage(exams, len(values), unreadable)


def parse_results(
    body: bytes, charset: str | None = None, *, exam_id: str | None = None, candidate_id: str | None = None
) -> ResultsPage:
    """A page of ``queryResults``, of the exam and the candidate that were asked for.

    Raises ProviderMalformed, ErrorAnswer.
    """
    values, total = _values(json_in(body, charset))
    unreadable_fields: Counter[str] = Counter()

    def read(row: Row) -> Attempt:
        if exam_id is not None and "eid" in row:
            asked_for(exam_id, row["eid"], "eid")
        return attempt(row, candidate_id, unreadable_fields)

    attempts, unreadable = read_rows(values, read)
    return ResultsPage(
        rows=attempts,
        row_count=len(values),
        unreadable=unreadable,
        # Beside one candidate's rows it counts the candidate's.
        total=total if candidate_id is None else None,
        unreadable_fields=unreadable_fields,
    )


def _values(answer: list[JsonValue] | Row) -> tuple[list[JsonValue], int | None]:
    """The rows of an answer, and how many there are in all where it says so."""
    if isinstance(answer, list):
        return answer, None
    rows = rows_in(answer)
    if rows is None:
        raise ProviderMalformed("The provider answered with something other than a list. If it persists, report it.")
    return rows, stated_total(answer.get("total"))


def _exam(row: Row) -> Exam:
    get = row.get
    unreadable_fields: Counter[str] = Counter()
    return Exam(
        exam_id=identifier(get("eid"), "eid"),
        title=optional(text, get("title"), "title", unreadable_fields) or "",
        available=optional(flag, get("available"), "available", unreadable_fields),
        attempt_count=stated_total(get("times")),
        url=optional(link, get("url"), "url", unreadable_fields),
        category=optional(text, get("category"), "category", unreadable_fields),
    )
