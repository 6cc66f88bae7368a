"""Reads the answers of the provider's ``v1`` API into pages.

Source: the provider's page "API for Exam Scores and Reports". Its values are all text; beyond that
page, ``data`` may be null where there are no rows, and numbers may come as numbers.
"""

from __future__ import annotations

from collections import Counter

from examhook.provider.envelope import Row, rows_in
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import identifier, optional, text
from examhook.provider.json_text import json_in
from examhook.provider.pages import Record, RecordPage
from examhook.provider.rows import asked_for, attempt, read_rows, stated_total


def parse_records(
    body: bytes, charset: str | None = None, *, exam_id: str | None = None, candidate_id: str | None = None
) -> RecordPage:
    """A page of ``queryresults``, of the exam and the candidate that were asked for.

    Raises ProviderMalformed, ErrorAnswer.
    """
    answer = json_in(body, charset)
    if isinstance(answer, list):
        raise ProviderMalformed("The provider does not answer as its v1 API does. Check ProviderDialect.")
    values = rows_in(answer)
    if values is None:
        raise ProviderMalformed(
            "The provider does not answer as its v1 API does. If it persists, check ProviderBaseUrl."
        )
    unreadable_fields: Counter[str] = Counter()
    records, unreadable = read_rows(values, lambda row: _record(row, exam_id, candidate_id, unreadable_fields))
    return RecordPage(records, len(values), stated_total(answer.get("total")), unreadable, unreadable_fields)


def _record(row: Row, exam_id: str | None, candidate_id: str | None, unreadable_fields: Counter[str]) -> Record:
    eid = row.get("eid")
    found = identifier(eid, "eid") if exam_id is None else asked_for(exam_id, eid, "eid")
    login = row.get("loginValue")
    return Record(
        found,
        attempt(row, candidate_id, unreadable_fields),
        None if login is None else optional(text, login, "loginValue", unreadable_fields),
    )
