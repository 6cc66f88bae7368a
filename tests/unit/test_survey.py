"""A survey reads every exam whole once, over several polls, and does not hang on one that it cannot read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import exam

from examhook.detection.plan import Look, Reason, plan
from examhook.detection.survey import FRESH_SECONDS, Survey
from examhook.detection.watch import ExamWatch, PassProgress, RowOrder

NOW = 1_790_000_000
BEGAN_AT = NOW - 300
LONG_AGO = NOW - 2 * FRESH_SECONDS
EXAM = exam(exam_id="7")
READ = ExamWatch(exam=EXAM, rows=5, order=RowOrder.NEWEST, passed_at=BEGAN_AT + 10, tried_at=BEGAN_AT + 10)


@pytest.mark.parametrize(
    ("watch", "lacks"),
    [
        (None, True),
        (READ, False),
        (replace(READ, passed_at=BEGAN_AT - FRESH_SECONDS), False),
        (replace(READ, passed_at=LONG_AGO), True),
        (replace(READ, passed_at=0), True),
        (replace(READ, passed_at=LONG_AGO, failed_at=BEGAN_AT - 1), True),
        (replace(READ, passed_at=LONG_AGO, failed_at=BEGAN_AT + 5), False),
        (replace(READ, progress=PassProgress(10, None, BEGAN_AT, 10, 0)), True),
    ],
    ids=["new", "read", "read just before", "old", "begun", "failed before", "failed in it", "cut short"],
)
def test_it_lacks_what_was_not_read_whole_since(watch: ExamWatch | None, lacks: bool) -> None:  # noqa: FBT001
    assert Survey(BEGAN_AT).lacks("7", watch, NOW) is lacks


def test_what_failed_before_it_is_not_counted_against_it() -> None:
    failed = replace(READ, failed_at=BEGAN_AT)
    assert Survey(BEGAN_AT).gave_up(failed)
    assert not any(Survey(BEGAN_AT).gave_up(each) for each in (None, READ, replace(READ, failed_at=BEGAN_AT - 1)))


def test_exams_that_were_not_named_are_left_alone() -> None:
    assert not Survey(BEGAN_AT, frozenset({"8"})).lacks("7", None, NOW)


def test_what_is_lacking_is_read_whole_and_hints_are_followed_first() -> None:
    hinted = exam(exam_id="8", takings=121)
    known = {"8": replace(READ, exam=exam(exam_id="8", takings=120))}
    requests = plan([EXAM, hinted], known, now=NOW, full_pass_seconds=3600, survey=Survey(BEGAN_AT))
    assert [(each.exam.exam_id, each.reason, each.look) for each in requests] == [
        ("8", Reason.TAKINGS_MOVED, Look.EDGE),
        ("7", Reason.REQUESTED, Look.WHOLE),
    ]


def test_full_passes_that_are_due_wait_for_the_polls_after_it() -> None:
    due = {"7": replace(READ, passed_at=LONG_AGO, changed_at=LONG_AGO)}
    assert plan([EXAM], due, now=NOW, full_pass_seconds=3600)
    assert plan([EXAM], due, now=NOW, full_pass_seconds=3600, survey=Survey(BEGAN_AT, frozenset({"8"}))) == []
