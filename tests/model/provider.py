"""The provider as one poller sees it: a simulated world, asked without sockets, read by the real parser."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from examhook.model import Attempt, Status
from examhook.provider.errors import ProviderMalformed, ProviderThrottled, ProviderUnavailable
from examhook.provider.legacy import ErrorAnswer, parse_exams, parse_results
from examhook.provider.pages import ExamPage, ResultsPage
from examhook.provider.verdict import Question, error_answered
from examhook_cli.simulator.clock import VirtualClock
from examhook_cli.simulator.exam_book import ExamBook
from examhook_cli.simulator.facts import TakingsCount
from examhook_cli.simulator.pace import RequestLimit
from examhook_cli.simulator.provider_api import ProviderApi
from examhook_cli.simulator.quirks import EXAMS, RESULTS, Switch
from examhook_cli.simulator.world import World

PageT = TypeVar("PageT", ExamPage, ResultsPage)

CODE = "made-up-code"
UNDOCUMENTED_STATUS = 7
"""What a disguised provider shows instead of "executed by the system"."""


class HidingWorld(World):
    """A world whose listing may lack exams."""

    def __init__(self) -> None:
        super().__init__(clock=VirtualClock(elapsed_s=lambda: 0.0))
        self.hidden: set[str] = set()
        self.unhinted: set[str] = set()
        """Exams whose ``times`` has not counted one thing all along, or that were read in several orders at once."""
        self.is_listing = False

    def set_takings(self, takings: TakingsCount, exam_id: str | None = None) -> None:
        self.unhinted |= {str(exam.exam_id) for exam in super().exams()} if exam_id is None else {exam_id}
        super().set_takings(takings, exam_id)

    def exams(self) -> list[ExamBook]:
        exams = super().exams()
        return [exam for exam in exams if str(exam.exam_id) not in self.hidden] if self.is_listing else exams


@dataclass
class Provider:
    """One world behind its API, and what is peculiar about it."""

    world: HidingWorld = field(default_factory=HidingWorld)
    disguised: bool = False
    seconds_per_request: float = 0.0
    first_asked: dict[str, int] = field(default_factory=dict)
    """How much had happened in the world when each exam's results were first asked for."""

    def __post_init__(self) -> None:
        self.api = ProviderApi(self.world, CODE, RequestLimit(None))

    def switch(self, *switches: str) -> None:
        for text in switches:
            self.api.quirks.turn_on(Switch.parse(text))

    def ask(self, task: str, parameters: dict[str, str]) -> bytes:
        """The answer's body; raises ProviderError where there is none worth reading."""
        self.world.advance(self.seconds_per_request)
        if task == RESULTS:
            self.first_asked.setdefault(parameters["eid"], len(self.world.ledger()))
        self.world.is_listing = task == EXAMS
        reply = self.api.answer({"task": task, "code": CODE, **parameters}, "http://provider.test", 0.0)
        self.world.is_listing = False
        if reply.status == 429:
            raise ProviderThrottled("It is asked too often.", retry_after_s=1)
        if reply.status != 200:
            raise ProviderUnavailable("Its server failed.")
        if reply.sent_bytes is not None:
            raise ProviderMalformed("Its answer was cut.")
        return reply.body

    def disguise(self, row: Attempt) -> Attempt:
        """The row as this provider shows it."""
        executed = self.disguised and row.status_code == Status.SYSTEM_SUBMITTED
        return replace(row, status_code=UNDOCUMENTED_STATUS) if executed else row


@dataclass
class ModelClient:
    """Stands in for the provider's client within one poll; ``step`` is called before each request."""

    provider: Provider
    step: Callable[[], object]
    requests_made: int = 0
    give_up_at: float = math.inf
    shown: list[tuple[str, Attempt]] = field(default_factory=list)
    """Every row that was listed, with its exam."""

    def exams(self, start: int, limit: int) -> ExamPage:
        return self._ask(EXAMS, parse_exams, Question.EXAMS, start=str(start), limit=str(limit))

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        sid = {} if candidate_id is None else {"sid": candidate_id}
        question = Question.RESULTS if candidate_id is None else Question.CANDIDATE
        page = self._ask(
            RESULTS,
            lambda body: parse_results(body, candidate_id),
            question,
            eid=exam_id,
            start=str(start),
            limit=str(limit),
            **sid,
        )
        page = replace(page, rows=tuple(self.provider.disguise(row) for row in page.rows))
        if candidate_id is None:
            self.shown.extend((exam_id, row) for row in page.rows)
        return page

    def _ask(self, task: str, parse: Callable[[bytes], PageT], question: Question, **parameters: str) -> PageT:
        self.step()
        self.requests_made += 1
        try:
            page = parse(self.provider.ask(task, parameters))
        except ErrorAnswer as error:
            raise error_answered(error.said, question, CODE) from None
        return replace(page, provider_time=self.provider.world.now())
