"""Which exams a poll reads, how much of each, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.exam_state import ExamState, RowOrder, ScanCursor
from examhook.detection.intervals import (
    ACTIVE_ROTATION_S,
    ACTIVE_S,
    IDLE_FACTOR,
    RETRY_S,
    ROTATION_S,
    WEEK_S,
    PollPace,
    full_scan_interval_s,
    is_weekly_check_due,
    worst_case_s,
)
from examhook.detection.plan import Depth, Reason, Rescan, is_paused, plan
from examhook.model import AttemptKey, Exam, ExamTransition

NOW = 1_700_000_000
HOUR = 3600
DAY = 24 * HOUR
PACE = PollPace(full_scan_s=HOUR, poll_s=60, requests_per_second=5)
EXAM = Exam("1", "Anatomy II", available=True, attempt_count=10)
CLOSED = replace(EXAM, available=False)
KEYS = tuple(AttemptKey(NOW - number, str(number)) for number in range(3))


def state(exam: Exam = EXAM, **facts: Any) -> ExamState:
    """The state of an exam that was scanned ten minutes ago and was quiet for two hours."""
    known = {
        "row_count": 10,
        "scanned_at": NOW - 600,
        "read_at": NOW - 600,
        "changed_at": NOW - 2 * HOUR,
        "row_order": RowOrder.NEWEST,
    }
    return ExamState("main", exam, **{**known, **facts})


def closed_at(moment: int) -> tuple[ExamTransition, ...]:
    return (ExamTransition("evt_1", "exam.closed", moment, None, moment, available=False),)


def planned(listed: Exam, known: ExamState, **overrides: Any) -> list[tuple[Reason, Depth]]:
    facts = {"now": NOW, "pace": PACE, **overrides}
    return [(each.reason, each.depth) for each in plan([listed], {known.exam_id: known}, **facts)]


def followed(known: ExamState, **overrides: Any) -> list[tuple[Reason, Depth]]:
    """The plan for a known exam that the list lacks."""
    facts = {"now": NOW, "pace": PACE, **overrides}
    return [(each.reason, each.depth) for each in plan([], {known.exam_id: known}, **facts)]


def test_an_exam_without_a_sign_of_change_is_not_read() -> None:
    assert planned(EXAM, state()) == []


def test_an_exam_that_was_never_scanned_is_scanned_even_if_unavailable() -> None:
    """It may hold attempts that an administrator force-submits later."""
    assert planned(CLOSED, state(CLOSED, scanned_at=None)) == [(Reason.NEW, Depth.FULL)]


@pytest.mark.parametrize("count", [9, 11, None])
def test_a_changed_attempt_count_causes_an_incremental_scan(count: int | None) -> None:
    assert planned(replace(EXAM, attempt_count=count), state()) == [(Reason.COUNT_CHANGED, Depth.NEW_ROWS)]


@pytest.mark.parametrize("order", [RowOrder.UNKNOWN, RowOrder.NEITHER])
def test_without_a_known_order_a_changed_count_causes_a_full_scan(order: RowOrder) -> None:
    changed = replace(EXAM, attempt_count=11)
    assert planned(changed, state(row_order=order)) == [(Reason.COUNT_CHANGED, Depth.FULL)]


def test_running_attempts_are_read_even_after_the_exam_closed() -> None:
    running = state(CLOSED, running=KEYS[:1], running_count=1)
    assert planned(CLOSED, running) == [(Reason.RUNNING, Depth.NEW_ROWS)]


@pytest.mark.parametrize(
    ("row_count", "running_count", "depth"),
    [(300, 3, Depth.RUNNING), (200, 3, Depth.FULL), (300, 4, Depth.FULL)],
    ids=["few candidates", "fewer pages than candidates", "not all are named"],
)
def test_without_an_order_running_attempts_are_read_with_the_fewest_requests(
    row_count: int, running_count: int, depth: Depth
) -> None:
    known = state(row_order=RowOrder.NEITHER, running=KEYS, running_count=running_count, row_count=row_count)
    assert planned(EXAM, known) == [(Reason.RUNNING, depth)]


def test_an_exam_that_closed_since_its_last_scan_is_scanned_once_more() -> None:
    known = state(CLOSED, transitions=closed_at(NOW - 60))
    assert planned(CLOSED, known) == [(Reason.CLOSED, Depth.FULL)]
    assert planned(CLOSED, replace(known, scanned_at=NOW - 30, read_at=NOW - 30)) == []


def test_an_exam_that_failed_is_tried_again() -> None:
    assert planned(EXAM, state(failed_since=NOW - 60)) == [(Reason.FAILED, Depth.FULL)]


def test_a_scan_that_ran_out_of_time_continues() -> None:
    cursor = ScanCursor(99, None, NOW - 60)
    assert planned(EXAM, state(cursor=cursor)) == [(Reason.CONTINUED, Depth.FULL)]
    assert planned(EXAM, state(cursor=cursor, scanned_at=None)) == [(Reason.CONTINUED, Depth.FULL)]


def test_an_active_exam_is_scanned_once_in_each_interval() -> None:
    known = state(changed_at=NOW - HOUR - 5, scanned_at=NOW - HOUR, read_at=NOW - 60)
    assert planned(EXAM, known) == [(Reason.DUE, Depth.FULL)]
    assert planned(EXAM, known, now=NOW - 1) == []


def test_a_quiet_exam_is_scanned_after_the_time_that_it_was_quiet() -> None:
    known = state(changed_at=NOW - 5 * HOUR, scanned_at=NOW - 2 * HOUR, read_at=NOW - 60)
    assert planned(EXAM, known) == []
    assert planned(EXAM, replace(known, read_at=NOW + HOUR - 60), now=NOW + HOUR) == [(Reason.DUE, Depth.FULL)]


@given(changed_at=st.integers(0, NOW), scanned_at=st.integers(NOW - 100 * HOUR, NOW))
def test_no_full_scan_waits_longer_than_promised(changed_at: int, scanned_at: int) -> None:
    known = state(changed_at=changed_at, scanned_at=scanned_at, read_at=scanned_at)
    assert HOUR <= full_scan_interval_s(known, HOUR) <= HOUR * IDLE_FACTOR
    bound_s = worst_case_s(poll_s=60, full_scan_s=HOUR)["rescored_idle"]
    assert planned(EXAM, known, now=scanned_at + bound_s) == [(Reason.DUE, Depth.FULL)]


@given(quiet_s=st.integers(0, 30 * DAY), count=st.sampled_from([10, None]))
def test_the_rotation_reads_new_rows_of_every_available_exam_whatever_the_count_says(
    quiet_s: int, count: int | None
) -> None:
    """A count that stands still, lags or is absent costs minutes but no event."""
    exam = replace(EXAM, attempt_count=count)
    every_s = ACTIVE_ROTATION_S if quiet_s < ACTIVE_S else ROTATION_S
    known = state(exam, changed_at=NOW - quiet_s, read_at=NOW - every_s, scanned_at=NOW - every_s)
    assert planned(exam, known) == [(Reason.ROTATION, Depth.NEW_ROWS)]
    assert planned(exam, replace(known, read_at=NOW - every_s + 1)) == []


def test_an_exam_that_closed_recently_stays_in_the_rotation() -> None:
    """The provider may list the last submissions only after the exam closed."""
    known = state(CLOSED, transitions=closed_at(NOW - HOUR + 1), read_at=NOW - 300, scanned_at=NOW - 300)
    assert planned(CLOSED, known) == [(Reason.ROTATION, Depth.NEW_ROWS)]
    assert planned(CLOSED, replace(known, transitions=closed_at(NOW - HOUR))) == []


def test_the_rotation_skips_unavailable_exams_but_not_those_of_unknown_availability() -> None:
    rested = state(read_at=NOW - ROTATION_S, scanned_at=NOW - ROTATION_S)
    assert planned(CLOSED, replace(rested, exam=CLOSED)) == []
    unstated = replace(EXAM, available=None)
    assert planned(unstated, replace(rested, exam=unstated)) == [(Reason.ROTATION, Depth.NEW_ROWS)]


@given(exams=st.integers(1, 200), per_second=st.floats(0.05, 20), seed=st.randoms())
def test_the_rotation_stays_within_its_share_and_is_spread_over_polls(exams: int, per_second: float, seed: Any) -> None:
    """All exams are due: one poll reads a part of them, those that waited longest first."""
    pace = replace(PACE, requests_per_second=per_second)
    listing = [replace(EXAM, exam_id=str(number)) for number in range(exams)]
    states = {
        exam.exam_id: state(exam, read_at=NOW - seed.randint(ROTATION_S, HOUR - 1), scanned_at=NOW - HOUR + 1)
        for exam in listing
    }
    read = plan(listing, states, now=NOW, pace=pace)
    assert 1 <= len(read) <= max(1, pace.requests_per_poll // 4)
    assert len(read) <= exams * pace.poll_s / ROTATION_S + 1
    waited = [states[each.exam.exam_id].read_at for each in read]
    assert max(waited) <= min(
        (known.read_at for exam_id, known in states.items() if exam_id not in {each.exam.exam_id for each in read}),
        default=NOW,
    )


def test_full_scans_that_are_due_at_once_are_spread_over_polls_but_never_stop() -> None:
    listing = [replace(EXAM, exam_id=str(number)) for number in range(50)]
    due = {exam.exam_id: state(exam, scanned_at=NOW - DAY, row_count=950) for exam in listing}
    pace = replace(PACE, requests_per_second=1)
    read = plan(listing, due, now=NOW, pace=pace)
    assert len(read) == 3, "half of the 60 requests between two polls, ten of them for each exam"
    huge = {"1": state(scanned_at=NOW - DAY, row_count=10**6)}
    assert plan([EXAM], huge, now=NOW, pace=pace), "one at least"


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (state(scanned_at=NOW + 5 * HOUR, read_at=NOW + 5 * HOUR, changed_at=NOW + 5 * HOUR), Reason.DUE),
        (state(scanned_at=None, read_at=NOW + 5 * HOUR, failed_since=NOW + 5 * HOUR), Reason.NEW),
        (state(read_at=NOW + 5 * HOUR), Reason.ROTATION),
    ],
    ids=["scanned", "never scanned", "read"],
)
def test_exams_read_while_our_clock_was_ahead_are_due_once_the_clock_is_right(known: ExamState, reason: Reason) -> None:
    assert [each for each, _ in planned(EXAM, known)] == [reason]


def test_a_due_full_scan_is_not_postponed_by_smaller_scans() -> None:
    """An abandoned attempt may run forever, and a busy exam's count changes at every tick."""
    due = state(changed_at=NOW - HOUR - 5, scanned_at=NOW - HOUR, running=KEYS[:1], running_count=1)
    assert planned(EXAM, due) == [(Reason.RUNNING, Depth.FULL)]
    assert planned(replace(EXAM, attempt_count=11), due) == [(Reason.COUNT_CHANGED, Depth.FULL)]


