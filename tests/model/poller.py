"""One run of the real Poll over tables in memory, as a process that may die, stall or fail at any step.

A step is a request or a call on a table. What comes between two steps sees nothing of the world, so
whatever can happen to a poll can happen just before a step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.detection.exam_transition import ExamChange
from examhook.detection.transition import Change
from examhook.model import AttemptKey, Submission
from examhook.provider.api_client import ClientOptions
from examhook.provider.discovery import Discovery
from examhook.provider.legacy import LegacyClient
from examhook.provider.port import ProviderClient
from examhook.provider.v1 import V1Client, V1Memory
from examhook.settings import Dialect, InitialSync, PollSettings
from examhook.workflows.polling.dispatch_monitor import DispatchMonitor
from examhook.workflows.polling.poll import Poll, PollRequest
from examhook.workflows.polling.report import PollReport
from tests.model.acts import play
from tests.model.plans import OF_TABLES, Dies, Fails, Fault, Happens, PollPlan, Stalls
from tests.model.provider import BASE_URL, CODE, ModelClient, ModelHttpClient, NoPace, Provider
from tests.support.provider.memory_provider import PlayedSecret
from tests.support.storage.memory_tables import (
    ExamStateStore,
    ExamStore,
    MemoryExams,
    MemoryExamStates,
    MemorySubmissions,
    SubmissionStore,
)

ACCOUNT = "main"
FULL_SCAN_SECONDS = 600
NOTHING_WAITS = DispatchMonitor(dispatched=frozenset, order_redrive=lambda _since: None, now=lambda: 0.0)
ASKS_FOR_RECEIPTS = Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, types=("exam.verified",))


class KilledError(BaseException):
    """The process is dead; nothing that it would still do happens."""


@dataclass
class Installation:
    """What outlives every process: the provider, the tables, the settings."""

    provider: Provider
    initial_sync: InitialSync
    clock_skew_s: int = 0
    """How far this side's clock is ahead of the provider's."""
    submissions: SubmissionStore = field(default_factory=SubmissionStore)
    exams: ExamStore = field(default_factory=ExamStore)
    exam_states: ExamStateStore = field(default_factory=ExamStateStore)
    orphans: set[tuple[str, AttemptKey, int]] = field(default_factory=set)
    """Exam, attempt and version."""

    def __post_init__(self) -> None:
        self.memory = self._new_memory()

    def _new_memory(self) -> V1Memory:
        """What a new process knows of the exams of a v1 account."""
        return V1Memory(Discovery(lambda: [state.exam for state in self.exam_states.items.values()]))

    def is_orphan(self, written: Submission) -> bool:
        """Whether the poll that wrote it never came to remember its exam, so that no other need know of it."""
        return (written.exam_id, written.key, written.version) in self.orphans

    def poll(self, plan: PollPlan) -> PollReport | None:
        """Poll as planned; None when the process died or a table failed."""
        process = _Process(self, plan)
        try:
            return process.run()
        except KilledError:
            self.memory = self._new_memory()
            return None
        except ClientError:
            return None
        finally:
            self.orphans |= process.written

    def poll_by_another_process(self, plan: PollPlan) -> None:
        """Poll while a process stands still."""
        memory, self.memory = self.memory, self._new_memory()
        self.poll(plan)
        self.memory = memory


class _Process:
    """One process that polls once."""

    def __init__(self, installation: Installation, plan: PollPlan) -> None:
        self._installation = installation
        self._plan = plan
        self._steps = 0
        self._is_dead = False
        self._client = ModelClient(self._client_of_the_dialect(), installation.provider)
        self.written: set[tuple[str, AttemptKey, int]] = set()
        """What it wrote of exams that it has not remembered since: exam, attempt and version."""

    def _client_of_the_dialect(self) -> ProviderClient:
        here = self._installation
        options: ClientOptions = {
            "session": ModelHttpClient(here.provider, self._before_request),
            "pacer": NoPace(1, self._now, self._sleep),
            "now": self._now,
            "sleep": self._sleep,
            "rng": random.Random(0),
            "attempts": 1,
        }
        if here.provider.dialect is Dialect.LEGACY:
            return LegacyClient(BASE_URL, CODE, **options)
        return V1Client(BASE_URL, CODE, memory=here.memory, **options)

    def _now(self) -> float:
        return self._installation.provider.world.now() + self._installation.clock_skew_s

    def _sleep(self, seconds: float) -> None:
        self._installation.provider.world.advance(seconds)

    def run(self) -> PollReport:
        report = self._workflow().run(PollRequest(manual=self._plan.manual, full=self._plan.full), self._time_left_s)
        if report.complete and not report.skipped and not report.skipped_rows:
            self._check_that_all_that_was_shown_is_stored()
        return report

    def _workflow(self) -> Poll:
        here = self._installation
        return Poll(
            settings=PollSettings(
                account=ACCOUNT,
                base_url=BASE_URL,
                dialect=here.provider.dialect,
                account_code_secret_arn="arn",
                requests_per_second=5,
                poll_interval_s=60,
                initial_sync=here.initial_sync,
                full_scan_interval_s=FULL_SCAN_SECONDS,
                submissions_table="",
                exams_table="",
                endpoints_table="",
                operations_topic_arn="",
            ),
            account_code=PlayedSecret(),
            client_for=lambda _code: self._client,
            exams=MemoryExams(here.exams, self._before_table),
            exam_states=_ExamStates(here.exam_states, self._before_table, self.written),
            submissions=_Submissions(
                here.submissions, self._before_table, random.Random(self._plan.write_order).shuffle, self.written
            ),
            endpoints=lambda: [ASKS_FOR_RECEIPTS],
            notify_refusal=_nobody_is_told,
            open_erasure_key=bytes,
            monitor=NOTHING_WAITS,
            now=self._now,
            sleep=self._sleep,
        )

    def _time_left_s(self) -> float:
        in_time = self._plan.requests_in_time
        return 0.0 if in_time is not None and self._client.requests_made >= in_time else 1000.0

    def _before_request(self) -> None:
        for fault in self._interrupted():
            if fault is Fault.REFUSED:
                self._installation.provider.refuses_next = True
            elif fault not in OF_TABLES:
                self._installation.provider.switch(f"{fault}@next1")

    def _before_table(self) -> int:
        faults = self._interrupted()
        if OF_TABLES.issuperset(faults):
            return len(faults) and 1 + self._plan.write_order
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "made up"}}, "Any")

    def _interrupted(self) -> list[Fault]:
        """Let what interrupts this step happen; the faults that it has."""
        if self._is_dead:
            raise KilledError
        self._steps += 1
        faults = []
        for step, interrupt in self._plan.interrupts:
            if step != self._steps:
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
                    self._installation.poll_by_another_process(meanwhile)
        return faults

    def _check_that_all_that_was_shown_is_stored(self) -> None:
        stored = self._installation.submissions.items
        # A record keeps its key when its start is corrected.
        records = {(exam_id, each.attempt.record_id) for (_, exam_id, _), each in stored.items()}
        for exam_id, row in self._client.shown:
            is_record = row.record_id is not None and (exam_id, row.record_id) in records
            assert is_record or (ACCOUNT, exam_id, row.key) in stored, (
                f"a whole poll was shown {exam_id} {row.key} and lost it"
            )


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
class _ExamStates(MemoryExamStates):
    """Notes of which exams everything that was written is remembered."""

    written: set[tuple[str, AttemptKey, int]] = field(default_factory=set)

    def _write_one(self, change: ExamChange) -> bool:
        known = super()._write_one(change)
        after = change.after
        if self.store.items.get((after.account, after.exam_id)) is after:
            self.written -= {each for each in self.written if each[0] == after.exam_id}
        return known


def _nobody_is_told(account: str, since: int, message: str) -> None:
    del account, since, message
