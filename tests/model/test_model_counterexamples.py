"""What the random test once found, played again: each was missed, invented or stood still for ever."""

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


def test_an_exam_that_lost_its_last_row_is_believed_in_the_end() -> None:
    state = in_the_beginning(Setup(past=(1,)))
    state.poll()
    state.something_happens([Act(Kind.REMOVE)])
    state.teardown()


@pytest.mark.parametrize("requests", [3, 4])
def test_a_poll_without_time_to_ask_for_a_status_is_continued(requests: int) -> None:
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


def test_a_removal_shows_in_an_exam_that_is_settled_in_parts() -> None:
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


def test_a_removal_shows_after_a_first_contact_that_died_before_it_was_remembered() -> None:
    state = in_the_beginning(Setup(past=(2, 1)))
    state.poll(PollPlan(interrupts=((15, Dies()),)))
    state.something_happens([Act(Kind.REMOVE)])
    state.teardown()


def test_an_attempt_reopened_after_an_undocumented_status_is_no_new_start() -> None:
    state = in_the_beginning(Setup(disguised=True, past=(0,)))
    state.poll()
    state.something_happens([Act(Kind.START), Act(Kind.SYSTEM_SUBMIT)])
    state.poll()
    state.something_happens([Act(Kind.REOPEN)])
    state.teardown()


@pytest.mark.parametrize("step", [8, 10], ids=["before its last page", "within its write"])
def test_what_a_poll_saw_before_another_took_over_is_announced_as_removed(step: int) -> None:
    """A new attempt has nothing stored that could fence the write off, and the other poll's digest knows it not."""
    state = in_the_beginning(Setup(past=(0,)))
    starts, gone = Happens((Act(Kind.START),)), Happens((Act(Kind.REMOVE),))
    state.poll(PollPlan(interrupts=((3, starts), (step, gone), (step, Stalls(PollPlan())))))
    state.teardown()


def test_an_attempt_that_ended_hides_no_new_one_from_the_count() -> None:
    state = in_the_beginning(Setup(page_cap=2, past=(2,)))
    state.poll()
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.something_happens_and_a_poll_finds_it([Act(Kind.SUBMIT)], full=False)
    state.the_order_changes(ListOrder.OLDEST)
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.teardown()


def test_a_first_scan_whose_order_changed_in_the_middle_is_completed() -> None:
    """The row at which it continues has the same place in either order, and the number of rows is right."""
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
def test_an_exam_whose_count_is_not_zero_is_not_believed_to_have_no_rows(
    empty: tuple[int, ...],
    complete: bool,  # noqa: FBT001
) -> None:
    state = in_the_beginning(Setup(past=(0,)))
    starts, nothing = Happens((Act(Kind.START),)), Fails(Fault.EMPTY_LIST)
    report = state.installation.poll(PollPlan(interrupts=((3, starts), *((step, nothing) for step in empty))))
    assert report is not None
    assert report.complete is complete
    state.teardown()


def test_an_empty_page_in_the_middle_is_no_end() -> None:
    """Otherwise all rows behind it would be announced as new later."""
    state = in_the_beginning(Setup(page_cap=2, past=(5,)))
    state.poll(PollPlan(interrupts=((9, Fails(Fault.EMPTY_LIST)),)))
    assert len(state.installation.submissions.items) == 5
    state.teardown()


def test_a_count_that_changes_again_before_its_rows_were_found_is_followed() -> None:
    """The one that is unexplained keeps the full scan away for ten minutes, and new rows come at the other end."""
    state = in_the_beginning(Setup(page_cap=2, past=(4,)))
    state.poll()
    state.something_happens_and_a_poll_finds_it([Act(Kind.START), Act(Kind.REMOVE, 4)], full=False)
    state.the_order_changes(ListOrder.OLDEST)
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.teardown()


def test_an_attempt_that_ran_at_first_contact_hides_no_new_one_from_the_count() -> None:
    state = in_the_beginning(Setup(page_cap=2, past=(2,)))
    state.something_happens([Act(Kind.START)])
    state.poll()
    state.the_order_changes(ListOrder.OLDEST)
    state.something_happens_and_a_poll_finds_it([Act(Kind.SUBMIT), Act(Kind.START)], full=False)
    state.teardown()


def test_a_server_that_ignores_offsets_is_asked_for_its_only_row_a_few_times() -> None:
    state = in_the_beginning(Setup(quirks=frozenset({Quirk.IGNORE_START}), past=(1,)))
    report = state.installation.poll(PollPlan())
    assert report is not None
    assert report.complete
    assert report.requests < 10
    state.teardown()


def test_a_v1_exam_whose_row_came_while_another_went_is_found_in_the_end() -> None:
    """The number of all rows is what it was, and neither row stands on the first page."""
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


def test_a_running_attempt_is_followed_although_a_scan_in_parts_did_not_show_it() -> None:
    """The order was reversed midway, and the row at which the scan continues has the same place in either order."""
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


def test_what_a_scan_in_parts_did_not_show_is_found_by_the_next_one_which_comes_soon() -> None:
    """Although nothing has happened in the exam for long."""
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
    """Counted before the first contact and listed after it, the rows seem to explain the changes of ``times`` since."""
    state = in_the_beginning(Setup(order=ListOrder.CANDIDATE, page_cap=5, rows_lag_s=90, past=(3,)))
    state.something_happens([Act(Kind.START), Act(Kind.START)])
    state.poll()
    state.something_happens([Act(Kind.SHOW_LATE, 0, 1), Act(Kind.SHOW_LATE, 0, 1)])
    state.teardown()
