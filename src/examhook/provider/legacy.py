"""The provider's ``legacy`` API: the client, and the reading of its answers.

Both tasks share one address, and the account code is a parameter. Source: the provider's page "API Interface for
Candidate Test Scores". Undocumented: numbers may come as text, any field may be absent, and errors come as an object
with HTTP status 200.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import ClassVar

from examhook.model import Attempt, AttemptKey, Exam
from examhook.provider.api_client import ApiClient, RedactedDict
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import flag, identifier, link, optional, text
from examhook.provider.json_text import JsonObject, JsonValue, json_in
from examhook.provider.port import ExamPage, ResultsPage
from examhook.provider.response_envelope import rows_in
from examhook.provider.response_errors import RequestKind
from examhook.provider.rows import attempt, read_rows, requested_id, stated_total

_ATTEMPT_ROWS = 100
"""Rows per request for one candidate; more attempts than a candidate makes at one exam."""


class LegacyClient(ApiClient):
    """Reads one account by ``getExams`` and ``queryResults``. Use it in one thread only."""

    PATH: ClassVar[str] = "/index.php"

    def exams(self, start: int, limit: int) -> ExamPage:
        """Return exams from offset ``start``; raises ProviderError."""
        query = RedactedDict(task="api.getExams", start=str(start), limit=str(limit))
        return self._request(query, parse_exams, RequestKind.EXAMS)

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        """Return attempts at one exam from offset ``start``, of one candidate or of all; raises ProviderError."""
        query = RedactedDict(task="api.queryResults", eid=exam_id, start=str(start), limit=str(limit))
        kind = RequestKind.RESULTS
        if candidate_id is not None:
            query["sid"] = candidate_id
            kind = RequestKind.CANDIDATE
        return self._request(query, partial(parse_results, exam_id=exam_id, candidate_id=candidate_id), kind)

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        """Return one attempt, with one request; None if not in the candidate's first rows. Raises ProviderError."""
        page = self.results(exam_id, 0, _ATTEMPT_ROWS, key.candidate_id)
        return next((row for row in page.rows if row.key == key), None)

    def _authenticated(self, query: RedactedDict) -> tuple[RedactedDict, RedactedDict]:
        return RedactedDict(query, option="com_exams", format="raw", code=self._code), RedactedDict()


def parse_exams(body: bytes, charset: str | None = None) -> ExamPage:
    """Return a page of ``getExams``; raises ProviderMalformed, ErrorAnswer."""
    values, _ = _rows_and_total(json_in(body, charset))
    exams, unreadable = read_rows(values, _exam)
    return ExamPage(exams, len(values), unreadable)


def parse_results(
    body: bytes, charset: str | None = None, *, exam_id: str | None = None, candidate_id: str | None = None
) -> ResultsPage:
    """Return a page of ``queryResults`` for the requested exam and candidate; raises ProviderMalformed, ErrorAnswer."""
    values, total = _rows_and_total(json_in(body, charset))
    unreadable_fields: Counter[str] = Counter()

    def read(row: JsonObject) -> Attempt:
        if exam_id is not None and "eid" in row:
            requested_id(exam_id, row["eid"], "eid")
        return attempt(row, candidate_id, unreadable_fields)

    attempts, unreadable = read_rows(values, read)
    return ResultsPage(
        rows=attempts,
        row_count=len(values),
        unreadable=unreadable,
        # In an answer about one candidate, the total counts the candidate's rows, not the exam's.
        total=total if candidate_id is None else None,
        unreadable_fields=unreadable_fields,
    )


def _rows_and_total(answer: list[JsonValue] | JsonObject) -> tuple[list[JsonValue], int | None]:
    if isinstance(answer, list):
        return answer, None
    rows = rows_in(answer)
    if rows is None:
        raise ProviderMalformed("The provider answered with something other than a list. If this persists, report it.")
    return rows, stated_total(answer.get("total"))


def _exam(row: JsonObject) -> Exam:
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
