"""Counterexamples that the random test found: each was a missed event, an invented event or endless waiting."""

from __future__ import annotations

import pytest

from examhook.settings import Dialect
from examhook_simulator.facts import ListOrder
from examhook_simulator.quirks import Quirk
from tests.model.acts import Act, Kind
from tests.model.machine import Detection, Setup
from tests.model.plans import LEASE_OUTLIVED_S, Dies, Fails, Fault, Happens, PollPlan, Stalls
from tests.model.poller import FULL_SCAN_SECONDS


def in_the_beginning(setup: Setup) -> Detection:
    state = Detection()
    state.begin(setup=setup)
    return state


def test_an_exam_that_lost_its_last_row_is_eventually_believed() -> None:
    state = in_the_beginning(Setup(past=(1,)))
    state.poll()
    state.something_happens([Act(Kind.REMOVE)])
    state.teardown()


@pytest.mark.parametrize("requests", [3, 4])
def test_a_poll_without_time_to_request_a_status_is_continued(requests: int) -> None:
    state = in_the_beginning(Setup(quirks=frozenset({Quirk.NO_STATUS_IN_LISTS}), past=(1,)))
    state.poll(PollPlan(requests_in_time=requests))
    state.teardown()


def test_an_attempt_that_never_ends_delays_no_full_scan() -> None:
    state = in_the_beginning(Setup(past=(1,)))
    state.something_happens([Act(Kind.START)])
    state.poll()
    state.poll()
    state.something_happens([Act(Kind.REMOVE)])
    state.poll()
    state.teardown()


def test_a_removal_is_found_in_an_exam_that_is_scanned_in_parts() -> None:
    state = in_the_beginning(Setup(page_cap=2, past=(0,)))
    state.poll()
    state.something_happens([Act(Kind.START)] * 9)
    state.poll()
    state.something_happens([Act(Kind.REMOVE)])
    state.teardown()


def test_a_candidate_with_more_attempts_than_a_page_holds_gets_the_status_of_each() -> None:
    state = in_the_beginning(Setup(page_cap=2, quirks=frozenset({Quirk.NO_STATUS_IN_LISTS}), past=(5,)))
    state.something_happens([Act(Kind.RETAKE)])
    state.teardown()


def test_a_removal_is_found_after_a_first_contact_that_died_before_recording_the_exam() -> None:
    state = in_the_beginning(Setup(past=(2, 1)))
    state.poll(PollPlan(interrupts=((15, Dies()),)))
    state.something_happens([Act(Kind.REMOVE)])
    state.teardown()


def test_an_attempt_reopened_after_an_undocumented_status_is_not_a_new_start() -> None:
    state = in_the_beginning(Setup(disguised=True, past=(0,)))
    state.poll()
    state.something_happens([Act(Kind.START), Act(Kind.SYSTEM_SUBMIT)])
    state.poll()
    state.something_happens([Act(Kind.REOPEN)])
    state.teardown()


@pytest.mark.parametrize("step", [8, 10], ids=["before its last page", "within its write"])
def test_an_attempt_that_a_replaced_poll_saw_is_announced_as_removed(step: int) -> None:
    """No stored item can fence off the write of a new attempt, and the other poll's digest lacks it."""
    state = in_the_beginning(Setup(past=(0,)))
    starts, gone = Happens((Act(Kind.START),)), Happens((Act(Kind.REMOVE),))
    state.poll(PollPlan(interrupts=((3, starts), (step, gone), (step, Stalls(PollPlan())))))
    state.teardown()


def test_an_ended_attempt_does_not_hide_a_new_one_from_the_count() -> None:
    state = in_the_beginning(Setup(page_cap=2, past=(2,)))
    state.poll()
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.something_happens_and_a_poll_finds_it([Act(Kind.SUBMIT)], full=False)
    state.the_order_changes(ListOrder.OLDEST)
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.teardown()


def test_a_first_scan_whose_order_changed_midway_is_completed() -> None:
    """The row where it continues has the same position in both orders, and the row count is right."""
    state = in_the_beginning(Setup(page_cap=2, past=(5,)))
    state.poll(PollPlan(interrupts=((15, Dies()),)))
    state.the_order_changes(ListOrder.OLDEST)
    state.provider.world.advance(LEASE_OUTLIVED_S)
    state.poll()
    state.provider.world.advance(FULL_SCAN_SECONDS)
    state.poll()
    assert len(state.installation.submissions.items) == 5
    state.teardown()


@pytest.mark.parametrize(("empty", "complete"), [((9,), True), ((9, 10), False)], ids=["once", "twice"])
def test_an_exam_with_a_nonzero_count_is_not_believed_to_be_empty(
    empty: tuple[int, ...],
    complete: bool,  # noqa: FBT001
) -> None:
    state = in_the_beginning(Setup(past=(0,)))
    starts, nothing = Happens((Act(Kind.START),)), Fails(Fault.EMPTY_LIST)
    report = state.installation.poll(PollPlan(interrupts=((3, starts), *((step, nothing) for step in empty))))
    assert report is not None
    assert report.complete is complete
    state.teardown()


