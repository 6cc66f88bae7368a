"""The answers of the provider's ``v1`` API, read into pages.

Source: the provider's page "API for Exam Scores and Reports". Its values are all text; beyond what
it says, ``data`` may be null where there are no rows, and numbers may come as numbers.
"""

from __future__ import annotations

from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import UnreadableError, identifier, integer, text
from examhook.provider.json_text import JsonValue, json_in
from examhook.provider.pages import Record, RecordPage
from examhook.provider.rows import ERROR_FIELDS, ErrorAnswer, Row, attempt, read_rows, said


def parse_records(body: bytes, exam_id: str | None = None, candidate_id: str | None = None) -> RecordPage:
    """A page of ``queryresults``, of ``exam_id`` and of ``candidate_id`` if they were asked for.

    Raises ProviderMalformed, ErrorAnswer.
    """
    answer = json_in(body)
    if isinstance(answer, list):
        raise ProviderMalformed("The provider does not answer as its v1 API does. Check ProviderDialect.")
    values = _values(answer)
    records, unreadable = read_rows(values, lambda row: _record(row, exam_id, candidate_id))
    return RecordPage(tuple(records), len(values), _total(answer), tuple(unreadable))


def _values(answer: Row) -> list[JsonValue]:
    status = text(answer.get("status"))
    rows = answer.get("data")
    if isinstance(rows, list) and status in {None, "ok"}:
        return rows
    if status == "ok" and rows is None and "data" in answer:
        return []
    if status is not None or any(answer.get(field) for field in ERROR_FIELDS):
        raise ErrorAnswer(said(answer))
    raise ProviderMalformed("The provider does not answer as its v1 API does. If this goes on, check ProviderBaseUrl.")


def _record(row: Row, exam_id: str | None, candidate_id: str | None) -> Record:
    eid = row.get("eid")
    if exam_id is None:
        found = identifier(eid, "eid")
    elif eid is None or eid == "":
        found = exam_id
    elif (found := identifier(eid, "eid")) != exam_id:
        # A server that ignores what it was asked for must not make one exam's rows another's.
        raise UnreadableError("eid is not the one asked for")
    return Record(found, attempt(row, candidate_id), text(row.get("loginValue")))


def _total(answer: Row) -> int | None:
    """Only a hint, so what cannot be understood is as good as absent."""
    try:
        total = integer(answer.get("total"), "total")
    except UnreadableError:
        return None
    return total if total is None or total >= 0 else None
