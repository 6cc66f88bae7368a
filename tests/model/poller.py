"""One run of the real Poll over tables in memory, as a process that may die, stall or fail at any step.

A step is a request or a call on a table. What comes between two steps sees nothing of the world, so
whatever can happen to a poll can happen just before a step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.exceptions import ClientError
from hypothesis import strategies as st
from memory_tables import ExamStore, HistoryStore, MemoryExams, MemoryHistories, MemorySubmissions, SubmissionStore
from model.acts import ACTS, Act, play
from model.provider import CODE, ModelClient, Provider

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.detection.change import Change
from examhook.detection.watch import ExamWatch
from examhook.model import AttemptKey, Submission
from examhook.settings import Dialect, InitialSync, PollSettings
from examhook.storage.account_code import AccountCode
from examhook.workflows.poll import Poll, PollRequest
from examhook.workflows.report import PollReport

ACCOUNT = "main"
LEASE_OUTLIVED_S = 200
FULL_PASS_SECONDS = 600
FIRST_HISTORY_STEP = 101
"""The steps of the exams' histories are counted apart, from here."""
ASKS_FOR_RECEIPTS = Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, types=("exam.verified",))


class KilledError(BaseException):
    """The process is dead; nothing that it would still do happens."""


class Fault(StrEnum):
    """What an answer can have about it, once; a table that is asked instead fails or loses its answer."""

    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    HTML_PAGE = "html_page"
    ERROR_OBJECT = "error_object"
    EMPTY_LIST = "empty_list"
    EMPTY_BODY = "empty_body"
    CUT_BODY = "cut_body"
    CUT_CONNECTION = "cut_connection"
    UNREADABLE_ROW = "unreadable_row"
    ANSWER_LOST = "answer lost"
    """A write stands, but nobody knows."""
    STALE = "stale"
    """A read of a table does not see the last writes."""


OF_TABLES = frozenset({Fault.ANSWER_LOST, Fault.STALE})


@dataclass(frozen=True)
class Dies:
    """The process is killed."""


@dataclass(frozen=True)
class Happens:
    """The world changes."""

    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Fails:
    """The step goes wrong."""

    fault: Fault


@dataclass(frozen=True)
class Stalls:
    """The process stands still until its lease has ended, and another poll runs meanwhile."""

    meanwhile: PollPlan
    for_s: int = LEASE_OUTLIVED_S


@dataclass(frozen=True)
class PollPlan:
    """One poll, and what interrupts it at which step."""

    interrupts: tuple[tuple[int, Dies | Happens | Fails | Stalls], ...] = ()
    manual: bool = False
    full: bool = False
    requests_in_time: int | None = None
    """After so many requests there is no time left; None: there always is."""
    write_order: int = 0


def _plans(*interruptions: st.SearchStrategy[object]) -> st.SearchStrategy[PollPlan]:
    # A poll of one exam takes about nine steps, each further page or write one more.
    steps = st.integers(3, 12) | st.integers(1, 40) | st.integers(FIRST_HISTORY_STEP, FIRST_HISTORY_STEP + 5)
    return st.builds(
        PollPlan,
        interrupts=st.lists(st.tuples(steps, st.one_of(*interruptions)), min_size=1, max_size=4).map(tuple),
        manual=st.sampled_from([False, False, True]),
        full=st.sampled_from([False, False, True]),
        requests_in_time=st.none() | st.none() | st.integers(1, 8),
        write_order=st.integers(0, 3),
    )


_DIES = st.just(Dies())
_HAPPENS = st.builds(Happens, st.lists(ACTS, min_size=1, max_size=3).map(tuple))
_FAILS = st.builds(Fails, st.sampled_from(Fault))
_STALLS = st.builds(
    Stalls,
    st.just(PollPlan()) | _plans(_DIES, _HAPPENS, _FAILS),
    st.sampled_from([LEASE_OUTLIVED_S, LEASE_OUTLIVED_S, LEASE_OUTLIVED_S, 0]),
)
DISTURBED = _plans(_DIES, _HAPPENS, _HAPPENS, _FAILS, _STALLS)


@dataclass
class Installation:
    """What outlives every process: the provider, the tables, the settings."""

    provider: Provider
    initial_sync: InitialSync
    clock_skew_s: int = 0
    """How far this side's clock is ahead of the provider's."""
    submissions: SubmissionStore = field(default_factory=SubmissionStore)
    exams: ExamStore = field(default_factory=ExamStore)
    histories: HistoryStore = field(default_factory=HistoryStore)
    orphans: set[tuple[str, AttemptKey, int]] = field(default_factory=set)
    """Exam, attempt and version."""

    def is_orphan(self, written: Submission) -> bool:
        """Whether the poll that wrote it never came to remember its exam, so that no other need know of it."""
        return (written.exam_id, written.key, written.version) in self.orphans

    def poll(self, plan: PollPlan) -> PollReport | None:
        """Poll as planned; None when the process died or a table failed."""
        process = _Process(self, plan)
        try:
            return process.run()
        except KilledError:
            return None
        except ClientError:
            return None
        finally:
            self.orphans |= process.written


