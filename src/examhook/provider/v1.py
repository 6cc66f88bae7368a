"""The provider's ``v1`` API: the client, and the reading of its answers.

One address returns the results of one exam or of all exams. Each request is signed with the MD5 of time and account
code, as the provider documents; the signature is as secret as the code. Source: the provider's page "API for Exam
Scores and Reports". All values are text. Undocumented: ``data`` may be null if there are no rows, and numbers may come
as numbers.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Unpack

from examhook.detection.reader import Reader
from examhook.model import Attempt, AttemptKey
from examhook.provider.api_client import ApiClient, ClientOptions, RedactedDict
from examhook.provider.discovery import MAX_PAGE_ROWS, Discovery
from examhook.provider.errors import ProviderMalformed
from examhook.provider.fields import identifier, optional, text
from examhook.provider.json_text import JsonObject, json_in
from examhook.provider.port import ExamPage, Record, RecordPage, ResultsPage
from examhook.provider.response_envelope import rows_in
from examhook.provider.response_errors import RequestKind
from examhook.provider.rows import attempt, read_rows, requested_id, stated_total

DISCOVERY_TIME_S = 40.0
"""Maximum time for the discovery of exams in one poll; the next poll continues it."""

_MAX_LOGINS = 10_000


@dataclass(slots=True)
class V1Memory:
    """What a process keeps of one account between polls."""

    discovery: Discovery
    logins: dict[str, str] = field(default_factory=dict, repr=False)
    """Logins by candidate id, for candidates with a running attempt."""


class V1Client(ApiClient):
    """Reads one account by ``queryresults``. Use it in one thread only.

    The API selects a candidate by login. If the login is not known, the client reads the whole exam.
    """

    PATH: ClassVar[str] = "/api/v1/student/queryresults"

    def __init__(self, base_url: str, code: str, *, memory: V1Memory, **options: Unpack[ClientOptions]) -> None:
        super().__init__(base_url, code, **options)
        self._memory = memory
        self._discovered: ExamPage | None = None

    def exams(self, start: int, limit: int) -> ExamPage:
        """Return exams from offset ``start``; offset 0 starts a discovery. Raises ProviderError."""
        if start == 0 or self._discovered is None:
            now = self._now()
            stop_at = now + min(DISCOVERY_TIME_S, (self.give_up_at - now) / 2)
            self._discovered = self._memory.discovery.find(self._records, lambda: self._now() < stop_at, int(now))
        rows = self._discovered.rows[start : start + limit]
        return replace(self._discovered, rows=rows, row_count=len(rows))

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        """Return attempts at one exam from offset ``start``, of one candidate or of all; raises ProviderError."""
        if candidate_id is None:
            page = self._records(exam_id, start, limit)
        elif candidate_id in self._memory.logins:
            # Not in a variable of its own, which a traceback could show.
            query = RedactedDict(_paged(exam_id, start, limit), loginValues=self._memory.logins[candidate_id])
            parse = partial(parse_records, exam_id=exam_id, candidate_id=candidate_id)
            page = self._request(query, parse, RequestKind.CANDIDATE)
        else:
            return self._candidate_among_all(exam_id, start, limit, candidate_id)
        counts_one_exam = candidate_id is None and self._memory.discovery.counts_exams
        return ResultsPage(
            tuple(record.attempt for record in page.records),
            page.row_count,
            page.unreadable,
            page.total if counts_one_exam else None,
            page.unreadable_fields,
        )

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        """Return one attempt, with at most two requests; None if not found. Raises ProviderError.

        The login is rarely known here, so the client reads the first and the last page, where new rows appear.
        """
        page = self._records(exam_id, 0, MAX_PAGE_ROWS)
        found = _attempt_in(page, key)
        if found is None and page.total is not None and page.total > page.row_count:
            found = _attempt_in(self._records(exam_id, max(0, page.total - MAX_PAGE_ROWS), MAX_PAGE_ROWS), key)
        return found

    def _candidate_among_all(self, exam_id: str, start: int, limit: int, candidate_id: str) -> ResultsPage:
        def fetch(start: int, limit: int) -> ResultsPage:
            return self.results(exam_id, start, limit)

        reader = Reader(fetch, lambda row: row.key)
        own = {row.key: row for rows in reader.pages() for row in rows if row.candidate_id == candidate_id}
        if reader.problem is not None:
            raise ProviderMalformed(f"A candidate's results could not be found: {reader.problem}.")
        rows = tuple(own.values())[start : start + limit]
        return ResultsPage(rows, len(rows))

    def _records(self, exam_id: str | None, start: int, limit: int) -> RecordPage:
        query = _paged(exam_id, start, limit)
        kind = RequestKind.EXAMS if exam_id is None else RequestKind.RESULTS
        page = self._request(query, partial(parse_records, exam_id=exam_id), kind)
        for record in page.records:
            if record.login is not None and not record.attempt.is_final:
                self._memory.logins[record.attempt.candidate_id] = record.login
        while len(self._memory.logins) > _MAX_LOGINS:
            del self._memory.logins[next(iter(self._memory.logins))]
        return page

    def _authenticated(self, query: RedactedDict) -> tuple[RedactedDict, RedactedDict]:
        time = str(int(self._now()))
        # The provider chose MD5; none of our own protection depends on it.
        signature = hashlib.md5((time + self._code).encode(), usedforsecurity=False).hexdigest()
        return RedactedDict(query, code=self._code, time=time), RedactedDict(Authorization=signature)


def _paged(exam_id: str | None, start: int, limit: int) -> RedactedDict:
    query = RedactedDict(start=str(start), limit=str(min(limit, MAX_PAGE_ROWS)))
    if exam_id is not None:
        query["eid"] = exam_id
    return query


def _attempt_in(page: RecordPage, key: AttemptKey) -> Attempt | None:
    return next((record.attempt for record in page.records if record.attempt.key == key), None)


def parse_records(
    body: bytes, charset: str | None = None, *, exam_id: str | None = None, candidate_id: str | None = None
) -> RecordPage:
    """Return a page of ``queryresults`` for the requested exam and candidate; raises ProviderMalformed, ErrorAnswer."""
    answer = json_in(body, charset)
    if isinstance(answer, list):
        raise ProviderMalformed("The provider does not answer as its v1 API does. Check ProviderDialect.")
    values = rows_in(answer)
    if values is None:
        raise ProviderMalformed(
            "The provider does not answer as its v1 API does. If this persists, check ProviderBaseUrl."
        )
    unreadable_fields: Counter[str] = Counter()
    records, unreadable = read_rows(values, lambda row: _record(row, exam_id, candidate_id, unreadable_fields))
    return RecordPage(records, len(values), stated_total(answer.get("total")), unreadable, unreadable_fields)


def _record(row: JsonObject, exam_id: str | None, candidate_id: str | None, unreadable_fields: Counter[str]) -> Record:
    eid = row.get("eid")
    login = row.get("loginValue")
    return Record(
        identifier(eid, "eid") if exam_id is None else requested_id(exam_id, eid, "eid"),
        attempt(row, candidate_id, unreadable_fields),
        None if login is None else optional(text, login, "loginValue", unreadable_fields),
    )
