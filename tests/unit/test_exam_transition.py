"""Changes of an exam's state caused by the exam list and by the end of a full scan."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.exam_state import ExamState
from examhook.detection.exam_transition import (
    KEPT_CHANGES,
    ExamChange,
    change_of_availability,
    first_state,
    with_receipt,
)
from examhook.events.identity import exam_event_id
from examhook.model import Exam, ExamTransition, Receipt
from tests.support.events.model_values import exam

AT = 1_777_815_120
OPEN, SHUT = exam(), exam(available=False)
UNKNOWN = exam(available=None)
RECEIPT = Receipt(AT + 60, {0: 1, 1: 119}, "00000000000000ff")


def first(shown: Exam = OPEN, at: int = AT, *, announce: bool = False) -> ExamState:
    return first_state("main", shown, observed_at=at, predates_watch=True, announce=announce)


def seen(stored: ExamState, shown: Exam, at: int = AT + 60) -> ExamState:
    after = change_of_availability(stored, shown, observed_at=at)
    assert after is not None
    return after


def newest(state: ExamState) -> ExamTransition:
    return state.transitions[-1]


@pytest.mark.parametrize("shown", [OPEN, SHUT, UNKNOWN])
def test_an_exam_seen_first_is_recorded_silently(shown: Exam) -> None:
    state = first(shown)
    assert (state.exam, state.transitions) == (shown, ())
    assert not ExamChange(None, state).announces


def test_a_new_available_exam_is_announced_and_an_unavailable_one_is_recorded() -> None:
    opened = first(announce=True)
    transition = newest(opened)
    assert (transition.event_type, transition.available, transition.previously_available) == ("exam.opened", True, None)
    assert ExamChange(None, opened).announces
    for shown in (SHUT, UNKNOWN):
        assert first(shown, announce=True).transitions == ()


@pytest.mark.parametrize(("before", "now", "event_type"), [(OPEN, SHUT, "exam.closed"), (SHUT, OPEN, "exam.opened")])
def test_a_changed_availability_is_announced(before: Exam, now: Exam, event_type: str) -> None:
    stored = first(before)
    after = seen(stored, replace(now, title="Renamed"))
    transition = newest(after)
    assert (transition.event_type, transition.previously_available) == (event_type, before.available)
    assert (transition.observed_at, after.exam.title) == (AT + 60, "Renamed")
    assert ExamChange(stored, after).announces


def test_an_exam_that_opens_or_closes_keeps_the_count_of_its_last_scan() -> None:
    """Otherwise the new count would not trigger a scan."""
    assert seen(first(), replace(SHUT, attempt_count=999)).exam.attempt_count == OPEN.attempt_count


@pytest.mark.parametrize("shown", [OPEN, replace(OPEN, title="Renamed", attempt_count=9), UNKNOWN])
def test_a_list_without_news_changes_nothing(shown: Exam) -> None:
    assert change_of_availability(first(), shown, observed_at=AT + 60) is None


def test_facts_first_stated_later_are_recorded_silently() -> None:
    stored = first(UNKNOWN)
    after = seen(stored, SHUT)
    assert (after.exam.available, after.transitions) == (False, ())
    assert not ExamChange(stored, after).announces


def test_a_change_after_our_clock_was_set_back_has_a_larger_sequence() -> None:
    ahead, right = AT + 2 * 86_400, AT + 60
    stored = with_receipt(first(), Receipt(ahead, {}, "0" * 16))
    closed = seen(stored, SHUT, right)
    assert (newest(closed).event_type, newest(closed).observed_at) == ("exam.closed", right)
    assert closed.sequence > stored.sequence
    later = with_receipt(stored, Receipt(right, {}, "0" * 16))
    assert newest(later).event_id != newest(stored).event_id
    assert later.sequence > stored.sequence


def test_a_first_seen_opening_has_the_same_id_after_state_loss() -> None:
    once, again = (newest(first(at=at, announce=True)) for at in (AT, AT + 86_400))
    assert once.event_id == again.event_id == exam_event_id("main", "23812", "exam.opened", "first")


def test_after_all_state_was_lost_no_later_event_repeats_an_id_or_a_sequence() -> None:
    def story(at: int) -> list[ExamTransition]:
        closed = seen(first(), SHUT, at)
        return [newest(closed), newest(seen(closed, OPEN, at + 60))]

    before, later = story(AT + 60), story(AT + 86_400)
    assert {each.event_id for each in before}.isdisjoint(each.event_id for each in later)
    assert max(each.sequence for each in before) < min(each.sequence for each in later)


def test_one_scan_gives_one_receipt() -> None:
    after = with_receipt(first(), RECEIPT)
    assert (newest(after).event_type, newest(after).receipt) == ("exam.verified", RECEIPT)
    assert with_receipt(after, RECEIPT) == after
    assert after.exam.available


def test_receipts_do_not_displace_stored_openings() -> None:
    state = first(announce=True)
    for hour in range(1, 9):
        state = with_receipt(state, Receipt(AT + hour * 3600, {}, "0" * 16))
    assert [each.event_type for each in state.transitions] == ["exam.opened", "exam.verified"]
    assert newest(state).receipt == Receipt(AT + 8 * 3600, {}, "0" * 16)


@given(
    shown=st.lists(
        st.tuples(st.sampled_from([OPEN, SHUT, UNKNOWN, None]), st.integers(-90, 90), st.booleans()), max_size=30
    ),
    begins=st.sampled_from([OPEN, SHUT, UNKNOWN]),
    announce=st.booleans(),
)
def test_events_are_the_observed_changes_in_order(
    shown: list[tuple[Exam | None, int, bool]], begins: Exam, *, announce: bool
) -> None:
    """Whatever the list says or omits, with receipts in between, even if the clock is set back."""
    state = first(begins, announce=announce)
    events = list(state.transitions)
    expected = [True] if announce and begins.available else []
    stated = begins.available
    now = AT
    for listed, step_s, is_scanned in shown:
        at = now + step_s
        if listed is not None:
            if listed.available is not None:
                if stated is not None and stated is not listed.available:
                    expected.append(listed.available)
                stated = listed.available
            after = change_of_availability(state, listed, observed_at=at) or state
            events += after.transitions[-1:] if after.sequence > state.sequence else ()
            state = after
        if is_scanned:
            after = with_receipt(state, Receipt(at, {1: 3}, "0" * 16))
            events += after.transitions[-1:] if after.sequence > state.sequence else ()
            state = after
        now = max(now, at)
    availability = [each.available for each in events if each.receipt is None]
    assert availability == expected
    assert all(one.sequence < other.sequence for one, other in pairwise(events))
    for receipts in (False, True):
        chain = [each for each in events if (each.receipt is not None) is receipts]
        assert [each.previous_id for each in chain] == [None, *(each.event_id for each in chain)][: len(chain)]
    assert sum(each.receipt is None for each in state.transitions) == min(KEPT_CHANGES, len(availability))
