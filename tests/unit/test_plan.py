"""Which exams are asked about, how, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.plan import (
    BUSY_SECONDS,
    CLOCKS_DIFFER_SECONDS,
    COLD_FACTOR,
    LOOK_SECONDS,
    RETRY_SECONDS,
    Look,
    Reason,
    full_pass_interval_s,
    plan,
)
from examhook.detection.watch import AccountWatch, ExamWatch, PassProgress, RowOrder
from examhook.detection.worst_case import worst_case_s
from examhook.model import Exam

NOW = 1_700_000_000
EXAM = Exam("1", "Anatomy II", available=True, takings=10)
CLOSED = replace(EXAM, available=False)
HOUR = 3600


def watch(exam: Exam = EXAM, **overrides: Any) -> ExamWatch:
    facts = {
        "rows": 10,
        "passed_at": NOW - 600,
        "tried_at": NOW - 600,
        "changed_at": NOW - 2 * HOUR,
        "order": RowOrder.NEWEST,
    }
    return ExamWatch(exam=exam, **{**facts, **overrides})


def planned(listed: Exam, known: ExamWatch | None, **overrides: Any) -> list[tuple[Reason, Look]]:
    settings = {"now": NOW, "full_pass_seconds": HOUR, **overrides}
    requests = plan([listed], {known.exam.exam_id: known} if known else {}, **settings)
    return [(request.reason, request.look) for request in requests]


def test_a_quiet_exam_is_left_alone() -> None:
    assert planned(EXAM, watch()) == []


def test_an_unknown_exam_is_read_whole_even_when_it_is_unavailable() -> None:
    """It may hold attempts that an administrator forces in later."""
    assert planned(CLOSED, None) == [(Reason.NEW, Look.WHOLE)]


@pytest.mark.parametrize("takings", [9, 11])
def test_takings_that_moved_call_for_a_look_at_the_edge(takings: int) -> None:
    assert planned(replace(EXAM, takings=takings), watch()) == [(Reason.TAKINGS_MOVED, Look.EDGE)]


@pytest.mark.parametrize("order", [RowOrder.UNKNOWN, RowOrder.NEITHER])
def test_without_a_known_order_everything_is_read_whole(order: RowOrder) -> None:
    assert planned(replace(EXAM, takings=11), watch(order=order)) == [(Reason.TAKINGS_MOVED, Look.WHOLE)]


def test_running_attempts_are_looked_at_even_after_the_exam_closed() -> None:
    assert planned(CLOSED, watch(CLOSED, open_count=1)) == [(Reason.OPEN_ATTEMPTS, Look.EDGE)]


def test_an_exam_that_just_closed_is_read_whole_once_more() -> None:
    assert planned(CLOSED, watch()) == [(Reason.CLOSED, Look.WHOLE)]


def test_an_exam_that_just_closed_and_could_not_be_read_whole_is_tried_again_after_a_pause() -> None:
    known = watch(tried_at=NOW - 60, failed_at=NOW - 60)
    assert planned(CLOSED, known) == []
    assert planned(CLOSED, known, now=NOW - 60 + RETRY_SECONDS) == [(Reason.CLOSED, Look.WHOLE)]


def test_a_requested_pass_reads_everything_whole() -> None:
    assert planned(EXAM, watch(), everything=True) == [(Reason.REQUESTED, Look.WHOLE)]


def test_a_lively_exams_full_pass_comes_each_interval() -> None:
    known = watch(changed_at=NOW - HOUR - 5, passed_at=NOW - HOUR, tried_at=NOW - HOUR)
    assert planned(EXAM, known) == [(Reason.DUE, Look.WHOLE)]
    assert planned(EXAM, known, now=NOW - 1) == []


def test_a_quiet_exams_full_pass_waits_as_long_as_it_was_quiet() -> None:
    known = watch(changed_at=NOW - 5 * HOUR, passed_at=NOW - 2 * HOUR, tried_at=NOW - 2 * HOUR)
    assert planned(EXAM, known) == []
    assert planned(EXAM, known, now=NOW + HOUR) == [(Reason.DUE, Look.WHOLE)]


@given(changed_at=st.integers(0, NOW), passed_at=st.integers(NOW - 100 * HOUR, NOW))
def test_no_full_pass_waits_longer_than_is_promised(changed_at: int, passed_at: int) -> None:
    known = watch(changed_at=changed_at, passed_at=passed_at, tried_at=passed_at)
    interval_s = full_pass_interval_s(known, HOUR)
    assert HOUR <= interval_s <= HOUR * COLD_FACTOR
    bound_s = worst_case_s(poll_seconds=60, full_pass_seconds=HOUR)["cold"]
    assert any(look is Look.WHOLE for _, look in planned(EXAM, known, now=passed_at + bound_s))


def test_a_busy_exams_edge_is_looked_at_now_and_then_though_nothing_hints_at_it() -> None:
    """The takings may count attempts that have ended only."""
    busy = watch(changed_at=NOW - BUSY_SECONDS + 1, tried_at=NOW - LOOK_SECONDS, passed_at=NOW - LOOK_SECONDS)
    assert planned(EXAM, busy) == [(Reason.BUSY, Look.EDGE)]
    assert planned(EXAM, replace(busy, tried_at=NOW - LOOK_SECONDS + 1)) == []
    assert planned(CLOSED, replace(busy, exam=CLOSED)) == []


def test_where_the_takings_lie_every_available_exams_edge_is_looked_at() -> None:
    liar = AccountWatch("main", 0, takings_lie=True)
    assert planned(EXAM, watch(), watch=liar) == [(Reason.BUSY, Look.EDGE)]


AHEAD = NOW + 5 * HOUR


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (watch(passed_at=AHEAD, tried_at=AHEAD, changed_at=AHEAD), Reason.DUE),
        (watch(passed_at=NOW - HOUR, tried_at=AHEAD, failed_at=AHEAD), Reason.DUE),
        (watch(passed_at=0, tried_at=AHEAD, failed_at=AHEAD), Reason.NEW),
    ],
    ids=["passed", "failed", "never passed"],
)
def test_what_was_read_while_the_clock_was_ahead_is_due_once_that_was_put_right(
    known: ExamWatch, reason: Reason
) -> None:
    assert planned(EXAM, known) == [(reason, Look.WHOLE)]


def test_an_exam_that_closes_after_the_clock_was_put_right_is_read_whole_although_a_pass_failed_before() -> None:
    known = watch(tried_at=AHEAD, failed_at=AHEAD)
    assert planned(CLOSED, known) == [(Reason.CLOSED, Look.WHOLE)]


def test_an_unlisted_exam_is_due_once_the_clock_was_put_right_and_then_waits_again() -> None:
    known = watch(passed_at=AHEAD, tried_at=AHEAD)
    other = replace(EXAM, exam_id="2")
    unlisted = [each for each in planned(other, known) if each[0] is Reason.UNLISTED]
    assert unlisted == [(Reason.UNLISTED, Look.WHOLE)]
    refused = replace(known, tried_at=NOW - LOOK_SECONDS, failed_at=NOW - LOOK_SECONDS)
    assert [each for each in planned(other, refused) if each[0] is Reason.UNLISTED] == []


def test_clocks_that_differ_a_little_make_nothing_due() -> None:
    """Servers behind one address take turns, and each has its own."""
    moment = NOW + CLOCKS_DIFFER_SECONDS
    assert planned(EXAM, watch(passed_at=moment, tried_at=moment)) == []


def test_the_edge_of_a_busy_exam_is_looked_at_once_the_clock_was_put_right() -> None:
    known = watch(tried_at=AHEAD, changed_at=NOW - 60)
    assert planned(EXAM, known) == [(Reason.BUSY, Look.EDGE)]


def test_a_pass_that_was_cut_short_goes_on() -> None:
    progress = PassProgress(start=99, last=None, began_at=NOW - 60, rows=100, digest=0)
    assert planned(EXAM, watch(progress=progress, tried_at=NOW)) == [(Reason.DUE, Look.WHOLE)]
    assert planned(EXAM, ExamWatch(EXAM, progress=progress, tried_at=NOW)) == [(Reason.NEW, Look.WHOLE)]


def test_a_first_pass_that_failed_is_tried_again_soon() -> None:
    failed = ExamWatch(EXAM, tried_at=NOW, failed_at=NOW)
    assert planned(EXAM, failed, now=NOW + RETRY_SECONDS - 1) == []
    assert planned(EXAM, failed, now=NOW + RETRY_SECONDS) == [(Reason.NEW, Look.WHOLE)]


def test_a_full_pass_that_is_due_is_not_put_off_by_smaller_hints() -> None:
    """An abandoned attempt may run for ever, and a busy exam's takings move at every tick."""
    due = watch(changed_at=NOW - HOUR - 5, passed_at=NOW - HOUR, tried_at=NOW - 60, open_count=1)
    assert planned(EXAM, due) == [(Reason.OPEN_ATTEMPTS, Look.WHOLE)]
    assert planned(replace(EXAM, takings=11), due) == [(Reason.TAKINGS_MOVED, Look.WHOLE)]