def test_reads_are_ordered_by_cost_then_urgency_then_age_with_failures_last() -> None:
    exams = [replace(EXAM, exam_id=str(number)) for number in range(6)]
    states = {
        "0": state(exams[0], scanned_at=NOW - 24 * HOUR, read_at=NOW - 24 * HOUR),
        "1": state(exams[1], scanned_at=NOW - 25 * HOUR, read_at=NOW - 25 * HOUR),
        "2": state(exams[2], running=KEYS[:1], running_count=1),
        "3": state(exams[3], scanned_at=None),
        "4": state(exams[4], failed_since=NOW - DAY),
        "5": state(replace(exams[5], attempt_count=9)),
    }
    requests = plan(exams, states, now=NOW, pace=PACE)
    assert [request.exam.exam_id for request in requests] == ["5", "2", "3", "1", "0", "4"]


@given(failed_for_s=st.integers(0, 3 * HOUR), rested_s=st.integers(0, 3 * HOUR))
def test_a_failing_exam_pauses_with_doubling_up_to_five_minutes(failed_for_s: int, rested_s: int) -> None:
    known = state(failed_since=NOW - rested_s - failed_for_s, read_at=NOW - rested_s)
    (request,) = plan([EXAM], {"1": known}, now=NOW, pace=PACE)
    assert is_paused(request, NOW) is (rested_s < min(failed_for_s, RETRY_S))
    assert not is_paused(replace(request, reason=Reason.CONTINUED), NOW)


