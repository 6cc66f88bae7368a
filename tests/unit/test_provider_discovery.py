"""Finding exams by counting rows, also where the provider counts wrongly or shows rows that nobody can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examhook.model import Attempt, Exam
from examhook.provider.discovery import MAX_PAGE_ROWS, RECOUNT_INTERVAL_S, REWALK_INTERVAL_S, Discovery
from examhook.provider.errors import ProviderRejected, ProviderUnavailable
from examhook.provider.port import ExamPage, Record, RecordPage, UnreadableRow

NOW = 1_800_000_000


@dataclass
class Provider:
    """Rows of exams as (exam, start time), and the habits of whoever shows them."""

    rows: list[tuple[str, int]] = field(default_factory=list)
    order: Callable[[tuple[str, int]], int | tuple[str, int]] = lambda row: -row[1]
    counts_all: bool = False
    """Whether one exam's total is that of all."""
    no_totals: bool = False
    nameless: int = 0
    """Rows at the end that name no exam."""
    meanwhile: list[tuple[str, int]] = field(default_factory=list)
    """Rows that come one by one, each after a request for one exam."""
    asked: list[tuple[str | None, int, int]] = field(default_factory=list)
    failing_at: int | None = None
    forbidden: set[str] = field(default_factory=set)
    clock: int = NOW
    """Our clock at the time of a look."""

    def add(self, exam_id: str, count: int = 1) -> None:
        newest = max((start for _, start in self.rows), default=1_700_000_000)
        self.rows += [(exam_id, newest + number) for number in range(1, count + 1)]

    def ask(self, exam_id: str | None, start: int, limit: int) -> RecordPage:
        self.asked.append((exam_id, start, limit))
        if len(self.asked) == self.failing_at:
            raise ProviderUnavailable("Not now.")
        if exam_id == "gone":
            raise ProviderRejected("No such exam.")
        if exam_id in self.forbidden:
            raise ProviderRejected("The provider refuses the exam's results (HTTP 403).", plain=False)
        shown = sorted((row for row in self.rows if exam_id in {None, row[0]}), key=self.order)
        all_rows = len(shown) + (self.nameless if exam_id is None else 0)
        page = shown[start : start + limit]
        count = max(0, min(all_rows - start, limit))
        total = None if self.no_totals else len(self.rows) + self.nameless if self.counts_all else all_rows
        if exam_id is not None and self.meanwhile:
            self.rows.append(self.meanwhile.pop())
        return RecordPage(
            tuple(Record(exam, Attempt("7", at, 1)) for exam, at in page),
            count,
            total,
            tuple(UnreadableRow(place, "eid is missing") for place in range(len(page), count)),
        )

    def counts(self) -> dict[str, int]:
        return {exam_id: sum(exam == exam_id for exam, _ in self.rows) for exam_id, _ in self.rows}


OUT_OF_SIGHT = ("9", 1_600_000_000)
"""A row that stands far behind the first page."""


def always() -> bool:
    return True


def attempt_counts(found: ExamPage) -> dict[str, int | None]:
    return {exam.exam_id: exam.attempt_count for exam in found.rows}


def test_an_account_without_results_has_no_exams_and_takes_one_request() -> None:
    provider = Provider()
    discovery = Discovery(list)
    assert discovery.find(provider.ask, always, provider.clock) == ExamPage((), 0)
    assert len(provider.asked) == 1


def test_a_walk_ends_as_soon_as_the_exams_met_explain_all_rows() -> None:
    """Exam 1 stands only behind the first page; nothing behind its first row is read."""
    provider = Provider()
    provider.add("1", 800)
    provider.add("2", 150)
    found = Discovery(list).find(provider.ask, always, provider.clock)
    assert attempt_counts(found) == {"1": 800, "2": 150}
    assert found.problem is None
    pages = [start for exam_id, start, _ in provider.asked if exam_id is None]
    assert pages == [0, 0, 100]