def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    """Otherwise all rows behind it would later be announced as new."""
    state = in_the_beginning(Setup(page_cap=2, past=(5,)))
    state.poll(PollPlan(interrupts=((9, Fails(Fault.EMPTY_LIST)),)))
    assert len(state.installation.submissions.items) == 5
    state.teardown()


def test_a_count_that_changes_again_before_its_rows_are_found_is_followed() -> None:
    """The unexplained count delays the full scan by ten minutes, and new rows appear at the other end."""
    state = in_the_beginning(Setup(page_cap=2, past=(4,)))
    state.poll()
    state.something_happens_and_a_poll_finds_it([Act(Kind.START), Act(Kind.REMOVE, 4)], full=False)
    state.the_order_changes(ListOrder.OLDEST)
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.teardown()


def test_an_attempt_running_at_first_contact_does_not_hide_a_new_one_from_the_count() -> None:
    state = in_the_beginning(Setup(page_cap=2, past=(2,)))
    state.something_happens([Act(Kind.START)])
    state.poll()
    state.the_order_changes(ListOrder.OLDEST)
    state.something_happens_and_a_poll_finds_it([Act(Kind.SUBMIT), Act(Kind.START)], full=False)
    state.teardown()


def test_a_server_that_ignores_offsets_gets_few_requests_for_its_only_row() -> None:
    state = in_the_beginning(Setup(quirks=frozenset({Quirk.IGNORE_START}), past=(1,)))
    report = state.installation.poll(PollPlan())
    assert report is not None
    assert report.complete
    assert report.requests < 10
    state.teardown()


def test_a_v1_exam_whose_row_appeared_while_another_disappeared_is_eventually_found() -> None:
    """The number of all rows is unchanged, and neither row is on the first page."""
    state = in_the_beginning(Setup(dialect=Dialect.V1, order=ListOrder.CANDIDATE, page_cap=2, past=(4,)))
    state.poll()
    state.something_happens_and_a_poll_finds_it(
        [Act(Kind.CREATE_EXAM), Act(Kind.SHOW_LATE, 1), Act(Kind.REMOVE, 3)], full=False
    )
    state.teardown()


def test_an_empty_answer_at_first_contact_announces_no_old_results() -> None:
    state = in_the_beginning(Setup(habits=("count=stuck",), past=(5,)))
    state.poll(PollPlan(interrupts=((9, Fails(Fault.EMPTY_LIST)),)))
    assert len(state.installation.submissions.items) == 5
    assert not any(change.announces for change in state.installation.submissions.stream)
    state.teardown()


def test_a_running_attempt_is_followed_although_a_partial_scan_missed_it() -> None:
    """The order was reversed midway, and the row where the scan continues has the same position in both."""
    state = in_the_beginning(Setup(page_cap=2, order=ListOrder.OLDEST, past=(6,)))
    state.something_happens([Act(Kind.START)])
    state.poll()
    state.poll(PollPlan(requests_in_time=5, full=True))
    (exam,) = state.installation.exam_states.items.values()
    assert exam.cursor is not None
    state.the_order_changes(ListOrder.NEWEST)
    state.poll()
    (exam,) = state.installation.exam_states.items.values()
    assert exam.cursor is None
    assert exam.running_count == 1
    state.something_happens([Act(Kind.SUBMIT)])
    state.teardown()


def test_rows_that_a_partial_scan_missed_are_found_by_an_early_next_scan() -> None:
    """Even if the exam was quiet for long."""
    state = in_the_beginning(Setup(page_cap=2, order=ListOrder.OLDEST, past=(7,)))
    state.provider.world.advance(10 * FULL_SCAN_SECONDS)
    state.poll()
    state.something_happens([Act(Kind.MARK, 6, 3)])
    state.poll(PollPlan(requests_in_time=4, full=True))
    state.the_order_changes(ListOrder.NEWEST)
    state.poll()
    assert state.installation.submissions.stream[-1].before is None
    state.provider.world.advance(FULL_SCAN_SECONDS)
    state.poll()
    assert state.installation.submissions.stream[-1].after.transitions[-1].event_type == "submission.rescored"
    state.teardown()


def test_rows_listed_after_their_count_are_all_found() -> None:
    """They were counted before the first contact and listed later, so they seem to explain later counts."""
    state = in_the_beginning(Setup(order=ListOrder.CANDIDATE, page_cap=5, rows_lag_s=90, past=(3,)))
    state.something_happens([Act(Kind.START), Act(Kind.START)])
    state.poll()
    state.something_happens([Act(Kind.SHOW_LATE, 0, 1), Act(Kind.SHOW_LATE, 0, 1)])
    state.teardown()
