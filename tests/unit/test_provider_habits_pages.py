"""Pages that are cut, filtered, capped or ordered by request: every row is seen, and none is believed to be deleted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examhook.settings import Dialect
from examhook_simulator.facts import AttemptCount
from tests.model.acts import Act, Kind
from tests.model.plans import Happens, PollPlan
from tests.support.provider.installation_with_quirks import DIALECTS, Habits


def found(habits: Habits, exam_id: str, hidden: int = 0) -> None:
    """Check that all visible rows are stored, eventually completely, and that nothing was announced."""
    for report in habits.polls(4, 300):
        if report.complete:
            break
    assert report.complete, report.notes
    assert len(habits.stored(exam_id)) == len(habits.truth(exam_id)) - hidden
    assert habits.events() == []


def test_an_exam_list_with_an_exam_hidden_after_the_limit_is_read_to_its_end() -> None:
    """Pages of 100, 99 and 50 rows."""
    habits = Habits()
    exam_ids = [habits.exam() for _ in range(250)]
    hidden = exam_ids[120]
    habits.provider.switch("hidden_rows=1:3")
    assert habits.poll().complete
    shown = {exam_id for _, exam_id in habits.installation.exam_states.items}
    assert len(shown) == 249
    assert hidden in exam_ids
    habits.provider.world.advance(60)
    for exam_id in (exam_ids[0], exam_ids[-1], exam_ids[130]):
        if exam_id in shown:
            ref = habits.submits(exam_id)
            habits.poll()
            assert (ref.candidate_id, "submitted") in habits.events()


@pytest.mark.parametrize("first", [150, 30])
def test_a_row_hidden_in_the_second_exam_leaves_no_other_row_unread(first: int) -> None:
    """Page lengths of the first exam prove nothing about the second."""
    habits = Habits()
    habits.exam(first)
    second = habits.exam(200)
    habits.provider.switch("hidden_rows=1:5@next1000")
    found(habits, second, hidden=1)
    habits.provider.api.quirks.turn_off()
    habits.polls(2, 3600)
    assert [kind for _, kind in habits.events() if kind == "removed"] == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("cap", [1, 2, 7])
def test_pages_cut_in_one_exam_only_remove_no_attempt(dialect: Dialect, cap: int) -> None:
    habits = Habits(dialect)
    cut, whole = habits.exam(25), habits.exam(40)
    habits.provider.switch(f"results_cap={cap}")
    for report in habits.polls(8, 600):
        assert report.errors == []
    assert habits.stored(cut) == habits.truth(cut)
    assert habits.stored(whole) == habits.truth(whole)
    assert habits.events() == []


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_rows_hidden_after_the_limit_hide_no_visible_attempt(order: str) -> None:
    """Pages of 30 with 3 hidden rows: 57 rows are visible, and ``times`` is 57."""
    habits = Habits(switches=[f"row_order={order}", "limit_cap=30"])
    for _ in range(4):
        habits.exam(60)
    # It also hides three exams of the list.
    habits.provider.switch("hidden_rows=3:7", "count=stuck")
    habits.poll()
    ((_, exam_id),) = habits.installation.exam_states.items
    found(habits, exam_id, hidden=3)
    ref = habits.submits(exam_id)
    habits.polls(20)
    assert habits.events() == [(ref.candidate_id, "submitted")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_half_a_page_at_first_contact_announces_nothing_old_and_gives_no_receipt(dialect: Dialect) -> None:
    habits = Habits(dialect)
    exam_id = habits.exam(20)
    habits.provider.switch("half_page@next2")
    for report in habits.polls(6):
        if report.complete:
            break
    assert habits.stored(exam_id) == habits.truth(exam_id)
    assert habits.events() == []
    receipts = [
        each.receipt
        for change in habits.installation.exam_states.stream
        for each in change.after.transitions
        if each.receipt is not None
    ]
    assert {sum(receipt.status_counts.values()) for receipt in receipts} <= {20}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(1, 10**6),
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=3),
    dialect=st.sampled_from(DIALECTS),
    order=st.sampled_from(["newest", "oldest", "candidate"]),
    counts=st.sampled_from(AttemptCount),
)
def test_pages_of_random_lengths_lose_remove_and_invent_nothing(
    seed: int, sizes: list[int], dialect: Dialect, order: str, counts: AttemptCount
) -> None:
    """The length depends on list, offset and limit, and is at least one row."""
    habits = Habits(dialect, [f"row_order={order}", f"uneven_pages={seed}"])
    exam_ids = []
    for size in sizes:
        exam_id = habits.world.create_exam(counts=counts)
        habits.world.populate(exam_id, size)
        exam_ids.append(exam_id)
    habits.polls(4, 300)
    assert habits.events() == []
    ref = habits.submits(exam_ids[0])
    habits.polls(40)
    assert habits.events() == [(ref.candidate_id, "submitted")]
    for exam_id in exam_ids:
        assert habits.stored(exam_id) == habits.truth(exam_id)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(1, 10**6), size=st.integers(80, 230), ties=st.integers(2, 30))
def test_rows_of_equal_start_whose_order_depends_on_the_request_are_all_stored(seed: int, size: int, ties: int) -> None:
    habits = Habits(switches=["ties_by_request"])
    exam_id = habits.world.create_exam()
    ended_at = habits.world.now() - 5000 - seed % 100
    for number in range(size):
        ref = habits.world.start(exam_id, at=ended_at - 60 * (size // ties - number // ties) - 10)
        habits.world.submit(ref, 10, at=ended_at)
    for report in habits.polls(6, 300):
        if report.complete:
            break
    assert report.complete
    assert habits.stored(exam_id) == habits.truth(exam_id)
    assert habits.events() == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("step", range(1, 13))
def test_an_attempt_that_starts_during_a_first_scan_does_not_delay_the_next_ones(dialect: Dialect, step: int) -> None:
    """It pushes the only row to the next offset, as if the server ignored the offset."""
    habits = Habits(dialect)
    habits.exam(2)
    habits.polls(2)
    exam_id = habits.world.create_exam()
    habits.submits(exam_id)
    submits = Happens((Act(Kind.WAIT, 0, 1), Act(Kind.START, -1), Act(Kind.SUBMIT, -1)))
    habits.world.advance(60)
    assert habits.installation.poll(PollPlan(interrupts=((step, submits),)))
    ref = habits.submits(exam_id)
    habits.poll()
    assert (ref.candidate_id, "submitted") in habits.events()
