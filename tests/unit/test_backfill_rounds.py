"""After any history, loss and interruption, a backfill announces each end since a time once, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examhook.detection.old_results import happened_at
from examhook.events.catalogue import type_of_status
from examhook.events.identity import submission_event_id
from examhook.provider.errors import ProviderUnavailable
from examhook.provider.port import UnreadableRow
from examhook.storage.events import DispatchedEvents
from examhook.workflows.administration import backfill as module
from examhook.workflows.administration.backfill import Backfill, BackfillReport, BackfillRequest
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row
from tests.support.storage.memory_tables import MemoryExams, MemoryExamStates, MemorySubmissions

HOUR_S = 3600


class Loss(StrEnum):
    """What is lost."""

    TABLES = "all tables"
    EVENTS = "events"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Happening:
    """One act of a candidate or an administrator."""

    candidate: int
    status_code: int
    score_points: int


@dataclass
class Marks(DispatchedEvents):
    """Dispatch's marks in memory: every announced event counts as dispatched."""

    stage: MemoryStage
    lost: set[str] = field(default_factory=set)

    def announced(self) -> list[str]:
        """Event ids in the order of the stream."""
        return [
            each.event_id
            for change in self.stage.submissions.store.stream
            for each in change.after.transitions
            if each.sequence > (change.before.sequence if change.before else 0) or each.sequence in change.again
        ]

    def among(self, event_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(event_ids) & (set(self.announced()) - self.lost)


def happens(stage: MemoryStage, happening: Happening) -> None:
    """Show the act at the in-memory provider, in one of two exams."""
    exam_id = str(happening.candidate % 2)
    seen = row(
        happening.candidate,
        happening.status_code,
        ended_at=stage.provider.clock,
        score_points=Decimal(happening.score_points) if happening.status_code else None,
    )
    if any(each.key == seen.key for each in stage.provider.rows.get(exam_id, [])):
        stage.provider.change(exam_id, seen)
    else:
        stage.provider.add(exam_id, seen)


def poll(stage: MemoryStage) -> None:
    assert stage.poll(full=True).complete


def backfilled(stage: MemoryStage, marks: Marks, since: int, patience: Sequence[int]) -> int:
    """Repeat the backfill until it is done, with time for ``patience`` steps per run; return the announced events."""
    report = BackfillReport()
    announced = goes = 0
    while not report.done:
        looks = iter([300.0] * (patience[goes] if goes < len(patience) else 10_000))
        workflow = Backfill(stage.workflow(), marks)
        report = workflow.run(BackfillRequest(since, place=report.place), partial(next, looks, 0.0))
        assert report.errors == report.notes == []
        announced += report.announced
        goes += 1
        stage.provider.clock += 60
    return announced


HAPPENINGS = st.builds(
    Happening, st.integers(0, 7), st.sampled_from([0, 1, 1, 1, 2, 3, 4]), st.integers(1, 3)
) | st.sampled_from(["poll", "time passes"])


@dataclass
class Story:
    """An installation with a past and a loss."""

    stage: MemoryStage
    marks: Marks
    before: list[str]
    """What was announced, and is still told by the stream's record."""
    kept: dict[str, int]
    """When each event happened that submissions kept before the loss."""

    def ends_since(self, since: int) -> set[str]:
        """For each attempt whose shown state is since then: the first event of that state."""
        return {
            submission_event_id("main", exam_id, each.key, type_of_status(each.status_code), 1)
            for exam_id, rows in self.stage.provider.rows.items()
            for each in rows
            if happened_at(each) >= since
        }


def story(history: Sequence[Happening | str], lost: Loss) -> Story:
    """Three old ends, a silent first contact, then ``history``, completely polled; then the loss ``lost``."""
    stage = MemoryStage()
    for number in range(3):
        happens(stage, Happening(number, 1, 1))
        stage.provider.clock += 600
    stage.provider.clock += HOUR_S
    poll(stage)
    for each in [*history, "poll"]:
        stage.provider.clock += HOUR_S if each == "time passes" else 60
        if each == "poll":
            poll(stage)
        elif isinstance(each, Happening):
            happens(stage, each)
    marks = Marks(stage)
    before = marks.announced()
    kept = {each.event_id: each.occurred_at for one in stage.stored() for each in one.transitions}
    if lost is Loss.TABLES:
        stage.submissions, stage.exams, stage.exam_states = MemorySubmissions(), MemoryExams(), MemoryExamStates()
        before = []
    elif lost is Loss.EVENTS:
        marks.lost = set(before)
    return Story(stage, marks, before, kept)


@settings(deadline=None)
@given(
    history=st.lists(HAPPENINGS, max_size=25),
    lost=st.sampled_from(Loss),
    since_ago_s=st.integers(0, 10 * HOUR_S),
    patience=st.lists(st.integers(0, 30), max_size=4),
    polls_first=st.booleans(),
)
def test_a_backfill_announces_exactly_the_ends_since_the_time(
    history: list[Happening | str], lost: Loss, since_ago_s: int, patience: list[int], *, polls_first: bool
) -> None:
    told = story(history, lost)
    stage, marks, before = told.stage, told.marks, told.before
    since = stage.provider.clock - since_ago_s
    if polls_first:
        poll(stage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PAGE_ITEMS", 3)
        announced = backfilled(stage, marks, since, patience)
    came = marks.announced()[len(before) :]
    assert len(set(came)) == len(came) == announced, "nothing came twice"
    recent = {event_id for event_id, occurred_at in told.kept.items() if occurred_at >= since}
    match lost:
        case Loss.TABLES:
            assert set(came) == told.ends_since(since)
        case Loss.EVENTS:
            assert recent <= set(came) <= recent | told.ends_since(since)
        case Loss.NOTHING:
            assert set(came) <= told.ends_since(since) - set(before), "only what had been recorded in silence"
        case _:
            assert_never(lost)
    poll(stage)
    assert len(marks.announced()) == len(before) + len(came), "no flood afterwards"
    stage.provider.clock += 60
    happens(stage, Happening(9, 1, 1))
    poll(stage)
    assert len(marks.announced()) == len(before) + len(came) + 1, "and no gap"


def test_an_exam_that_failed_is_reported_and_a_repeated_backfill_announces_it() -> None:
    stage = MemoryStage()
    for exam_id in ("7", "8", "9"):
        stage.provider.add(exam_id, row(int(exam_id), ended_at=BEGAN_AT - 10))
    stage.provider.failures["7"] = ProviderUnavailable("It does not answer.")
    marks = Marks(stage)
    request = BackfillRequest(BEGAN_AT - 10)

    def until_it_announces() -> float:
        lease = stage.exams.store.leases.get("main")
        return 300.0 if lease is None or lease.fence < 2 else 0.0

    first = Backfill(stage.workflow(), marks).run(request, until_it_announces)
    assert (first.done, first.notes) == (False, ["exam 7: the provider gave no usable answer"])
    stage.provider.failures.clear()
    last = Backfill(stage.workflow(), marks).run(replace(request, place=first.place), lambda: 300.0)
    assert (last.done, last.errors, len(marks.announced())) == (True, [], 2)
    assert backfilled(stage, marks, BEGAN_AT - 10, []) == 1


def test_an_exam_with_an_unreadable_row_is_reported_and_its_other_rows_are_announced() -> None:
    stage = MemoryStage()
    stage.provider.add("7", row(1, ended_at=BEGAN_AT - 10))
    stage.provider.unreadable["7"] = (UnreadableRow(1, "startTime is missing"),)
    marks = Marks(stage)
    report = Backfill(stage.workflow(), marks).run(BackfillRequest(BEGAN_AT - 10), lambda: 300.0)
    assert (report.done, report.errors) == (True, [])
    assert "exam 7: 1 rows cannot be announced: startTime is missing" in report.notes
    assert len(marks.announced()) == 1


def test_a_run_without_time_still_advances_by_one_step() -> None:
    stage = MemoryStage()
    stage.provider.add("7", *(row(number, ended_at=BEGAN_AT - 10 + number) for number in range(5)))
    poll(stage)
    assert backfilled(stage, Marks(stage), BEGAN_AT - 8, [0, 0, 0]) == 3
