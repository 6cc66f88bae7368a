"""Planted bugs that the short random test does not find: each has a test that fails with it."""

from __future__ import annotations

import pytest

from examhook_simulator.facts import ListOrder
from tests.model.acts import Act, Kind
from tests.model.machine import Setup
from tests.model.plans import LEASE_OUTLIVED_S, Dies, Happens, PollPlan, Stalls
from tests.model.poller import ACCOUNT
from tests.model.test_model_counterexamples import in_the_beginning


def test_a_write_that_arrives_after_a_newer_one_changes_nothing() -> None:
    """Its poll stalls during the write, and another poll replaces the item meanwhile."""
    state = in_the_beginning(Setup(past=(1,)))
    state.poll()
    state.something_happens_and_a_poll_finds_it([Act(Kind.START)], full=False)
    state.something_happens([Act(Kind.SUBMIT)])
    marked = Happens((Act(Kind.MARK, 1, 3),))
    state.poll(PollPlan(interrupts=((7, marked), (7, Stalls(PollPlan())))))
    state.teardown()


def test_the_state_of_an_older_poll_does_not_replace_that_of_a_newer_one() -> None:
    """Otherwise nobody would follow the running attempt that the newer poll saw."""
    state = in_the_beginning(Setup(habits=("count=stuck",), order=ListOrder.CANDIDATE, past=(2,)))
    state.poll()
    starts = Happens((Act(Kind.START),))
    state.poll(PollPlan(interrupts=((7, starts), (7, Stalls(PollPlan(full=True)))), full=True))
    state.something_happens([Act(Kind.SUBMIT)])
    state.teardown()


@pytest.mark.parametrize(
    ("step", "requests"), [(5, 2), (6, 3), (7, 3)], ids=["within an exam", "before its last page", "before its write"]
)
def test_a_poll_that_lost_its_lease_stops_requests_and_writes(step: int, requests: int) -> None:
    """The rows that it saw are deleted before the next poll, so it would announce rows that no longer exist."""
    state = in_the_beginning(Setup(past=(1,)))
    state.poll()
    state.something_happens([Act(Kind.START)])
    gone = Happens((Act(Kind.REMOVE, 1),))
    report = state.installation.poll(PollPlan(interrupts=((step, gone), (step, Stalls(PollPlan())))))
    assert report is not None
    assert report.errors == [f"The poll stopped early: another poll of account {ACCOUNT} took over."]
    assert report.requests == requests
    assert len(state.installation.submissions.items) == 1
    state.teardown()


def test_rows_that_move_up_between_polls_of_a_first_contact_are_not_skipped() -> None:
    """Rows before them are deleted, so another row is at the offset where the scan continues."""
    state = in_the_beginning(Setup(page_cap=2, past=(7,)))
    state.poll(PollPlan(interrupts=((22, Dies()),)))
    state.something_happens([Act(Kind.REMOVE, 6), Act(Kind.REMOVE, 5)])
    state.provider.world.advance(LEASE_OUTLIVED_S)
    state.poll()
    assert len(state.installation.submissions.items) == 7
    state.teardown()


def test_the_row_at_which_a_first_contact_continues_is_stored() -> None:
    state = in_the_beginning(Setup(page_cap=2, past=(7,)))
    state.poll(PollPlan(interrupts=((22, Dies()),)))
    state.provider.world.advance(LEASE_OUTLIVED_S)
    state.poll()
    assert len(state.installation.submissions.items) == 7
    state.teardown()


def test_the_digest_includes_the_changes_of_an_incremental_scan() -> None:
    """An attempt that ends and is reopened restores the rows from before its end."""
    state = in_the_beginning(Setup(past=(2,)))
    state.something_happens([Act(Kind.START)])
    state.poll()
    state.something_happens_and_a_poll_finds_it([Act(Kind.SUBMIT)], full=False)
    state.something_happens([Act(Kind.REOPEN, 2)])
    state.poll(PollPlan(full=True))
    (exam,) = state.installation.exam_states.items.values()
    assert exam.running_count == 1
    told = state.installation.submissions.stream[-1].after.transitions
    assert [event.event_type for event in told] == [
        "submission.submitted",
        "submission.reopened",
    ]
    state.teardown()
