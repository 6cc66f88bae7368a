"""What the random test once found, played again: each was missed, invented or stood still for ever."""

from __future__ import annotations

import pytest
from model.acts import Act, Kind
from model.machine import Detection, Setup
from model.poller import Dies, PollPlan

from examhook_cli.simulator.quirks import Quirk


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
def test_a_poll_without_time_to_ask_for_a_status_is_gone_on_with(requests: int) -> None:
    state = in_the_beginning(Setup(quirks=frozenset({Quirk.NO_STATUS_IN_LISTS}), past=(1,)))
    state.poll(PollPlan(requests_in_time=requests))
    state.teardown()


def test_an_attempt_that_runs_for_ever_puts_off_no_full_pass() -> None:
    state = in_the_beginning(Setup(past=(1,)))
    state.something_happens([Act(Kind.START)])
    state.poll()
    state.poll()
    state.something_happens([Act(Kind.REMOVE)])
    state.poll()
    state.teardown()


def test_a_removal_shows_in_an_exam_that_is_read_in_segments() -> None:
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


def test_an_attempt_that_goes_on_after_an_undocumented_status_did_not_start_anew() -> None:
    state = in_the_beginning(Setup(disguised=True, past=(0,)))
    state.poll()
    state.something_happens([Act(Kind.START), Act(Kind.SYSTEM_SUBMIT)])
    state.poll()
    state.something_happens([Act(Kind.REOPEN)])
    state.teardown()
