"""An installation that watches a provider with habits, by the product's own clients, over tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from examhook.settings import Dialect, InitialSync
from examhook.workflows.polling.report import PollReport
from examhook_simulator.facts import AttemptRef
from tests.model.plans import PollPlan
from tests.model.poller import Installation
from tests.model.provider import HidingWorld, Provider

DIALECTS = (Dialect.LEGACY, Dialect.V1)


class PlanFields(TypedDict, total=False):
    """Fields of a PollPlan that a test sets."""

    manual: bool
    full: bool
    requests_in_time: int | None


@dataclass
class Habits:
    """A world, the quirks of its API, and an installation that watches it. Our clock may be wrong by ``skew_s``."""

    dialect: Dialect = Dialect.LEGACY
    switches: Sequence[str] = ()
    skew_s: int = 0
    sync: InitialSync = InitialSync.SILENT
    provider: Provider = field(init=False)
    installation: Installation = field(init=False)

    def __post_init__(self) -> None:
        self.provider = Provider(dialect=self.dialect)
        self.provider.switch(*self.switches)
        self.installation = Installation(self.provider, self.sync, self.skew_s)

    @property
    def world(self) -> HidingWorld:
        return self.provider.world

    def exam(self, attempts: int = 0) -> str:
        """A new exam with a past."""
        exam_id = self.world.create_exam()
        self.world.populate(exam_id, attempts)
        return exam_id

    def poll(self, seconds: float = 60, **plan: Unpack[PlanFields]) -> PollReport:
        """The poll after ``seconds``; the process must not die."""
        self.world.advance(seconds)
        report = self.installation.poll(PollPlan(**plan))
        assert report is not None
        return report

    def polls(self, count: int, seconds: float = 60) -> list[PollReport]:
        return [self.poll(seconds) for _ in range(count)]

    def submits(self, exam_id: str) -> AttemptRef:
        """A candidate starts and submits between two polls."""
        self.world.advance(10)
        ref = self.world.start(exam_id)
        self.world.advance(20)
        self.world.submit(ref, 50)
        return ref

    def events(self) -> list[tuple[str, str]]:
        """Candidate and type of everything that was announced, in order."""
        return [
            (change.after.attempt.candidate_id, change.after.transitions[-1].event_type.removeprefix("submission."))
            for change in self.installation.submissions.stream
            if change.announces
        ]

    def stored(self, exam_id: str) -> set[str]:
        """Candidates of the exam whose attempts are stored and not removed."""
        items = self.installation.submissions.items
        return {each.attempt.candidate_id for (_, of, _), each in items.items() if of == exam_id and not each.removed}

    def truth(self, exam_id: str) -> set[str]:
        return {row.candidate_id for row in self.world.truth(exam_id)}