def test_a_full_pass_that_failed_is_tried_again_after_a_pause() -> None:
    failed = watch(passed_at=NOW - 3 * HOUR, tried_at=NOW, failed_at=NOW)
    assert planned(EXAM, failed, now=NOW + RETRY_SECONDS - 1) == []
    assert planned(EXAM, failed, now=NOW + RETRY_SECONDS) == [(Reason.DUE, Look.WHOLE)]


def test_what_is_quick_to_ask_comes_first_then_the_most_urgent_then_the_longest_unread() -> None:
    exams = [Exam(str(number), "T", available=True, takings=10) for number in range(4)]
    known = {
        "0": watch(exams[0], passed_at=NOW - 24 * HOUR, tried_at=NOW - 24 * HOUR),
        "1": watch(exams[1], passed_at=NOW - 25 * HOUR, tried_at=NOW - 25 * HOUR),
        "2": watch(exams[2], open_count=1),
    }
    requests = plan(exams, known, now=NOW, full_pass_seconds=HOUR)
    assert [request.exam.exam_id for request in requests] == ["2", "3", "1", "0"]


def followed(known: ExamWatch, **overrides: Any) -> list[tuple[Reason, Look]]:
    """What is planned where the list lacks a known exam."""
    settings = {"now": NOW, "full_pass_seconds": HOUR, **overrides}
    return [(each.reason, each.look) for each in plan([], {known.exam.exam_id: known}, **settings)]