def test_an_unlisted_exam_is_read_while_attempts_run() -> None:
    running = state(running=KEYS[:1], running_count=1, read_at=NOW - ACTIVE_ROTATION_S)
    assert followed(running) == [(Reason.UNLISTED, Depth.NEW_ROWS)]
    assert followed(replace(running, row_order=RowOrder.NEITHER)) == [(Reason.UNLISTED, Depth.FULL)]
    assert followed(replace(running, read_at=NOW - ACTIVE_ROTATION_S + 1)) == []


def test_a_quiet_unlisted_exam_gets_its_regular_full_scans() -> None:
    quiet = state(scanned_at=NOW - 2 * HOUR, read_at=NOW - 2 * HOUR, changed_at=NOW - 3 * HOUR)
    assert followed(quiet) == [(Reason.UNLISTED, Depth.FULL)]
    assert followed(quiet, now=NOW - HOUR - 1) == []
    everything = Rescan(before=NOW)
    assert followed(quiet, now=NOW - HOUR - 1, rescan=everything) == [(Reason.UNLISTED, Depth.FULL)]


def test_an_unreadable_unlisted_exam_waits_for_the_longest_pause() -> None:
    failed = state(failed_since=NOW - HOUR, read_at=NOW)
    assert followed(failed, now=NOW + IDLE_FACTOR * HOUR - 1) == []
    assert followed(failed, now=NOW + IDLE_FACTOR * HOUR) == [(Reason.UNLISTED, Depth.FULL)]


