"""Which events of a stored submission are announced again: those since a time, under the ids that they had."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.reannounce import Reannouncement, reannouncement
from examhook.detection.transition import Change, Observation, change_from
from examhook.events.catalogue import EventType
from examhook.events.identity import submission_event_id
from examhook.model import Attempt, AttemptKey, Submission
from tests.support.events.model_values import (
    ACCOUNT,
    ENDED_AT,
    OBSERVED_AT,
    STARTED_AT,
    SubmissionFields,
    attempt,
    exam,
    submission,
    transition,
)

CONFIRMED_AT = OBSERVED_AT + 86_300
NOW = OBSERVED_AT + 86_500
KEY = AttemptKey(STARTED_AT, "19382")


def id_of(event_type: EventType, nth: int = 1) -> str:
    return submission_event_id(ACCOUNT, "23812", KEY, event_type, nth)


def silent(row: Attempt | None = None) -> Submission:
    """A submission as a silent first contact records it."""
    circumstances = Observation(ACCOUNT, exam(), OBSERVED_AT, fence=1, old_before=OBSERVED_AT + 1)
    change = change_from(None, row or attempt(), circumstances)
    assert change is not None
    return change.after


def write(found: Reannouncement, wanted: Container[str], *, fence: int) -> Change | None:
    return found.change(wanted, confirmed_at=CONFIRMED_AT, now=NOW, fence=fence)


def test_what_was_recorded_silently_is_announced_under_the_id_that_it_always_has() -> None:
    stored = silent()
    found = reannouncement(stored, ENDED_AT)
    assert found.event_ids == (id_of(EventType.SUBMITTED),)
    change = write(found, found.event_ids, fence=9)
    assert change is not None
    assert change.announces
    (made,) = change.after.transitions
    assert (made.event_id, made.occurred_at, made.previous_id) == (id_of(EventType.SUBMITTED), ENDED_AT, None)
    assert (made.sequence, change.after.sequence) == (NOW + 1, NOW + 1)
    assert made.observed_at == CONFIRMED_AT


def test_facts_and_when_they_were_seen_are_left_as_they_are() -> None:
    stored = silent()
    change = write(reannouncement(stored, 0), {id_of(EventType.SUBMITTED)}, fence=9)
    assert change is not None
    untouched = replace(
        change.after,
        transitions=stored.transitions,
        sequence=stored.sequence,
        version=stored.version,
        fence=stored.fence,
    )
    assert untouched == stored
    assert (change.after.version, change.after.fence) == (stored.version + 1, 9)


@pytest.mark.parametrize(
    "stored",
    [
        silent(),
        silent(attempt(status_code=0, ended_at=None, score_points=None, passed=None)),
        submission(),
    ],
    ids=["ended", "running", "announced"],
)
def test_what_happened_before_is_left_alone(stored: Submission) -> None:
    assert reannouncement(stored, ENDED_AT + 1).event_ids == ()


def test_what_is_not_wanted_makes_no_write() -> None:
    assert write(reannouncement(silent(), 0), frozenset(), fence=9) is None


def test_kept_transitions_come_back_as_they_were_and_nothing_is_added() -> None:
    stored = submission()
    found = reannouncement(stored, ENDED_AT)
    change = write(found, found.event_ids, fence=9)
    assert change is not None
    (kept,) = change.after.transitions
    assert (change.again, kept.recalled_at, change.after.sequence) == ((1,), NOW, 1)
    assert replace(kept, recalled_at=None) == stored.transitions[0]
    assert change.announces


def test_of_several_kept_transitions_only_the_wanted_ones_come_back() -> None:
    marked = transition(event_type="submission.rescored", sequence=2, occurred_at=OBSERVED_AT, status_code=1)
    stored = submission(transitions=(transition(), marked))
    assert reannouncement(stored, OBSERVED_AT).event_ids == (marked.event_id,)
    change = write(reannouncement(stored, 0), {marked.event_id}, fence=9)
    assert change is not None
    assert change.again == (2,)
    assert [each.recalled_at for each in change.after.transitions] == [None, NOW]


def test_an_end_that_was_silent_comes_back_beside_the_rescore_that_was_not() -> None:
    marked = change_from(
        silent(), attempt(score_points=Decimal(90)), Observation(ACCOUNT, exam(), OBSERVED_AT + 60, fence=2)
    )
    assert marked is not None
    found = reannouncement(marked.after, 0)
    assert found.event_ids == (id_of(EventType.RESCORED), id_of(EventType.SUBMITTED))
    change = write(found, {id_of(EventType.SUBMITTED)}, fence=9)
    assert change is not None
    assert [each.sequence for each in change.after.transitions] == [1, 2]
    assert change.after.type_counts == {"submission.submitted": 1, "submission.rescored": 1}


def test_the_first_of_several_ends_does_not_come_back() -> None:
    """What it said then, nobody knows any more."""
    counts = {"submission.submitted": 2, "submission.reopened": 1}
    again = transition(event_id=id_of(EventType.SUBMITTED, 2), sequence=3)
    stored = submission(transitions=(again,), type_counts=counts, sequence=3)
    assert reannouncement(stored, 0).event_ids == (again.event_id,)


@pytest.mark.parametrize("facts", [{"removed": True}, {"missing_since": OBSERVED_AT}])
def test_what_the_provider_does_not_show_any_more_is_not_announced(facts: SubmissionFields) -> None:
    assert reannouncement(replace(silent(), **facts), 0).event_ids == ()


def test_the_oldest_of_five_kept_transitions_is_still_there_when_it_is_announced_again() -> None:
    kept = tuple(
        transition(event_type="submission.rescored", event_id=id_of(EventType.RESCORED, nth), sequence=nth + 1)
        for nth in range(1, 6)
    )
    stored = submission(transitions=kept, type_counts={"submission.submitted": 1, "submission.rescored": 5}, sequence=6)
    found = reannouncement(stored, 0)
    change = write(found, found.event_ids, fence=9)
    assert change is not None
    assert change.again == (2, 3, 4, 5, 6)
    assert [each.event_id for each in change.after.transitions] == [*found.kept, id_of(EventType.SUBMITTED)]


@given(rows=st.lists(st.sampled_from([0, 1, 2, 3, 4, 7]), min_size=1, max_size=8), silent_first=st.booleans())
def test_whatever_happened_no_id_comes_back_for_another_event(rows: list[int], silent_first: bool) -> None:  # noqa: FBT001
    """After any history: ids are distinct, sequences grow, and doing it twice makes nothing more."""
    stored: Submission | None = None
    for number, status_code in enumerate(rows):
        seen = attempt(status_code=status_code, ended_at=None if not status_code else ENDED_AT + number)
        old_before = OBSERVED_AT + 9999 if silent_first and stored is None else None
        circumstances = Observation(ACCOUNT, exam(), OBSERVED_AT + number, 1, old_before)
        change = change_from(stored, seen, circumstances)
        stored = stored if change is None else change.after
    assert stored is not None
    found = reannouncement(stored, 0)
    change = write(found, found.event_ids, fence=2)
    after = stored if change is None else change.after
    ids = [each.event_id for each in after.transitions]
    assert set(found.event_ids) <= set(ids)
    assert len(set(ids)) == len(ids)
    sequences = [each.sequence for each in after.transitions]
    assert sequences == sorted(set(sequences))
    assert set(reannouncement(after, 0).event_ids) == set(ids)