class _Process:
    """One process that polls once."""

    def __init__(self, installation: Installation, plan: PollPlan) -> None:
        self._installation = installation
        self._plan = plan
        self._steps = 0
        self._history_steps = 0
        self._is_dead = False
        self._client = ModelClient(installation.provider, self._before_request)
        self.written: set[tuple[str, AttemptKey, int]] = set()
        """What it wrote of exams that it has not remembered since: exam, attempt and version."""

    def run(self) -> PollReport:
        report = self._workflow().run(PollRequest(manual=self._plan.manual, full=self._plan.full), self._time_left_s)
        if report.complete and not report.skipped:
            self._check_that_all_that_was_shown_is_stored()
        return report

    def _workflow(self) -> Poll:
        here = self._installation
        return Poll(
            settings=PollSettings(
                account=ACCOUNT,
                base_url="http://provider.test",
                dialect=Dialect.LEGACY,
                account_code_secret_arn="arn",
                requests_per_second=5,
                poll_seconds=60,
                initial_sync=here.initial_sync,
                full_pass_seconds=FULL_PASS_SECONDS,
                submissions_table="",
                exams_table="",
                endpoints_table="",
                operations_topic_arn="",
            ),
            account_code=_Code(),
            client_for=lambda _code: self._client,
            exams=_Exams(here.exams, self._before_table, self.written),
            submissions=_Submissions(
                here.submissions, self._before_table, random.Random(self._plan.write_order).shuffle, self.written
            ),
            histories=MemoryHistories(here.histories, self._before_history),
            endpoints=lambda: [ASKS_FOR_RECEIPTS],
            notify_refusal=_no_refusal,
            now=lambda: here.provider.world.now() + here.clock_skew_s,
            sleep=here.provider.world.advance,
        )

    def _time_left_s(self) -> float:
        in_time = self._plan.requests_in_time
        return 0.0 if in_time is not None and self._client.requests_made >= in_time else 1000.0

    def _before_request(self) -> None:
        for fault in self._interrupted():
            if fault not in OF_TABLES:
                self._installation.provider.switch(f"{fault}@next1")

    def _before_history(self) -> int:
        """Steps of the exams' histories are counted apart, so that they do not shift all others."""
        self._history_steps += 1
        return self._before_table(FIRST_HISTORY_STEP + self._history_steps - 1)

    def _before_table(self, step: int | None = None) -> int:
        faults = self._interrupted(step)
        if OF_TABLES.issuperset(faults):
            return len(faults) and 1 + self._plan.write_order
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "made up"}}, "Any")

    def _interrupted(self, at: int | None = None) -> list[Fault]:
        """Let what interrupts this step happen; the faults that it has."""
        if self._is_dead:
            raise KilledError
        if at is None:
            self._steps += 1
            at = self._steps
        faults = []
        for step, interrupt in self._plan.interrupts:
            if step != at:
                continue
            match interrupt:
                case Dies():
                    self._is_dead = True
                    raise KilledError
                case Happens(acts):
                    for act in acts:
                        play(self._installation.provider.world, act)
                case Fails(fault):
                    faults.append(fault)
                case Stalls(meanwhile, for_s):
                    self._installation.provider.world.advance(for_s)
                    self._installation.poll(meanwhile)
        return faults

    def _check_that_all_that_was_shown_is_stored(self) -> None:
        stored = self._installation.submissions.items
        for exam_id, row in self._client.shown:
            assert (ACCOUNT, exam_id, row.key) in stored, f"a whole poll was shown {exam_id} {row.key} and lost it"


@dataclass
class _Submissions(MemorySubmissions):
    """Notes what was written."""

    written: set[tuple[str, AttemptKey, int]] = field(default_factory=set)

    def _write_one(self, change: Change) -> bool:
        known = super()._write_one(change)
        after = change.after
        if self.store.items[after.account, after.exam_id, after.key] is after:
            self.written.add((after.exam_id, after.key, after.version))
        return known


@dataclass
class _Exams(MemoryExams):
    """Notes of which exams everything that was written is known."""

    written: set[tuple[str, AttemptKey, int]] = field(default_factory=set)

    def remember(self, account: str, watch: ExamWatch, fence: int) -> bool:
        known = super().remember(account, watch, fence)
        if self.store.exams[account, watch.exam.exam_id][0] is watch:
            self.written -= {each for each in self.written if each[0] == watch.exam.exam_id}
        return known


class _Code:
    """Stands in for the secret with the account code."""

    def read(self, *, fresh: bool = False) -> AccountCode:
        del fresh
        return AccountCode(CODE, "v1")


def _no_refusal(account: str, *, since: int, message: str) -> None:
    raise AssertionError(f"{account} was not refused, at {since}: {message}")
