"""Client of the provider's ``legacy`` API: two tasks of one address, the account code among the parameters."""

from __future__ import annotations

from typing import ClassVar

from examhook.model import Attempt, AttemptKey
from examhook.provider.api_client import Hidden, PacedClient
from examhook.provider.legacy import parse_exams, parse_results
from examhook.provider.pages import ExamPage, ResultsPage
from examhook.provider.response_errors import Question

_CANDIDATE_ROWS = 100
"""More attempts than one candidate makes at one exam."""


class LegacyClient(PacedClient):
    """Reads one account by ``getExams`` and ``queryResults``; for one thread."""

    PATH: ClassVar[str] = "/index.php"

    def exams(self, start: int, limit: int) -> ExamPage:
        """Exams from offset ``start``; raises ProviderError."""
        query = Hidden(task="api.getExams", start=str(start), limit=str(limit))
        return self._ask(query, parse_exams, Question.EXAMS)

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        """Attempts at one exam from offset ``start``, of one candidate or of all; raises ProviderError."""
        query = Hidden(task="api.queryResults", eid=exam_id, start=str(start), limit=str(limit))
        question = Question.RESULTS
        if candidate_id is not None:
            query["sid"] = candidate_id
            question = Question.CANDIDATE

        def parse(body: bytes, charset: str | None) -> ResultsPage:
            return parse_results(body, charset, exam_id=exam_id, candidate_id=candidate_id)

        return self._ask(query, parse, question)

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        """One attempt, by one request; None if it is not among the candidate's first. Raises ProviderError."""
        page = self.results(exam_id, 0, _CANDIDATE_ROWS, key.candidate_id)
        return next((row for row in page.rows if row.key == key), None)

    def _identified(self, query: Hidden) -> tuple[Hidden, Hidden]:
        return Hidden(query, option="com_exams", format="raw", code=self._code), Hidden()