def asked_fewer_than(provider: Provider, allowed: int) -> bool:
    return len(provider.asked) < allowed


def test_what_time_does_not_allow_is_gone_on_with_at_the_next_look() -> None:
    provider = Provider()
    for exam_id in ("1", "2", "3", "4"):
        provider.add(exam_id, 300)
    discovery = Discovery(list)
    seen = []
    for _ in range(40):
        allowed = len(provider.asked) + 3
        found = discovery.find(provider.ask, partial(asked_fewer_than, provider, allowed), NOW)
        seen.append(found.problem)
        if found.problem is None:
            break
    assert attempt_counts(found) == provider.counts()
    assert "no time" in str(seen[0])
    assert len(provider.asked) < 40


def test_rows_that_come_while_exams_are_counted_are_no_unknown_exams() -> None:
    provider = Provider()
    for exam_id in ("1", "2", "3"):
        provider.add(exam_id, 20)
    provider.meanwhile = [("2", 1_700_001_000), ("1", 1_700_001_001)]
    discovery = Discovery(list)
    assert discovery.find(provider.ask, always, provider.clock).problem is None
    assert len(provider.asked) <= 1 + 3 + 1
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == provider.counts()


def test_a_forbidden_exam_is_kept_and_costs_one_walk() -> None:
    """Its rows are seen among all, but cannot be counted; once they can be, all adds up again."""
    provider = Provider(forbidden={"2"})
    for exam_id in ("1", "2"):
        provider.add(exam_id, 150)
    discovery = Discovery(list)
    for _ in range(2):
        assert discovery.find(provider.ask, always, provider.clock).problem is None
    provider.asked.clear()
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 150, "2": 0}
    assert len(provider.asked) == 1
    provider.add("2")
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 150, "2": 1}
    provider.forbidden.clear()
    provider.clock += RECOUNT_INTERVAL_S
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == provider.counts()
    provider.asked.clear()
    discovery.find(provider.ask, always, provider.clock)
    assert len(provider.asked) == 1


def test_an_exam_that_is_forbidden_while_it_is_counted_keeps_its_count() -> None:
    provider = Provider()
    for exam_id in ("1", "2"):
        provider.add(exam_id, 20)
    discovery = Discovery(list)
    discovery.find(provider.ask, always, provider.clock)
    provider.forbidden = {"1", "2"}
    provider.clock += RECOUNT_INTERVAL_S
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == provider.counts()
    assert [exam_id for exam_id, *_ in provider.asked if exam_id in provider.forbidden]


def test_rows_that_name_no_exam_are_walked_through_once() -> None:
    provider = Provider(nameless=3)
    provider.add("1", 250)
    discovery = Discovery(list)
    for _ in range(2):
        assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 250}
    provider.asked.clear()
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 250}
    provider.add("1")
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 251}
    assert len(provider.asked) == 2


@pytest.mark.parametrize("counts_all", [True, False], ids=["the total of all exams", "no total"])
def test_where_one_exams_rows_are_not_counted_new_rows_move_its_attempt_count(*, counts_all: bool) -> None:
    """Everything is walked through once; after that a look takes one request."""
    provider = Provider(counts_all=counts_all, no_totals=not counts_all)
    provider.add("1", 250)
    provider.add("2", 30)
    provider.add("3", 3)
    discovery = Discovery(list)
    before = attempt_counts(discovery.find(provider.ask, always, provider.clock))
    assert before.keys() == {"1", "2", "3"}
    provider.asked.clear()
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == before
    provider.add("2", 4)
    after = attempt_counts(discovery.find(provider.ask, always, provider.clock))
    assert {exam_id for exam_id in after if after[exam_id] != before[exam_id]} == {"2"}
    provider.add("2")
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock))["2"] == (after["2"] or 0) + 1
    assert len(provider.asked) == 3


