"""The provider as one poller sees it: a simulated world, asked without sockets by the product's own clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from requests.structures import CaseInsensitiveDict

from examhook.http.client import HttpClient
from examhook.http.errors import BrokenResponseError, ConnectError, DeadlineError
from examhook.http.response import HttpResponse
from examhook.model import Attempt, AttemptKey, Status
from examhook.provider.pacing import Pacer
from examhook.provider.port import ExamPage, ProviderClient, ResultsPage
from examhook.settings import Dialect
from examhook_simulator.clock import VirtualClock
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import AttemptCount, ListOrder
from examhook_simulator.provider_api import Fate, ProviderApi
from examhook_simulator.quirks import EXAMS, Quirk, Switch
from examhook_simulator.request_limit import RequestLimit
from examhook_simulator.world import World

BASE_URL = "http://provider.test"
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
        self.is_asked = False
        self.rows_lag_s = 0

    def exam(self, exam_id: str) -> ExamBook:
        return self._as_shown(super().exam(exam_id))

    def _as_shown(self, exam: ExamBook) -> ExamBook:
        """The exam while results are asked for: without the rows that are not listed yet."""
        if not self.rows_lag_s or not self.is_asked:
            return exam
        shown = replace(exam, _rows={}, _by_start=[], _by_candidate=[], _start_times=[])
        for row in exam.rows():
            if self.is_shown(row.started_at, self.now()):
                shown.add(row)
        return shown

    def is_shown(self, started_at: int, now: int) -> bool:
        """Whether an attempt that began then is listed at ``now``; ``times`` counts it at once."""
        return started_at + self.rows_lag_s <= now

    def set_attempt_count(self, counts: AttemptCount, exam_id: str | None = None) -> None:
        self.unhinted |= {str(exam.exam_id) for exam in super().exams()} if exam_id is None else {exam_id}
        super().set_attempt_count(counts, exam_id)

    def exams(self) -> list[ExamBook]:
        exams = [self._as_shown(exam) for exam in super().exams()] if self.is_asked else super().exams()
        return [exam for exam in exams if str(exam.exam_id) not in self.hidden] if self.is_listing else exams


@dataclass
class Provider:
    """One world behind its API, and what is peculiar about it."""

    world: HidingWorld = field(default_factory=HidingWorld)
    dialect: Dialect = Dialect.LEGACY
    disguised: bool = False
    seconds_per_request: float = 0.0
    first_asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How much had happened in the world when each exam's results were first asked for, and when that was."""
    shown_stale: set[str] = field(default_factory=set)
    """Exams whose results may have been shown as they were a minute before."""
    refuses_next: bool = False
    was_shuffled: bool = False
    """Whether its rows ever came in another order at each request."""

    def __post_init__(self) -> None:
        self.api = ProviderApi(self.world, CODE, RequestLimit(None))

    def switch(self, *switches: str) -> None:
        for text in switches:
            self.api.quirks.turn_on(Switch.parse(text))
            self.was_shuffled |= text == f"row_order={ListOrder.SHUFFLED}"

    def ask(self, query: Mapping[str, str], signature: str | None) -> HttpResponse:
        """The answer; raises HttpError where there is none."""
        self.world.advance(self.seconds_per_request)
        if "eid" in query:
            if self._is_stale():
                self.shown_stale.add(query["eid"])
            self.first_asked.setdefault(query["eid"], (len(self.world.ledger()), self.world.now()))
        if self.refuses_next:
            query, self.refuses_next = {**query, "code": "another"}, False
        self.world.is_listing = "eid" not in query
        self.world.is_asked = query.get("task") != EXAMS
        reply = self.api.answer(query, BASE_URL, 0.0, signature)
        self.world.is_listing = self.world.is_asked = False
        if reply.fate is Fate.RESET:
            raise ConnectError("The connection was reset.")
        if reply.fate is Fate.HUNG:
            raise DeadlineError("No answer came in time.")
        if reply.sent_bytes is not None:
            raise BrokenResponseError("Its answer was cut.")
        return HttpResponse(
            reply.status, CaseInsensitiveDict(reply.headers), reply.body, truncated=False, elapsed_s=0.0
        )

    def _is_stale(self) -> bool:
        return any(switch.quirk is Quirk.STALE_REPLICA for switch in self.api.quirks.switches())

    def shown(self) -> set[tuple[str, AttemptKey]]:
        """Every attempt that some answer shows, with its exam."""
        refs = (ref for exam_id in self.api.shown_exams() for ref in self.api.shown_attempts(exam_id))
        return {(ref.exam_id, AttemptKey(ref.started_at, ref.candidate_id)) for ref in refs}

    def disguise(self, row: Attempt) -> Attempt:
        """The row as this provider shows it."""
        executed = self.disguised and row.status_code == Status.SYSTEM_SUBMITTED
        return replace(row, status_code=UNDOCUMENTED_STATUS) if executed else row


@dataclass
class ModelHttpClient(HttpClient):
    """The HTTP client of one poll, without sockets; calls ``step`` before each request."""

    provider: Provider
    step: Callable[[], object]

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        **bounds: object,
    ) -> HttpResponse:
        del method, url, bounds
        self.step()
        return self.provider.ask(params or {}, (headers or {}).get("Authorization"))


class NoPace(Pacer):
    """A pacer that never waits."""

    def delay_s(self) -> float:
        return 0.0

    def wait(self) -> None:
        pass

    def finished(self) -> None:
        pass


@dataclass
class ModelClient:
    """The product's client, whose rows may be disguised, and are noted."""

    client: ProviderClient
    provider: Provider
    shown: list[tuple[str, Attempt]] = field(default_factory=list)
    """Every row that was listed, with its exam."""

    @property
    def requests_made(self) -> int:
        return self.client.requests_made

    @property
    def clock_offset_s(self) -> int | None:
        return self.client.clock_offset_s

    @property
    def give_up_at(self) -> float:
        return self.client.give_up_at

    @give_up_at.setter
    def give_up_at(self, at: float) -> None:
        self.client.give_up_at = at

    def exams(self, start: int, limit: int) -> ExamPage:
        return self.client.exams(start, limit)

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        page = self.client.results(exam_id, start, limit, candidate_id)
        page = replace(page, rows=tuple(self.provider.disguise(row) for row in page.rows))
        if candidate_id is None:
            self.shown.extend((exam_id, row) for row in page.rows)
        return page

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        return self.client.attempt(exam_id, key)
