"""The number of requests of incremental scans, and that fewer requests miss nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from examhook.detection.intervals import RETRY_S
from examhook.provider.errors import ProviderUnavailable
from tests.support.provider.memory_provider import BEGAN_AT, MemoryStage, asked, row, state


def tick(stage: MemoryStage, seconds: int = 60) -> None:
    stage.provider.clock += seconds
    stage.poll(manual=False)


@pytest.fixture(params=["newest first", "oldest first"])
def known(request: pytest.FixtureRequest) -> MemoryStage:
    """An exam of 250 ended attempts that was scanned."""
    stage = MemoryStage()
    stage.provider.oldest_first = request.param == "oldest first"
    stage.provider.add("7", *(row(1000 - number) for number in range(250)))
    assert stage.poll(manual=False).complete
    assert asked(stage) <= 4, "three pages, and what proves the end"
    return stage


def test_new_attempts_cost_one_request_and_the_proof_of_the_end(known: MemoryStage) -> None:
    known.provider.add("7", row(10, ended_at=BEGAN_AT + 30), row(11, ended_at=BEGAN_AT + 20))
    tick(known)
    assert known.events() == ["10 submitted", "11 submitted"]
    assert asked(known) <= 1 + known.provider.oldest_first
    tick(known)
    assert asked(known) == 0, "the count is as it was when the exam was read"


def test_more_new_attempts_than_a_page_holds_are_all_found(known: MemoryStage) -> None:
    known.provider.add("7", *(row(number, ended_at=BEGAN_AT + 30) for number in range(230)))
    tick(known)
    assert len(known.events()) == 230
    assert asked(known) <= 4


def test_running_attempts_cost_one_request_per_poll(known: MemoryStage) -> None:
    known.provider.add("7", row(10, status_code=0))
    tick(known)
    for _ in range(3):
        tick(known)
        assert asked(known) <= 1 + known.provider.oldest_first
    known.provider.change("7", row(10, status_code=2, ended_at=known.provider.clock))
    tick(known)
    assert known.events() == ["10 started", "10 timed_out"]
    tick(known)
    assert asked(known) == 0


def test_a_running_attempt_on_a_late_page_is_requested_by_its_candidate(known: MemoryStage) -> None:
    """Paging to it would take three requests; a request about the candidate takes one."""
    known.provider.add("7", row(740, status_code=0))
    tick(known)
    known.provider.add("7", *(row(number, ended_at=known.provider.clock) for number in range(220)))
    tick(known)
    known.provider.change("7", row(740, ended_at=known.provider.clock))
    tick(known)
    assert known.events()[-1] == "740 submitted"
    assert known.provider.candidates_asked == ["740"]
    assert asked(known) <= 2 + known.provider.oldest_first


def test_a_row_that_is_counted_before_it_is_listed_is_found_within_the_rotation(known: MemoryStage) -> None:
    listed = known.provider.exams_listed["7"]
    known.provider.exams_listed["7"] = replace(listed, attempt_count=(listed.attempt_count or 0) + 1)
    tick(known)
    known.provider.rows["7"] = [row(10, ended_at=BEGAN_AT + 30), *known.provider.rows["7"]]
    for _ in range(RETRY_S // 60 + 1):
        tick(known)
    assert known.events() == ["10 submitted"]


def test_fewer_new_rows_than_the_count_shows_cause_exactly_one_full_scan(known: MemoryStage) -> None:
    known.provider.clock += RETRY_S
    listed = known.provider.exams_listed["7"]
    known.provider.exams_listed["7"] = replace(listed, attempt_count=(listed.attempt_count or 0) + 1)
    scans = []
    for _ in range(5):
        tick(known)
        scans.append(asked(known) > 3)
    assert scans == [True, False, False, False, False]


@pytest.mark.parametrize("count", [None, 0, 250, 10_000])
def test_a_useless_count_costs_minutes_but_no_event(known: MemoryStage, count: int | None) -> None:
    """The count lags, stands still, is absent or counts something else."""
    for minute in range(1, 121):
        if minute % 40 == 0:
            known.provider.add("7", row(100 - minute // 40, ended_at=known.provider.clock))
        known.provider.exams_listed["7"] = replace(known.provider.exams_listed["7"], attempt_count=count)
        tick(known)
    for _ in range(16):
        tick(known)
    assert sorted(known.events()) == ["97 submitted", "98 submitted", "99 submitted"]


def test_a_count_that_stands_still_costs_few_requests(known: MemoryStage) -> None:
    known.provider.exams_listed["7"] = replace(known.provider.exams_listed["7"], attempt_count=7)
    tick(known)
    requests = 0
    for _ in range(60):
        tick(known)
        requests += asked(known)
    assert requests <= 60 / 5 * 2 + 4, "at most every five minutes, and one full scan"


def test_a_failing_scan_leaves_the_exam_due(known: MemoryStage) -> None:
    known.provider.add("7", row(10, ended_at=BEGAN_AT + 30))
    known.provider.failures["7"] = ProviderUnavailable("It does not answer.")
    assert known.poll().errors
    known.provider.failures.clear()
    known.poll()
    assert known.events() == ["10 submitted"]


def test_an_exam_that_closed_while_attempts_ran_is_scanned_and_its_last_attempts_followed(known: MemoryStage) -> None:
    known.provider.add("7", row(10, status_code=0))
    tick(known)
    known.provider.exams_listed["7"] = replace(known.provider.exams_listed["7"], available=False)
    tick(known)
    assert state(known).scanned_at == known.provider.clock
    known.provider.change("7", row(10, ended_at=known.provider.clock))
    tick(known)
    assert known.events() == ["10 started", "10 submitted"]
    tick(known)
    assert asked(known) == 0


def test_a_running_attempt_that_disappears_causes_a_full_scan_at_once(known: MemoryStage) -> None:
    known.provider.add("7", row(10, status_code=0))
    tick(known)
    known.provider.rows["7"].pop(0)
    tick(known)
    gone = known.submissions.of_exam("main", "7")[row(10).key]
    assert gone.missing_since == known.provider.clock


def test_an_attempt_that_was_reopened_is_followed_to_its_second_end(known: MemoryStage) -> None:
    known.provider.add("7", row(10, status_code=0))
    tick(known)
    for place, seen in enumerate([row(10), row(10, status_code=0), row(10, ended_at=BEGAN_AT + 90)]):
        known.provider.clock += 60
        known.provider.change("7", seen)
        known.poll(full=place == 1)
    assert known.events() == ["10 started", "10 submitted", "10 reopened", "10 submitted"]


@pytest.mark.parametrize("full", [False, True])
def test_a_change_that_another_poll_wrote_first_leaves_the_exam_due(
    known: MemoryStage,
    monkeypatch: pytest.MonkeyPatch,
    full: bool,  # noqa: FBT001
) -> None:
    known.provider.add("7", row(10, ended_at=BEGAN_AT + 30))
    with monkeypatch.context() as patched:
        patched.setattr(known.submissions, "write", list)
        report = known.poll(full=full)
    assert (report.changes, report.complete) == (0, False)
    assert "exam 7: another poll wrote changes first" in report.notes
    known.provider.clock += 60
    assert known.poll().complete
    assert known.events() == ["10 submitted"]


def test_a_week_without_polls_is_caught_up_by_one_poll(known: MemoryStage) -> None:
    """New attempts, an end, a rescore and a new exam are announced once each, however long ago they happened."""
    known.provider.add("7", row(10, status_code=0))
    tick(known)
    week = range(1, 7 * 24)
    known.provider.add("7", *(row(100 + hour, ended_at=BEGAN_AT + 3600 * hour) for hour in week))
    known.provider.change("7", row(10, status_code=2, ended_at=BEGAN_AT + 7200))
    rescored = replace(known.provider.rows["7"][-1], score_points=Decimal(77))
    known.provider.change("7", rescored)
    known.provider.add("8", row(20, ended_at=BEGAN_AT + 9000))
    known.provider.clock = BEGAN_AT + 7 * 86_400
    assert known.poll(manual=False).complete
    expected = [f"{100 + hour} submitted" for hour in week]
    expected += ["10 started", "10 timed_out", f"{rescored.candidate_id} rescored", "20 submitted"]
    assert sorted(known.events()) == sorted(expected)
    known.provider.clock += 60
    assert known.poll(manual=False).changes == 0
