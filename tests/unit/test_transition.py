"""What an observed row makes of a stored submission."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.transition import (
    KEPT_TRANSITIONS,
    Observation,
    change_from,
    change_from_absence,
    diff,
    further_along,
    is_step_back,
)
from examhook.model import Attempt, Exam, Submission
from tests.support.events.model_values import AttemptFields

EXAM = Exam("23812", "Anatomy II", available=True, attempt_count=7)
OPEN = Attempt("19382", 1_700_000_000, 0, "Mei Chen", result_url="https://example.test/viewresult/a")
SUBMITTED = replace(OPEN, status_code=1, ended_at=1_700_000_900, score_points=Decimal(30), passed=True)


def observation(at: int = 1_700_001_000, old_before: int | None = None, fence: int = 1) -> Observation:
    return Observation("main", EXAM, observed_at=at, fence=fence, old_before=old_before)


def seen(*rows: Attempt, old_before: int | None = None) -> Submission:
    """The submission after ``rows`` of one attempt were observed, one poll each."""
    stored: Submission | None = None
    for row in rows:
        change = change_from(stored, row, observation(old_before=old_before))
        stored = change.after if change else stored
    assert stored is not None
    return stored


def types(submission: Submission) -> list[str]:
    return [transition.event_type for transition in submission.transitions]


@pytest.mark.parametrize(
    ("status_code", "event_type"),
    [
        (0, "submission.started"),
        (1, "submission.submitted"),
        (2, "submission.timed_out"),
        (3, "submission.forced"),
        (4, "submission.system_submitted"),
        (7, "submission.unknown_status"),
        (-1, "submission.unknown_status"),
    ],
)
def test_a_status_that_appears_is_announced_by_its_own_type(status_code: int, event_type: str) -> None:
    assert types(seen(replace(SUBMITTED, status_code=status_code))) == [event_type]


def test_a_closed_attempt_names_the_event_before_it() -> None:
    submission = seen(OPEN, SUBMITTED)
    started, submitted = submission.transitions
    assert (started.sequence, submitted.sequence) == (1, 2)
    assert submitted.previous_id == started.event_id
    assert submitted.previous_status_code == 0
    assert submitted.occurred_at == SUBMITTED.ended_at


def test_the_same_row_again_changes_nothing_though_its_link_is_new() -> None:
    stored = seen(SUBMITTED)
    again = replace(SUBMITTED, result_url="https://example.test/viewresult/b")
    assert change_from(stored, again, observation()) is None


def test_an_equal_score_written_otherwise_is_no_change() -> None:
    assert change_from(seen(SUBMITTED), replace(SUBMITTED, score_points=Decimal("30.0")), observation()) is None


@pytest.mark.parametrize(
    "absent",
    [{"score_points": None}, {"passed": None}, {"ended_at": None}, {"candidate_name": None}, {"result_url": None}],
    ids=" ".join,
)
def test_a_field_that_an_answer_lacks_is_no_change(absent: AttemptFields) -> None:
    assert change_from(seen(SUBMITTED), replace(SUBMITTED, **absent), observation()) is None


@pytest.mark.parametrize("late", [{"passed": None}, {"ended_at": None}, {"candidate_name": None}], ids=" ".join)
def test_a_fact_shown_for_the_first_time_is_kept_without_an_event(late: AttemptFields) -> None:
    """A column that the provider begins to show must not announce every old submission."""
    change = change_from(seen(replace(SUBMITTED, **late)), SUBMITTED, observation())
    assert change is not None
    assert not change.announces
    for name in late:
        assert getattr(change.after.attempt, name) == getattr(SUBMITTED, name)


def test_a_score_that_comes_later_is_announced() -> None:
    assert types(seen(replace(SUBMITTED, score_points=None), SUBMITTED))[-1] == "submission.rescored"


def test_marking_is_announced_with_the_new_score() -> None:
    submission = seen(SUBMITTED, replace(SUBMITTED, score_points=Decimal("41.5")))
    assert types(submission) == ["submission.submitted", "submission.rescored"]
    assert submission.transitions[-1].score_points == Decimal("41.5")


def test_a_changed_verdict_is_announced() -> None:
    assert types(seen(SUBMITTED, replace(SUBMITTED, passed=False)))[-1] == "submission.rescored"


def test_reopening_and_handing_in_again_are_told_apart() -> None:
    again = replace(SUBMITTED, ended_at=1_700_002_000)
    submission = seen(SUBMITTED, OPEN, again)
    assert types(submission) == ["submission.submitted", "submission.reopened", "submission.submitted"]
    first, _, second = submission.transitions
    assert first.event_id != second.event_id


def test_going_on_from_an_undocumented_status_is_a_reopening_and_no_second_start() -> None:
    submission = seen(OPEN, replace(SUBMITTED, status_code=7), OPEN)
    assert types(submission) == ["submission.started", "submission.unknown_status", "submission.reopened"]


def test_handing_in_again_between_two_polls_is_announced_again() -> None:
    submission = seen(SUBMITTED, replace(SUBMITTED, ended_at=1_700_002_000))
    assert types(submission) == ["submission.submitted", "submission.submitted"]


def test_a_running_attempts_score_is_no_fact_yet() -> None:
    running = replace(OPEN, score_points=Decimal(3), ended_at=5)
    stored = seen(running)
    assert stored.attempt.score_points is None
    assert change_from(stored, replace(running, score_points=Decimal(4)), observation()) is None


def test_what_ended_before_the_watch_began_is_recorded_silently() -> None:
    change = change_from(None, SUBMITTED, observation(old_before=1_700_000_901))
    assert change is not None
    assert not change.announces
    assert change.after.transitions == ()


def test_what_ended_since_the_watch_began_is_announced_even_during_the_first_contact() -> None:
    assert types(seen(SUBMITTED, old_before=1_700_000_900)) == ["submission.submitted"]


def test_what_ran_when_the_watch_began_is_announced_when_it_closes() -> None:
    assert types(seen(OPEN, SUBMITTED, old_before=1_700_000_500)) == ["submission.submitted"]


def test_an_id_is_the_same_whether_the_attempt_was_seen_running_or_not() -> None:
    assert seen(OPEN, SUBMITTED).transitions[-1].event_id == seen(SUBMITTED).transitions[-1].event_id


def test_an_id_after_a_silent_record_counts_the_silent_one() -> None:
    """A rebuild that announces everything gives the silent record the first id, so nobody else may have it."""
    again = replace(SUBMITTED, ended_at=1_700_002_000)
    silent = seen(SUBMITTED, again, old_before=1_700_001_000)
    announced = seen(SUBMITTED, again)
    assert silent.transitions[-1].event_id == announced.transitions[-1].event_id


def test_what_is_written_carries_the_fence_of_the_poll_that_saw_it() -> None:
    """So that no older poll, however late it writes, can replace it."""
    stored = seen(OPEN)
    changed = change_from(stored, SUBMITTED, observation(fence=7))
    missed = change_from_absence(stored, observation(fence=7))
    assert changed is not None
    assert missed is not None
    assert (changed.after.fence, missed.after.fence) == (7, 7)


def test_a_removal_takes_two_scans_the_second_of_which_began_later() -> None:
    """Otherwise two polls that miss a row at the same time would make one absence two."""
    missed = change_from_absence(seen(SUBMITTED), observation(fence=5))
    assert missed is not None
    assert types(missed.after) == ["submission.submitted"]
    assert missed.after.missing_since == observation().observed_at
    assert change_from_absence(missed.after, observation(fence=5)) is None, "the same poll"
    assert change_from_absence(missed.after, observation(fence=4)) is None, "an older poll that is late"
    again = change_from_absence(missed.after, observation(fence=6))
    assert again is not None
    assert types(again.after) == ["submission.submitted", "submission.removed"]
    assert change_from_absence(again.after, observation(fence=7)) is None


def test_an_absence_that_was_noted_while_a_clock_was_ahead_still_leads_to_a_removal() -> None:
    missed = change_from_absence(seen(SUBMITTED), observation(at=1_700_900_000))
    assert missed is not None
    again = change_from_absence(missed.after, observation(at=1_700_001_000, fence=2))
    assert again is not None
    assert again.after.removed


@pytest.mark.parametrize(
    ("before", "row", "is_back"),
    [
        (SUBMITTED, OPEN, True),
        (SUBMITTED, replace(SUBMITTED, score_points=Decimal(1)), True),
        (SUBMITTED, replace(SUBMITTED, status_code=3), True),
        (OPEN, SUBMITTED, False),
        (replace(SUBMITTED, status_code=7), SUBMITTED, False),
    ],
    ids=["reopened", "rescored", "another status", "ended", "a status becomes a known one"],
)
def test_what_contradicts_a_final_attempt_is_confirmed_first(before: Attempt, row: Attempt, *, is_back: bool) -> None:
    change = change_from(seen(before), row, observation())
    assert change is not None
    assert is_step_back(change) is is_back


def test_only_the_last_few_transitions_are_kept() -> None:
    marks = [replace(SUBMITTED, score_points=Decimal(points)) for points in range(20)]
    submission = seen(*marks)
    assert len(submission.transitions) == KEPT_TRANSITIONS
    assert submission.sequence == 20


@given(
    st.lists(
        st.builds(
            Attempt,
            candidate_id=st.just("1"),
            started_at=st.just(10),
            status_code=st.sampled_from([0, 1, 2, 3, 4, 9]),
            candidate_name=st.sampled_from([None, "A"]),
            ended_at=st.sampled_from([None, 20, 30]),
            score_points=st.sampled_from([None, Decimal(1), Decimal(2)]),
            passed=st.sampled_from([None, True, False]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_ids_never_repeat_and_each_names_the_one_before(rows: list[Attempt]) -> None:
    stored: Submission | None = None
    ids: list[str] = []
    for row in rows:
        change = change_from(stored, row, observation())
        if change is None:
            continue
        assert change_from(change.after, row, observation()) is None, "the same row twice must say nothing new"
        if change.announces:
            newest = change.after.transitions[-1]
            assert newest.sequence == len(ids) + 1
            assert newest.previous_id == (ids[-1] if ids else None)
            ids.append(newest.event_id)
        stored = change.after
    assert len(set(ids)) == len(ids)


def test_of_two_rows_of_one_attempt_the_one_that_is_further_along_counts() -> None:
    rescored = replace(SUBMITTED, score_points=Decimal(99))
    assert further_along(OPEN, SUBMITTED) == further_along(SUBMITTED, OPEN) == SUBMITTED
    assert further_along(SUBMITTED, rescored) == further_along(rescored, SUBMITTED) == rescored


def test_changes_come_in_stored_order() -> None:
    rows = [replace(SUBMITTED, candidate_id=str(number), started_at=100 - number) for number in range(3)]
    changes = diff(rows, {}, observation())
    assert [change.after.key for change in changes] == sorted(row.key for row in rows)


def test_a_record_whose_start_was_corrected_keeps_its_record_id() -> None:
    stored = seen(replace(SUBMITTED, record_id="t1"))
    change = change_from(stored, replace(SUBMITTED, score_points=Decimal(9)), observation())
    assert change is not None
    assert change.after.attempt.record_id == "t1"