def test_a_provider_that_was_thought_to_count_wrongly_is_counted_again_after_a_day() -> None:
    """Rows that moved while they were counted may look like that."""
    provider, discovery = Provider(counts_all=True), Discovery(list)
    provider.add("1", 150)
    provider.add("2", 3)
    discovery.find(provider.ask, always, provider.clock)
    provider.counts_all = False
    provider.rows.append(OUT_OF_SIGHT)
    discovery.find(provider.ask, always, provider.clock)
    provider.clock += REWALK_INTERVAL_S
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == provider.counts()


def test_rows_that_no_walk_could_explain_are_looked_for_again_after_a_day() -> None:
    """By then they are deleted, and the same number of rows of an unknown exam exist."""
    provider, discovery = Provider(nameless=1), Discovery(list)
    provider.add("1", 150)
    for _ in range(2):
        discovery.find(provider.ask, always, provider.clock)
    provider.nameless = 0
    provider.rows.append(OUT_OF_SIGHT)
    discovery.find(provider.ask, always, provider.clock)
    provider.clock += REWALK_INTERVAL_S
    for _ in range(2):
        found = discovery.find(provider.ask, always, provider.clock)
    assert attempt_counts(found) == provider.counts()


def test_an_exam_that_the_provider_no_longer_knows_is_forgotten() -> None:
    provider = Provider()
    provider.add("1", 5)
    discovery = Discovery(lambda: [Exam("gone", "Gone", available=True, attempt_count=9)])
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 5}


def test_a_row_is_new_until_it_was_counted() -> None:
    """A look that fails after it saw a row does not make the next one take it for known."""
    provider = Provider()
    provider.add("1", 5)
    discovery = Discovery(list)
    discovery.find(provider.ask, always, provider.clock)
    provider.add("2", 2)
    provider.failing_at = len(provider.asked) + 2
    with pytest.raises(ProviderUnavailable):
        discovery.find(provider.ask, always, provider.clock)
    assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == {"1": 5, "2": 2}


def test_what_is_stored_of_an_exam_stays_but_its_availability() -> None:
    """The API never states it, and what is stored may come from the other API and be out of date."""
    provider = Provider()
    provider.add("1", 5)
    stored = Exam("1", "Fire safety", available=False, attempt_count=5, url="https://x.example/1")
    found = Discovery(lambda: [stored]).find(provider.ask, always, NOW).rows
    assert found == (replace(stored, available=None),)


def test_an_exam_that_is_found_states_no_availability() -> None:
    provider = Provider()
    provider.add("1", 5)
    assert Discovery(list).find(provider.ask, always, NOW).rows == (Exam("1", "1", available=None, attempt_count=5),)


def test_whether_one_exams_count_is_its_own_is_known() -> None:
    for counts_all in (False, True):
        provider, discovery = Provider(counts_all=counts_all), Discovery(list)
        provider.add("1", 150)
        provider.add("2", 3)
        discovery.find(provider.ask, always, NOW)
        assert discovery.counts_exams is not counts_all


ORDERS: list[Callable[[tuple[str, int]], int | tuple[str, int]]] = [
    lambda row: -row[1],
    lambda row: row[1],
    lambda row: (row[0], row[1]),
]


@settings(deadline=None, max_examples=60)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 130)), max_size=3), min_size=1, max_size=5
    ),
    order=st.sampled_from(ORDERS),
)
def test_counts_are_right_whatever_is_added_where(
    batches: list[list[tuple[str, int]]], order: Callable[[tuple[str, int]], int | tuple[str, int]]
) -> None:
    """And when nothing was added, one request says so."""
    provider, discovery = Provider(order=order), Discovery(list)
    for batch in batches:
        for exam_id, count in batch:
            provider.add(exam_id, count)
        assert attempt_counts(discovery.find(provider.ask, always, provider.clock)) == provider.counts()
        provider.asked.clear()
        discovery.find(provider.ask, always, provider.clock)
        assert provider.asked == [(None, 0, MAX_PAGE_ROWS)]
