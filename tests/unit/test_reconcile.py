"""What is remembered of an exam after it was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from examhook.detection.plan import ExamRequest, Look, Reason, plan
from examhook.detection.reconcile import DIGEST_SECONDS, Findings, remembered, stands_for_all
from examhook.detection.takings import PATIENCE_SECONDS, accounts_for, takings_lie
from examhook.detection.watch import ExamWatch, PassProgress, RowOrder, Told
from examhook.model import AttemptKey, Exam

NOW = 1_700_000_000
EXAM = Exam("1", "Anatomy II", available=True, takings=10)
KNOWN = ExamWatch(
    EXAM, rows=10, passed_at=NOW - 600, tried_at=NOW - 600, changed_at=NOW - 900, order=RowOrder.NEWEST, digest=7
)


def request(takings: int | None, known: ExamWatch | None = KNOWN) -> ExamRequest:
    return ExamRequest(replace(EXAM, takings=takings), known, Reason.TAKINGS_MOVED, Look.EDGE)


def findings(**overrides: Any) -> Findings:
    facts = {
        "began_at": NOW,
        "complete": True,
        "appeared": 0,
        "ended": 0,
        "rows": 10,
        "open_attempts": (),
        "open_depth": 0,
        "order": RowOrder.NEWEST,
        "digest": 8,
        "newest_at": 0,
        "whole": False,
    }
    return Findings(**{**facts, **overrides})


NOT_STARTS = replace(KNOWN, starts=Told(refuted=True))


def test_takings_are_accounted_for_by_attempts_that_appeared() -> None:
    assert accounts_for(request(12), appeared=2, ended=0, now=NOW)
    assert not accounts_for(request(12), appeared=1, ended=1, now=NOW)


def test_takings_are_accounted_for_by_ends_only_where_they_cannot_count_starts() -> None:
    """Otherwise there may be a new attempt whose row was not met, or is listed later."""
    assert not accounts_for(request(12), appeared=0, ended=2, now=NOW)
    assert accounts_for(request(12, NOT_STARTS), appeared=0, ended=2, now=NOW)
    assert not accounts_for(request(12, NOT_STARTS), appeared=2, ended=1, now=NOW)


def test_takings_that_lie_are_believed_where_they_have_their_rows() -> None:
    liar = replace(NOT_STARTS, ends=Told(refuted=True))
    assert accounts_for(request(12, liar), appeared=2, ended=0, now=NOW)
    assert not accounts_for(request(12, liar), appeared=1, ended=2, now=NOW)


def test_what_accounts_for_the_takings_moves_the_gate() -> None:
    after = remembered(request(12), findings(appeared=2, rows=12))
    assert (after.exam.takings, after.rows, after.unreconciled_since, after.starts) == (12, 12, None, Told())


def test_an_exam_stays_due_until_its_takings_are_accounted_for() -> None:
    """A row that the provider shows only later must not wait for the next full pass."""
    after = remembered(request(12), findings(appeared=1, rows=11))
    assert (after.exam.takings, after.unreconciled_since) == (10, NOW)
    late = remembered(request(12, after), findings(appeared=1, rows=12, began_at=NOW + 60))
    assert (late.exam.takings, late.unreconciled_since, late.starts) == (12, None, Told())


def test_takings_that_never_come_true_are_believed_in_for_a_while_only() -> None:
    after = remembered(request(12), findings())
    later = remembered(request(12, after), findings(began_at=NOW + PATIENCE_SECONDS))
    assert (later.exam.takings, later.unreconciled_since) == (12, None)


def test_rows_that_came_before_their_takings_are_set_against_them() -> None:
    ahead = remembered(request(10), findings(appeared=1, rows=11))
    assert ahead.starts == Told(1, NOW)
    caught_up = remembered(request(11, ahead), findings(rows=11, began_at=NOW + 60))
    assert (caught_up.exam.takings, caught_up.starts) == (11, Told())


def test_starts_and_ends_that_the_takings_never_tell_of_prove_them_wrong() -> None:
    ahead = remembered(request(10), findings(appeared=1, ended=1, rows=11))
    assert not takings_lie(ahead, NOW + PATIENCE_SECONDS - 1)
    assert takings_lie(ahead, NOW + PATIENCE_SECONDS)


@pytest.mark.parametrize("counts_starts", [True, False])
def test_takings_that_tell_of_starts_or_of_ends_are_not_found_to_lie(counts_starts: bool) -> None:  # noqa: FBT001
    """Each attempt is counted once, so that the other half of its life is no proof."""
    watch, takings, now = KNOWN, 10, NOW
    for _ in range(5):
        for starts, ends in ((2, 0), (0, 2), (0, 0)):
            takings += starts if counts_starts else ends
            found = findings(appeared=starts, ended=ends, began_at=now, rows=watch.rows + starts, whole=True)
            watch = remembered(request(takings, watch), found)
            assert watch.unreconciled_since is None
            now += PATIENCE_SECONDS
            assert not takings_lie(watch, now)


def test_a_theory_that_is_refuted_explains_no_growth() -> None:
    """Where an end was never told of, the takings do not count ends."""
    ended = remembered(request(10), findings(ended=1))
    later = remembered(request(10, ended), findings(began_at=NOW + PATIENCE_SECONDS))
    assert later.ends.refuted
    given_up = remembered(request(15, replace(later, unreconciled_since=NOW)), findings(began_at=NOW + 9_999))
    assert (given_up.starts, given_up.ends) == (Told(), Told(refuted=True))


def test_what_appears_in_an_exam_that_is_not_listed_refutes_nothing() -> None:
    unlisted = replace(request(10), reason=Reason.UNLISTED)
    watch = remembered(unlisted, findings(appeared=1, ended=1, rows=11))
    later = remembered(replace(unlisted, known=watch), findings(began_at=NOW + PATIENCE_SECONDS, rows=11))
    assert (later.starts, later.ends) == (Told(1), Told(1))
    assert not takings_lie(later, NOW + 2 * PATIENCE_SECONDS)


def test_what_an_incomplete_reading_found_counts_when_the_takings_are_compared_again() -> None:
    after = remembered(request(11), findings(complete=False, appeared=1))
    assert accounts_for(request(11, after), appeared=0, ended=0, now=NOW + 60)


def test_a_digest_stands_for_what_is_stored_for_some_days_only() -> None:
    compared = remembered(request(10), findings(whole=True, compared=True))
    assert stands_for_all(compared, NOW + DIGEST_SECONDS - 1)
    assert not stands_for_all(compared, NOW + DIGEST_SECONDS)
    assert not stands_for_all(replace(compared, digest=None), NOW)
    unread = remembered(request(10, compared), findings(whole=True, began_at=NOW + 60))
    assert unread.compared_at == NOW


@pytest.mark.parametrize("whole", [False, True])
def test_that_an_exam_closed_stays_news_until_a_full_pass(whole: bool) -> None:  # noqa: FBT001
    closed = replace(request(10), exam=replace(EXAM, available=False))
    watch = remembered(closed, findings(whole=whole))
    assert watch.exam.available is not whole
    (asked, *_) = plan([closed.exam], {"1": watch}, now=NOW + 60, full_pass_seconds=3600) or [None]
    assert asked is None if whole else (asked is not None and asked.reason is Reason.CLOSED)


def test_that_an_exam_opened_is_known_after_any_look() -> None:
    known = replace(KNOWN, exam=replace(EXAM, available=False))
    assert remembered(request(10, known), findings()).exam.available


def test_only_a_full_pass_counts_as_one() -> None:
    assert remembered(request(10), findings()).passed_at == NOW - 600
    assert remembered(request(10), findings(whole=True)).passed_at == NOW


def test_an_incomplete_reading_leaves_the_exam_due_and_keeps_what_ran() -> None:
    running = (AttemptKey(5, "a"),)
    after = remembered(request(12), findings(complete=False, open_attempts=running, whole=True))
    assert (after.exam.takings, after.passed_at, after.digest) == (10, NOW - 600, None)
    assert (after.open_attempts, after.open_count, after.tried_at) == (running, 1, NOW)


def test_an_incomplete_first_pass_is_no_first_contact() -> None:
    after = remembered(request(12, None), findings(complete=False, whole=True))
    assert not after.is_known
    assert after.exam.takings == 12


def test_a_finished_pass_leaves_no_progress_behind() -> None:
    cut_short = replace(KNOWN, progress=PassProgress(99, None, NOW - 60, rows=100, digest=0))
    assert remembered(request(10, cut_short), findings(whole=True)).progress is None
    assert remembered(request(10, cut_short), findings(complete=False, whole=True)).progress is None


def test_an_exam_that_was_quiet_when_it_was_first_read_is_known_to_be_quiet() -> None:
    first = remembered(request(10, None), findings(whole=True, appeared=10, newest_at=NOW - 99_999))
    assert first.changed_at == NOW - 99_999
    assert remembered(request(11), findings(appeared=1, newest_at=NOW - 50)).changed_at == NOW
    assert remembered(request(10), findings(newest_at=0)).changed_at == NOW - 900
