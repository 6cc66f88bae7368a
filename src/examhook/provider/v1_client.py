"""Client of the provider's ``v1`` API: one address for all results, each request signed with the time.

The signature is what the provider documents, MD5 over time and code. It is as secret as the code and
hidden like it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar, Unpack

from examhook.detection.reader import Reader
from examhook.model import Attempt, AttemptKey
from examhook.provider.api_client import Hidden, Means, PacedClient, Parse
from examhook.provider.discovery import PAGE_ROWS, Discovery, Found
from examhook.provider.errors import ProviderMalformed
from examhook.provider.pages import ExamPage, RecordPage, ResultsPage
from examhook.provider.response_errors import Question
from examhook.provider.v1 import parse_records

LOOK_SECONDS = 40.0
"""Longest search for exams within one poll; the next poll continues it."""

_MAX_LOGINS = 10_000


@dataclass(slots=True)
class V1Memory:
    """What a process keeps of one account from poll to poll."""

    discovery: Discovery
    logins: dict[str, str] = field(default_factory=dict, repr=False)
    """Login by candidate id, of candidates whose attempts are running."""


class V1Client(PacedClient):
    """Reads one account by ``queryresults``; for one thread.

    The API takes a candidate's login. Where the login is not known yet, the whole exam is read once.
    """

    PATH: ClassVar[str] = "/api/v1/student/queryresults"

    def __init__(self, base_url: str, code: str, *, memory: V1Memory, **means: Unpack[Means]) -> None:
        super().__init__(base_url, code, **means)
        self._memory = memory
        self._found: Found | None = None

    def exams(self, start: int, limit: int) -> ExamPage:
        """Exams from offset ``start``, searched for when ``start`` is 0; raises ProviderError."""
        if start == 0 or self._found is None:
            now = self._now()
            enough_at = now + min(LOOK_SECONDS, (self.give_up_at - now) / 2)
            self._found = self._memory.discovery.look(self._records, lambda: self._now() < enough_at, int(now))
        rows = self._found.exams[start : start + limit]
        return ExamPage(rows, len(rows), problem=self._found.problem)

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        """Attempts at one exam from offset ``start``, of one candidate or of all; raises ProviderError."""
        if candidate_id is None:
            page = self._records(exam_id, start, limit)
        elif candidate_id in self._memory.logins:
            # The login gets no variable of its own, which a traceback could show.
            query = Hidden(_paged(exam_id, start, limit), loginValues=self._memory.logins[candidate_id])
            page = self._ask(query, _parser(exam_id, candidate_id), Question.CANDIDATE)
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
        """One attempt, by at most two requests; None if they do not find it. Raises ProviderError.

        The candidate's login is seldom known here, so the exam's first and last rows are searched, where
        new rows appear.
        """
        page = self._records(exam_id, 0, PAGE_ROWS)
        found = _row_of(page, key)
        if found is None and page.total is not None and page.total > page.row_count:
            found = _row_of(self._records(exam_id, max(0, page.total - PAGE_ROWS), PAGE_ROWS), key)
        return found

    def _candidate_among_all(self, exam_id: str, start: int, limit: int, candidate_id: str) -> ResultsPage:
        """One candidate's attempts, out of all attempts at the exam."""

        def fetch(start: int, limit: int) -> ResultsPage:
            return self.results(exam_id, start, limit)

        reader = Reader(fetch, lambda row: row.key)
        own = {row.key: row for rows in reader.pages() for row in rows if row.candidate_id == candidate_id}
        if reader.problem is not None:
            raise ProviderMalformed(f"A candidate's results could not be found among all: {reader.problem}.")
        rows = tuple(own.values())[start : start + limit]
        return ResultsPage(rows, len(rows))

    def _records(self, exam_id: str | None, start: int, limit: int) -> RecordPage:
        query = _paged(exam_id, start, limit)
        question = Question.EXAMS if exam_id is None else Question.RESULTS
        page = self._ask(query, _parser(exam_id, None), question)
        for record in page.records:
            if record.login is not None and not record.attempt.is_final:
                self._memory.logins[record.attempt.candidate_id] = record.login
        while len(self._memory.logins) > _MAX_LOGINS:
            del self._memory.logins[next(iter(self._memory.logins))]
        return page

    def _identified(self, query: Hidden) -> tuple[Hidden, Hidden]:
        time = str(int(self._now()))
        # The provider chose the hash; no protection of ours depends on it.
        signature = hashlib.md5((time + self._code).encode(), usedforsecurity=False).hexdigest()
        return Hidden(query, code=self._code, time=time), Hidden(Authorization=signature)


def _parser(exam_id: str | None, candidate_id: str | None) -> Parse[RecordPage]:
    return lambda body, charset: parse_records(body, charset, exam_id=exam_id, candidate_id=candidate_id)


def _row_of(page: RecordPage, key: AttemptKey) -> Attempt | None:
    return next((record.attempt for record in page.records if record.attempt.key == key), None)


def _paged(exam_id: str | None, start: int, limit: int) -> Hidden:
    query = Hidden(start=str(start), limit=str(min(limit, PAGE_ROWS)))
    if exam_id is not None:
        query["eid"] = exam_id
    return query
