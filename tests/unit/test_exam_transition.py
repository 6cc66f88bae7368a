"""What a list of exams and the end of a full pass make of an exam's history."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from builders import exam
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.exam_transition import (
    KEPT_CHANGES,
    ExamChange,
    Sight,
    change_of_availability,
    change_of_receipt,
    is_new,
)
from examhook.events.identity import exam_event_id
from examhook.model import Exam, ExamHistory, ExamTransition, Receipt

AT = 1_777_815_120
SIGHT = Sight("main", AT, fence=3)
OPEN, SHUT = exam(), exam(available=False)
UNKNOWN = exam(availability_known=False)


def seen(stored: ExamHistory | None, shown: Exam, at: int = AT, *, announce_first: bool = False) -> ExamChange | None:
    return change_of_availability(stored, shown, replace(SIGHT, observed_at=at), announce_first=announce_first)


def history(shown: Exam = OPEN, *, announced: bool = False) -> ExamHistory:
    change = seen(None, shown, announce_first=announced)
    assert change is not None
    return change.after


def after(change: ExamChange | None) -> ExamHistory:
    assert change is not None
    return change.after


def told(change: ExamChange | None) -> ExamTransition:
    assert change is not None
    assert change.announces
    return change.after.transitions[-1]


@pytest.mark.parametrize("shown", [OPEN, SHUT])
def test_first_sight_is_recorded_in_silence(shown: Exam) -> None:
    change = seen(None, shown)
    assert change is not None
    assert (change.announces, change.after.available, change.after.transitions) == (False, shown.available, ())


def test_a_new_exam_that_is_available_is_opened_and_one_that_is_not_is_recorded() -> None:
    transition = told(seen(None, OPEN, announce_first=True))
    assert (transition.event_type, transition.available, transition.previously_available) == ("exam.opened", True, None)
    shut = seen(None, SHUT, announce_first=True)
    assert shut is not None
    assert not shut.announces


@pytest.mark.parametrize(("before", "now", "event_type"), [(OPEN, SHUT, "exam.closed"), (SHUT, OPEN, "exam.opened")])
def test_another_availability_is_announced(before: Exam, now: Exam, event_type: str) -> None:
    change = seen(history(before), replace(now, title="Renamed"), AT + 60)
    transition = told(change)
    assert (transition.event_type, transition.previously_available) == (event_type, before.available)
    stored = after(change)
    assert (stored.title, stored.version, stored.fence, stored.observed_at) == ("Renamed", 2, 3, AT + 60)


@pytest.mark.parametrize("shown", [OPEN, replace(OPEN, title="Renamed", takings=9), UNKNOWN])
def test_what_says_nothing_new_changes_nothing(shown: Exam) -> None:
    assert seen(history(), shown, AT + 60) is None


def test_an_exam_of_which_nobody_says_whether_it_is_available_is_not_recorded() -> None:
    assert seen(None, UNKNOWN, announce_first=True) is None


def test_an_old_observation_that_arrives_late_changes_nothing() -> None:
    """Which is the older one, the polls' fences say, and not the provider's clock."""
    closed = after(seen(history(), SHUT, AT + 60))
    older, receipt = replace(SIGHT, observed_at=AT + 90, fence=2), Receipt(AT + 90, {}, "0" * 16)
    assert change_of_availability(closed, OPEN, older, announce_first=False) is None
    assert change_of_receipt(closed, OPEN, receipt, older) is None


def test_what_is_seen_after_the_providers_clock_was_put_right_is_announced() -> None:
    ahead, right = AT + 2 * 86_400, AT + 60
    receipt = Receipt(ahead, {}, "0" * 16)
    stored = after(change_of_receipt(history(), OPEN, receipt, replace(SIGHT, observed_at=ahead)))
    closed = told(seen(stored, SHUT, right))
    assert (closed.event_type, closed.observed_at) == ("exam.closed", right)
    assert closed.sequence > stored.sequence
    later = told(change_of_receipt(stored, OPEN, replace(receipt, watermark=right), replace(SIGHT, observed_at=right)))
    assert later.event_id != stored.transitions[-1].event_id
    assert later.sequence > stored.sequence


def test_what_is_learned_of_an_exam_that_only_had_receipts_is_recorded_in_silence() -> None:
    stored = after(change_of_receipt(None, UNKNOWN, Receipt(AT, {}, "0" * 16), SIGHT))
    assert stored.available is None
    change = seen(stored, SHUT, AT + 60)
    assert change is not None
    assert (change.announces, change.after.available) == (False, False)


def test_the_opening_at_first_sight_has_the_id_that_another_first_sight_gives_it() -> None:
    once, again = (told(seen(None, OPEN, at, announce_first=True)) for at in (AT, AT + 86_400))
    assert once.event_id == again.event_id == exam_event_id("main", "23812", "exam.opened", "first")


def test_after_all_was_lost_no_later_event_has_an_id_or_a_sequence_of_before() -> None:
    def story(at: int) -> list[ExamTransition]:
        closed = seen(history(), SHUT, at)
        return [told(closed), told(seen(after(closed), OPEN, at + 60))]

    before, later = story(AT + 60), story(AT + 86_400)
    assert {each.event_id for each in before}.isdisjoint(each.event_id for each in later)
    assert max(each.sequence for each in before) < min(each.sequence for each in later)


def test_a_receipt_is_given_once_for_an_instant() -> None:
    receipt = Receipt(AT + 60, {0: 1, 1: 119}, "00000000000000ff")
    change = change_of_receipt(history(), OPEN, receipt, replace(SIGHT, observed_at=AT + 60))
    assert (told(change).event_type, told(change).receipt) == ("exam.verified", receipt)
    assert change_of_receipt(after(change), OPEN, receipt, replace(SIGHT, observed_at=AT + 60)) is None
    assert after(change).available


def test_receipts_push_no_opening_out_of_what_is_kept() -> None:
    stored = history(announced=True)
    for hour in range(1, 9):
        receipt = Receipt(AT + hour * 3600, {}, "0" * 16)
        stored = after(change_of_receipt(stored, OPEN, receipt, replace(SIGHT, observed_at=receipt.watermark)))
    assert [each.event_type for each in stored.transitions] == ["exam.opened", "exam.verified"]
    assert stored.transitions[-1].receipt == receipt


@pytest.mark.parametrize(
    ("created_at", "listed_whole", "new"),
    [(AT - 1, True, False), (AT, False, True), (AT + 5, False, True), (None, True, True), (None, False, False)],
)
def test_what_is_new(created_at: int | None, *, listed_whole: bool, new: bool) -> None:
    assert is_new(exam(created_at=created_at), watch_began_at=AT, listed_whole=listed_whole) is new


@given(
    shown=st.lists(
        st.tuples(st.sampled_from([OPEN, SHUT, UNKNOWN, None]), st.integers(-90, 90), st.booleans()), max_size=30
    ),
    announce_first=st.booleans(),
)
def test_events_are_the_changes_that_were_seen_in_order(
    shown: list[tuple[Exam | None, int, bool]], *, announce_first: bool
) -> None:
    """Whatever the list says or leaves out, whatever receipts come between, and though the clock goes back."""
    stored: ExamHistory | None = None
    events: list[ExamTransition] = []
    expected: list[bool] = []
    said: bool | None = None
    now = AT
    for listed, step_s, reads_whole in shown:
        at = now + step_s
        changes = []
        if listed is not None:
            if listed.availability_known:
                is_new_and_open = stored is None and announce_first and listed.available
                if said is not listed.available and (said is not None or is_new_and_open):
                    expected.append(listed.available)
                said = listed.available
            changes.append(seen(stored, listed, at, announce_first=announce_first))
            stored = changes[-1].after if changes[-1] else stored
        if reads_whole and at >= now:
            sight = replace(SIGHT, observed_at=at)
            changes.append(change_of_receipt(stored, OPEN, Receipt(at, {1: 3}, "0" * 16), sight))
            stored = changes[-1].after if changes[-1] else stored
        events += [change.after.transitions[-1] for change in changes if change is not None and change.announces]
        now = max(now, at)
    availability = [each.available for each in events if each.receipt is None]
    assert availability == expected
    assert all(one.sequence < other.sequence for one, other in pairwise(events))
    for receipts in (False, True):
        chain = [each for each in events if (each.receipt is not None) is receipts]
        assert [each.previous_id for each in chain] == [None, *(each.event_id for each in chain)][: len(chain)]
    assert len({each.event_id for each in events}) == len(events)
    kept = stored.transitions if stored else ()
    assert sum(each.receipt is None for each in kept) == min(KEPT_CHANGES, len(availability))
