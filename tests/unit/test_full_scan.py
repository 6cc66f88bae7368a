"""Full scans: removals, empty answers, digests, and scans that are interrupted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from examhook.provider.port import UnreadableRow
from examhook.workflows.polling.full_scan import PATIENCE_S
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, asked, row, state


@pytest.fixture
def stage() -> MemoryStage:
    return MemoryStage()


@pytest.fixture(params=["newest first", "oldest first"])
def known(stage: MemoryStage, request: pytest.FixtureRequest) -> MemoryStage:
    """An exam of 250 ended attempts that was scanned."""
    stage.provider.oldest_first = request.param == "oldest first"
    stage.provider.add("7", *(row(1000 - number) for number in range(250)))
    assert stage.poll().complete
    stage.provider.clock += 60
    return stage


def test_a_scan_without_changes_reads_and_writes_no_submission(
    known: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(known.submissions, "step", lambda: calls.append("a read or a write"))
    report = known.poll(full=True)
    assert (report.rows, report.changes, calls) == (250, 0, [])


def test_a_running_attempt_with_a_future_end_does_not_keep_an_exam_active(stage: MemoryStage) -> None:
    """Some providers show when the time of a running attempt is up."""
    started_at, in_a_day = BEGAN_AT - 7200, BEGAN_AT + 86_400
    stage.provider.add("7", replace(row(1, status_code=0, started_at=started_at), ended_at=in_a_day))
    for _ in range(2):
        assert stage.poll(full=True).complete
        assert state(stage).changed_at == started_at
        stage.provider.clock += 3600


def test_a_rescore_is_found_and_changes_the_digest(known: MemoryStage) -> None:
    rescored = replace(known.provider.rows["7"][120], score_points=Decimal(77))
    known.provider.change("7", rescored)
    known.poll(full=True)
    assert known.events() == [f"{rescored.candidate_id} rescored"]
    known.provider.clock += 60
    assert known.poll(full=True).changes == 0


def test_a_removal_is_announced_at_the_second_scan_that_misses_the_row(known: MemoryStage) -> None:
    gone = known.provider.rows["7"].pop(5)
    known.poll(full=True)
    assert known.events() == []
    known.provider.clock += 3600
    known.poll(full=True)
    assert known.events() == [f"{gone.candidate_id} removed"]
    for _ in range(2):
        known.provider.clock += 3600
        assert known.poll(full=True).changes == 0
    known.provider.rows["7"].insert(5, gone)
    known.provider.clock += 3600
    known.poll(full=True)
    assert known.events() == [f"{gone.candidate_id} removed", f"{gone.candidate_id} submitted"]


def test_a_removal_in_an_exam_too_large_to_hold_at_once_is_announced(
    known: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("examhook.workflows.polling.full_scan.HELD_PAGES", 1)
    rescored = replace(known.provider.rows["7"][200], score_points=Decimal(77))
    known.provider.change("7", rescored)
    gone = known.provider.rows["7"].pop(5)
    for _ in range(2):
        known.poll(full=True)
        known.provider.clock += 3600
    assert sorted(known.events()) == sorted([f"{rescored.candidate_id} rescored", f"{gone.candidate_id} removed"])


def test_a_row_that_was_missing_once_is_not_removed(known: MemoryStage) -> None:
    missed = known.provider.rows["7"].pop(5)
    known.poll(full=True)
    known.provider.rows["7"].insert(5, missed)
    for _ in range(3):
        known.provider.clock += 3600
        known.poll(full=True)
    assert known.events() == []


def test_an_empty_answer_where_rows_were_is_not_believed(known: MemoryStage) -> None:
    rows, known.provider.rows["7"] = known.provider.rows["7"], []
    for _ in range(3):
        known.provider.clock += 300
        assert not known.poll(full=True).complete
    known.provider.rows["7"] = rows
    for _ in range(3):
        known.provider.clock += 3600
        assert known.poll(full=True).complete
    assert known.events() == []


def test_an_exam_that_stays_empty_lost_its_rows(known: MemoryStage) -> None:
    known.provider.rows["7"] = []
    emptied_at = known.provider.clock
    while not known.events():
        known.provider.clock += 600
        known.poll(full=True)
    assert len(known.events()) == 250
    assert known.provider.clock - emptied_at > PATIENCE_S, "and two complete scans after it"
    known.provider.clock += 600
    assert known.poll(full=True).complete


def test_an_exam_with_attempts_that_shows_none_at_first_contact_announces_nothing_old_later(stage: MemoryStage) -> None:
    stage.provider.add("7", *(row(number) for number in range(20)))
    rows, stage.provider.rows["7"] = stage.provider.rows["7"], []
    assert not stage.poll(manual=False).complete
    stage.provider.rows["7"] = rows
    for _ in range(5):
        stage.provider.clock += 60
        stage.poll(manual=False)
    assert len(stage.stored()) == 20
    assert stage.events() == []


def test_a_first_scan_without_statuses_that_takes_several_polls_announces_nothing_old(stage: MemoryStage) -> None:
    stage.provider.add("7", *(row(number) for number in range(30)))
    stage.provider.hide_status = True
    for _ in range(6):
        stage.requests_until_time_is_up = 12
        stage.poll()
        stage.provider.clock += 300
    stage.requests_until_time_is_up = None
    assert stage.poll(full=True).complete
    assert len(stage.stored()) == 30
    assert stage.events() == []


def test_a_first_scan_continues_where_its_time_ran_out(stage: MemoryStage) -> None:
    stage.provider.add("7", *(row(number) for number in range(950)))
    stage.requests_until_time_is_up = 8
    report = stage.poll()
    assert (report.complete, stage.provider.requests_made) == (False, 8)
    stage.requests_until_time_is_up = None
    stage.provider.clock += 60
    assert stage.poll().complete
    # Ten pages, of which the first poll read six or seven after the list.
    assert asked(stage) <= 6
    assert stage.events() == []
    stage.provider.clock += 60
    assert stage.poll(full=True).changes == 0


def test_a_first_scan_whose_process_died_repeats_few_requests(stage: MemoryStage) -> None:
    stage.provider.add("7", *(row(number) for number in range(950)))
    stage.provider.dies_at_request = 10
    with pytest.raises(KeyboardInterrupt):
        stage.poll()
    stage.provider.dies_at_request = None
    stage.provider.clock += 120
    assert stage.poll().complete
    assert asked(stage) <= 8
    assert stage.events() == []


def test_what_ends_while_a_first_scan_is_interrupted_is_announced_once(stage: MemoryStage) -> None:
    stage.provider.add("7", *(row(number) for number in range(950)))
    stage.requests_until_time_is_up = 8
    stage.poll()
    stage.requests_until_time_is_up = None
    stage.provider.clock += 60
    stage.provider.add("7", row(2000, ended_at=BEGAN_AT + 30))
    stage.poll()
    stage.provider.clock += 60
    stage.poll(full=True)
    assert stage.events() == ["2000 submitted"]


def _die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_poll_that_dies_between_the_submissions_and_the_exams_state_loses_nothing(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.provider.add("7", row(1))
    stage.poll()
    stage.provider.add("7", row(2, ended_at=BEGAN_AT + 30))
    stage.provider.clock += 60
    with monkeypatch.context() as patch:
        patch.setattr(stage.exam_states, "write", _die)
        with pytest.raises(KeyboardInterrupt):
            stage.poll()
    stage.provider.clock += 60
    assert stage.poll().complete
    assert stage.events() == ["2 submitted"]


def test_a_removal_after_a_poll_that_died_in_a_first_scan_is_announced(
    stage: MemoryStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wrote the attempts, and not that the exam was scanned."""
    stage.provider.add("7", row(1), row(2))
    states = stage.exam_states
    write = states.write
    with monkeypatch.context() as patch:
        patch.setattr(states, "write", lambda changes: _die() if changes[0].before else write(changes))
        with pytest.raises(KeyboardInterrupt):
            stage.poll()
    assert len(stage.stored()) == 2
    gone = stage.provider.rows["7"].pop()
    for _ in range(3):
        stage.provider.clock += 3600
        stage.poll(full=True)
    assert stage.events() == [f"{gone.candidate_id} removed"]


@pytest.mark.parametrize("flaw", ["a row cannot be read", "no status is shown"])
def test_a_first_scan_that_passed_over_something_stores_it_once_it_can_be_read(stage: MemoryStage, flaw: str) -> None:
    stage.provider.add("7", *(row(number) for number in range(250)))
    if flaw == "no status is shown":
        stage.provider.hide_status = True
    else:
        stage.provider.rows["7"].pop(20)
        stage.provider.unreadable["7"] = (UnreadableRow(20, "sid is missing"),)
    stage.requests_until_time_is_up = 4
    assert not stage.poll().complete
    stage.provider.hide_status = False
    if stage.provider.unreadable:
        stage.provider.rows["7"].append(row(20))
    stage.provider.unreadable.clear()
    stage.requests_until_time_is_up = None
    for _ in range(3):
        stage.provider.clock += 3600
        report = stage.poll(full=True)
    assert report.complete
    assert len(stage.stored()) == 250
    assert stage.events() == []