def test_an_exam_that_left_the_list_is_followed_while_attempts_run_in_it() -> None:
    running = watch(open_count=1, tried_at=NOW - LOOK_SECONDS)
    assert followed(running) == [(Reason.UNLISTED, Look.EDGE)]
    assert followed(replace(running, order=RowOrder.NEITHER)) == [(Reason.UNLISTED, Look.WHOLE)]
    assert followed(replace(running, tried_at=NOW - LOOK_SECONDS + 1)) == []


def test_a_quiet_exam_that_left_the_list_gets_its_regular_full_passes() -> None:
    quiet = watch(passed_at=NOW - 2 * HOUR, tried_at=NOW - 2 * HOUR, changed_at=NOW - 3 * HOUR)
    assert followed(quiet) == [(Reason.UNLISTED, Look.WHOLE)]
    assert followed(quiet, now=NOW - HOUR - 1) == []
    assert followed(quiet, now=NOW - HOUR - 1, everything=True) == [(Reason.UNLISTED, Look.WHOLE)]


def test_an_exam_that_left_the_list_and_could_not_be_read_waits_for_the_longest_pause() -> None:
    failed = watch(passed_at=NOW - 2 * HOUR, tried_at=NOW, failed_at=NOW)
    assert followed(failed, now=NOW + COLD_FACTOR * HOUR - 1) == []
    assert followed(failed, now=NOW + COLD_FACTOR * HOUR) == [(Reason.UNLISTED, Look.WHOLE)]
