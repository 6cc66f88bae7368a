"""Which exams are asked about, and what is remembered after a pass."""

from __future__ import annotations

from dataclasses import replace

from examhook.detection.plan import COLD_FACTOR, RETRY_SECONDS, ExamRequest, Reason, plan
from examhook.detection.reconcile import PATIENCE_SECONDS, after_pass
from examhook.detection.watch import ExamWatch
from examhook.model import Attempt, Exam

NOW = 1_700_000_000
EXAM = Exam("1", "Anatomy II", available=True, takings=10)
HOUR = 3600


def watch(exam: Exam = EXAM, **overrides: int) -> ExamWatch:
    facts = {"rows": 10, "open_attempts": 0, "passed_at": NOW - 600, "tried_at": NOW - 600, **overrides}
    return ExamWatch(exam=exam, **facts)


def reasons(listed: Exam, known: ExamWatch | None, **overrides: int) -> list[Reason]:
    settings = {"now": NOW, "full_pass_seconds": HOUR, **overrides}
    requests = plan([listed], {known.exam.exam_id: known} if known else {}, **settings)
    return [request.reason for request in requests]


def rows(count: int, status_code: int = 1) -> list[Attempt]:
    return [Attempt(str(number), NOW, status_code) for number in range(count)]


def test_a_quiet_exam_is_left_alone() -> None:
    assert reasons(EXAM, watch()) == []


def test_an_unknown_exam_is_read_even_when_it_is_unavailable() -> None:
    """It may hold attempts that an administrator forces in later."""
    assert reasons(replace(EXAM, available=False), None) == [Reason.NEW]


def test_an_exam_whose_takings_moved_is_read() -> None:
    assert reasons(replace(EXAM, takings=11), watch()) == [Reason.TAKINGS_MOVED]


def test_takings_that_fell_count_as_moved() -> None:
    assert reasons(replace(EXAM, takings=9), watch()) == [Reason.TAKINGS_MOVED]


def test_an_exam_with_running_attempts_is_read_even_after_it_closed() -> None:
    closed = replace(EXAM, available=False)
    assert reasons(closed, watch(closed, open_attempts=1)) == [Reason.OPEN_ATTEMPTS]


def test_an_exam_that_just_closed_is_read_once_more() -> None:
    closed = replace(EXAM, available=False)
    assert reasons(closed, watch()) == [Reason.CLOSED]
    request = ExamRequest(closed, watch(), Reason.CLOSED)
    assert reasons(closed, after_pass(request, rows(10), began_at=NOW, complete=True)) == []


def test_a_full_pass_comes_at_least_each_interval() -> None:
    assert reasons(EXAM, watch(passed_at=NOW - HOUR, tried_at=NOW - HOUR)) == [Reason.DUE]
    assert reasons(EXAM, watch(passed_at=NOW - HOUR + 1, tried_at=NOW - HOUR + 1)) == []


def test_an_unavailable_exams_full_pass_is_rarer_but_comes() -> None:
    closed = replace(EXAM, available=False)
    long_ago = NOW - HOUR * COLD_FACTOR
    assert reasons(closed, watch(closed, passed_at=long_ago + 1, tried_at=long_ago + 1)) == []
    assert reasons(closed, watch(closed, passed_at=long_ago, tried_at=long_ago)) == [Reason.DUE]


def test_a_requested_pass_reads_everything() -> None:
    requests = plan([EXAM], {"1": watch()}, now=NOW, full_pass_seconds=HOUR, everything=True)
    assert [request.reason for request in requests] == [Reason.REQUESTED]


def test_the_most_urgent_comes_first_and_the_longest_unread_first_within_it() -> None:
    exams = [Exam(str(number), "T", available=True, takings=10) for number in range(4)]
    known = {
        "0": watch(exams[0], passed_at=NOW - HOUR, tried_at=NOW - HOUR),
        "1": watch(exams[1], passed_at=NOW - 2 * HOUR, tried_at=NOW - 2 * HOUR),
        "2": watch(exams[2], open_attempts=1),
    }
    requests = plan(exams, known, now=NOW, full_pass_seconds=HOUR)
    assert [request.exam.exam_id for request in requests] == ["3", "2", "1", "0"]


def test_a_pass_accounts_for_the_takings_it_was_made_for() -> None:
    request = ExamRequest(replace(EXAM, takings=12), watch(), Reason.TAKINGS_MOVED)
    after = after_pass(request, rows(12), began_at=NOW, complete=True)
    assert (after.exam.takings, after.rows, after.unreconciled_since) == (12, 12, None)


def test_an_exam_stays_due_until_its_takings_are_accounted_for() -> None:
    """A row that the provider shows only later must not wait for the next full pass."""
    grown = replace(EXAM, takings=12)
    after = after_pass(ExamRequest(grown, watch(), Reason.TAKINGS_MOVED), rows(11), began_at=NOW, complete=True)
    assert after.unreconciled_since == NOW
    assert reasons(grown, after) == [Reason.TAKINGS_MOVED]
    late = after_pass(ExamRequest(grown, after, Reason.TAKINGS_MOVED), rows(12), began_at=NOW + 60, complete=True)
    assert reasons(grown, late, now=NOW + 60) == []


def test_takings_that_never_come_true_are_believed_in_for_a_while_only() -> None:
    grown = replace(EXAM, takings=12)
    after = after_pass(ExamRequest(grown, watch(), Reason.TAKINGS_MOVED), rows(10), began_at=NOW, complete=True)
    later = NOW + PATIENCE_SECONDS
    after = after_pass(ExamRequest(grown, after, Reason.TAKINGS_MOVED), rows(10), began_at=later, complete=True)
    assert reasons(grown, after, now=later) == []


def test_an_incomplete_pass_leaves_the_exam_due() -> None:
    request = ExamRequest(replace(EXAM, takings=12), watch(), Reason.TAKINGS_MOVED)
    after = after_pass(request, rows(12), began_at=NOW, complete=False)
    assert reasons(replace(EXAM, takings=12), after) == [Reason.TAKINGS_MOVED]


def test_an_incomplete_first_pass_is_tried_again_soon_and_is_no_first_contact() -> None:
    after = after_pass(ExamRequest(EXAM, None, Reason.NEW), rows(3), began_at=NOW, complete=False)
    assert not after.is_known
    assert reasons(EXAM, after, now=NOW + RETRY_SECONDS - 1) == []
    assert reasons(EXAM, after, now=NOW + RETRY_SECONDS) == [Reason.NEW]


def test_running_attempts_are_counted() -> None:
    after = after_pass(ExamRequest(EXAM, None, Reason.NEW), rows(3, status_code=0), began_at=NOW, complete=True)
    assert after.open_attempts == 3
