"""Whole polls over tables in memory: exams that open and close, and receipts of full scans."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, EndpointStatus
from examhook.detection.scan_result import digest_of
from examhook.model import ExamTransition
from examhook.provider.errors import ProviderUnavailable
from examhook.provider.port import ExamPage, UnreadableRow
from examhook.settings import InitialSync
from tests.support.events.model_values import ExamFields
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, row
from tests.support.storage.memory_tables import MemoryExamStates

ASKING = Endpoint("ep_1", "https://a.example/", b"", EndpointOrigin.CLI, 1, types=("exam.*",))


class DiedError(BaseException):
    """The process is gone."""


@pytest.fixture
def stage() -> MemoryStage:
    return MemoryStage()


@pytest.fixture
def known(stage: MemoryStage) -> MemoryStage:
    """An open exam and a closed one, with three attempts each, that were there at the first poll."""
    for exam_id in ("7", "8"):
        stage.provider.add(exam_id, row(1), row(2), row(3))
    show(stage, "8", available=False)
    assert stage.poll().complete
    stage.provider.clock += 60
    return stage


def show(stage: MemoryStage, shown: str, /, **facts: Unpack[ExamFields]) -> None:
    listed = stage.provider.exams_listed
    listed[shown] = replace(listed[shown], **facts)


def transitions(stage: MemoryStage) -> list[ExamTransition]:
    """What the outbox of exams holds, in order."""
    return [change.after.transitions[-1] for change in stage.exam_states.store.stream if change.announces]


def events(stage: MemoryStage) -> list[str]:
    changes = [change for change in stage.exam_states.store.stream if change.announces]
    return [f"{c.after.exam_id} {c.after.transitions[-1].event_type.removeprefix('exam.')}" for c in changes]


def test_exams_of_the_first_list_are_recorded_silently(known: MemoryStage) -> None:
    assert events(known) == []
    known.poll()
    assert events(known) == []


def test_a_first_contact_announces_the_open_ones_when_asked_to(stage: MemoryStage) -> None:
    for exam_id in ("7", "8"):
        stage.provider.add(exam_id)
    show(stage, "8", available=False)
    stage.poll(initial_sync=InitialSync.ANNOUNCE)
    stage.poll(initial_sync=InitialSync.ANNOUNCE)
    assert events(stage) == ["7 opened"]


def test_openings_and_closings_are_announced_once(known: MemoryStage) -> None:
    show(known, "7", available=False)
    show(known, "8", available=True)
    for _ in range(3):
        known.poll()
        known.provider.clock += 60
    show(known, "7", available=True)
    known.poll()
    assert events(known) == ["7 closed", "8 opened", "7 opened"]


def test_a_poll_that_finds_nothing_new_writes_nothing(known: MemoryStage) -> None:
    written = len(known.exam_states.store.stream)
    for _ in range(3):
        known.poll(manual=False)
        known.provider.clock += 60
    assert len(known.exam_states.store.stream) == written


def test_a_new_exam_is_announced_if_it_is_open_and_when_it_opens(known: MemoryStage) -> None:
    for exam_id in ("9", "10"):
        known.provider.add(exam_id)
    show(known, "10", available=False)
    known.poll()
    assert events(known) == ["9 opened"]
    show(known, "10", available=True)
    known.provider.clock += 60
    known.poll()
    assert events(known) == ["9 opened", "10 opened"]


def test_an_incomplete_first_list_is_no_ground_to_call_an_exam_new(stage: MemoryStage) -> None:
    """Only a list that was read completely tells old exams from new."""
    stage.provider.add("7")
    lists = stage.provider.exams
    stage.provider.exams = lambda start, limit: replace(lists(start, limit), problem="half of it")  # type: ignore[method-assign]
    stage.poll()
    stage.provider.exams = lambda start, limit: _with_unreadable(lists(start, limit))  # type: ignore[method-assign]
    stage.provider.clock += 60
    stage.poll()
    stage.provider.exams = lists  # type: ignore[method-assign]
    stage.provider.add("8")
    stage.poll()
    stage.provider.add("9")
    stage.poll()
    assert events(stage) == ["9 opened"]


def _with_unreadable(page: ExamPage) -> ExamPage:
    unreadable = () if not page.rows else (UnreadableRow(page.row_count, "eid is missing"),)
    return replace(page, row_count=page.row_count + len(unreadable), unreadable=unreadable)


def test_exams_that_are_missing_from_the_list_and_come_back_did_nothing(known: MemoryStage) -> None:
    listed = dict(known.provider.exams_listed)
    known.provider.exams_listed.clear()
    known.poll()
    known.provider.exams_listed.update(listed)
    known.poll()
    assert events(known) == []


def test_an_exam_that_closed_while_it_was_missing_is_announced_when_it_is_back(known: MemoryStage) -> None:
    missing = known.provider.exams_listed.pop("7")
    known.poll()
    known.provider.exams_listed["7"] = replace(missing, available=False)
    known.provider.clock += 60
    known.poll()
    assert events(known) == ["7 closed"]


def test_a_list_that_could_not_be_read_says_nothing(known: MemoryStage) -> None:
    show(known, "7", available=False)
    known.provider.failures[""] = ProviderUnavailable("Its server failed.")
    assert known.poll().errors
    assert events(known) == []


def test_an_account_whose_exams_do_not_say_whether_they_are_open_has_no_such_events(stage: MemoryStage) -> None:
    """As under the v1 API, which has no list of exams."""
    stage.provider.add("7")
    show(stage, "7", available=None)
    stage.poll()
    stage.provider.add("8")
    show(stage, "8", available=None)
    stage.poll()
    assert events(stage) == []


def test_an_opening_is_announced_although_no_results_could_be_read(known: MemoryStage) -> None:
    show(known, "8", available=True)
    known.provider.failures["7"] = known.provider.failures["8"] = ProviderUnavailable("Its server failed.")
    known.poll(full=True)
    assert events(known) == ["8 opened"]


@pytest.mark.parametrize("dies_before", [1, 2, 3])
def test_a_poll_that_dies_on_the_way_leaves_the_rest_to_the_next(known: MemoryStage, dies_before: int) -> None:
    for exam_id, available in (("7", False), ("8", True)):
        show(known, exam_id, available=available)
    steps = iter(range(1, 100))

    def step() -> int:
        if next(steps) == dies_before:
            raise DiedError
        return 0

    store = known.exam_states.store
    known.exam_states = MemoryExamStates(store, step)
    with pytest.raises(DiedError):
        known.poll()
    known.exam_states = MemoryExamStates(store)
    known.provider.clock += 60
    known.poll()
    assert sorted(events(known)) == ["7 closed", "8 opened"]


def test_a_poll_that_outlived_its_lease_changes_nothing(known: MemoryStage) -> None:
    """It has seen the exam close; meanwhile another poll saw that, and that it opened again."""
    show(known, "7", available=False)
    store = known.exam_states.store
    calls = iter(range(100))

    def another_poll_comes_first() -> int:
        if next(calls) == 1:  # after the states were read
            known.exam_states = MemoryExamStates(store)
            for available in (False, True):
                show(known, "7", available=available)
                known.exams.release_lease("main", known.exams.store.leases["main"].owner)
                known.poll()
                known.provider.clock += 60
        return 0

    known.exam_states = MemoryExamStates(store, another_poll_comes_first)
    known.poll()
    assert events(known) == ["7 closed", "7 opened"]
    assert store.items["main", "7"].exam.available


def test_a_full_scan_ends_with_a_receipt_where_one_is_asked_for(known: MemoryStage) -> None:
    known.endpoints = [replace(ASKING, exam_ids=("7",))]
    known.provider.change("7", row(2, status_code=0))
    known.poll(full=True)
    assert events(known) == ["7 verified"]
    receipt = transitions(known)[0].receipt
    assert receipt is not None
    assert receipt.watermark == BEGAN_AT + 60
    assert receipt.status_counts == {1: 2, 0: 1}
    stored = known.submissions.of_exam("main", "7").values()
    assert receipt.digest == f"{digest_of(each.attempt for each in stored):016x}"


@pytest.mark.parametrize(
    "endpoints",
    [
        [],
        [replace(ASKING, types=())],
        [replace(ASKING, types=("submission.*", "exam.opened"))],
        [replace(ASKING, status=EndpointStatus.DISABLED)],
        [replace(ASKING, accounts=("other",))],
    ],
)
def test_nothing_is_written_for_receipts_that_nobody_asks_for(known: MemoryStage, endpoints: list[Endpoint]) -> None:
    known.endpoints = endpoints
    known.poll(full=True)
    assert events(known) == []


def test_a_full_scan_without_changes_gives_another_receipt_with_the_same_digest(known: MemoryStage) -> None:
    known.endpoints = [ASKING]
    for _ in range(2):
        known.poll(full=True)
        known.provider.clock += 60
    assert events(known) == ["7 verified", "8 verified"] * 2
    first, _, second, _ = (each.receipt for each in transitions(known))
    assert first is not None
    assert second is not None
    assert (first.digest, first.status_counts) == (second.digest, second.status_counts)
    assert first.watermark < second.watermark


def test_an_incremental_scan_gives_no_receipt(known: MemoryStage) -> None:
    known.endpoints = [ASKING]
    known.provider.add("7", row(10, ended_at=known.provider.clock))
    known.poll()
    assert events(known) == []


def test_a_scan_that_misses_an_attempt_gives_none_until_its_removal_is_announced(known: MemoryStage) -> None:
    known.endpoints = [replace(ASKING, exam_ids=("7",))]
    del known.provider.rows["7"][1]
    events_after = []
    for _ in range(2):
        known.poll(full=True)
        events_after.append(len(events(known)))
        known.provider.clock += 60
    assert events_after == [0, 1]
    assert "2 removed" in known.events()
    receipt = transitions(known)[0].receipt
    assert receipt is not None
    assert receipt.status_counts == {1: 2}


def test_a_scan_that_could_not_read_a_row_gives_no_receipt(known: MemoryStage) -> None:
    known.endpoints = [replace(ASKING, exam_ids=("7",))]
    known.provider.unreadable["7"] = (UnreadableRow(3, "startTime is missing"),)
    assert not known.poll(full=True).complete
    assert events(known) == []


def test_an_exam_without_a_list_gets_receipts_too(stage: MemoryStage) -> None:
    stage.endpoints = [ASKING]
    stage.provider.add("7", row(1))
    show(stage, "7", available=None)
    stage.poll()
    assert events(stage) == ["7 verified"]