@pytest.mark.parametrize(
    ("facts", "covered"),
    [
        ({"scanned_at": None}, True),
        ({}, False),
        ({"scanned_at": NOW - 901}, True),
        ({"scanned_at": NOW - 901, "failed_since": NOW - 9, "read_at": NOW - 301}, True),
        ({"scanned_at": NOW - 901, "failed_since": NOW - 9, "read_at": NOW - 300}, False),
        ({"cursor": ScanCursor(10, None, NOW), "failed_since": NOW - 9, "read_at": NOW}, True),
    ],
    ids=["new", "scanned lately", "scanned long ago", "failed before", "failed in it", "ran out of time"],
)
def test_a_rescan_covers_exams_not_scanned_since_its_start(facts: dict[str, Any], *, covered: bool) -> None:
    assert Rescan(before=NOW - 900, failed_after=NOW - 300).covers(state(**facts)) is covered


def test_a_rescan_adds_missing_scans_and_changes_and_postpones_regular_ones() -> None:
    exams = [replace(EXAM, exam_id=str(number)) for number in range(4)]
    states = {
        "0": state(exams[0], scanned_at=NOW - 901),
        "1": state(exams[1]),
        "2": state(exams[2], scanned_at=NOW - DAY, changed_at=0),
        "3": state(replace(exams[3], attempt_count=9)),
    }
    rescan = Rescan(before=NOW - 900, exam_ids=frozenset({"0", "1", "3"}))
    requests = plan(exams, states, now=NOW, pace=PACE, rescan=rescan)
    assert [(each.exam.exam_id, each.reason, each.depth) for each in requests] == [
        ("3", Reason.COUNT_CHANGED, Depth.NEW_ROWS),
        ("0", Reason.REQUESTED, Depth.FULL),
    ]


@given(name=st.text(), since=st.integers(0, NOW), passed_s=st.integers(0, 3 * WEEK_S))
def test_a_weekly_turn_occurs_exactly_once_a_week(name: str, since: int, passed_s: int) -> None:
    turns = [is_weekly_check_due(name, since + at, since + at + HOUR) for at in range(0, WEEK_S, HOUR)]
    assert sum(turns) == 1
    if passed_s >= WEEK_S:
        assert is_weekly_check_due(name, since, since + passed_s)
