"""Pages of a simulated exam are slices of one list, in any order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from examhook_simulator.attempt_rows import Row
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import ListOrder

KEYS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 99)), unique=True, max_size=30)


def book_of(keys: list[tuple[int, int]]) -> ExamBook:
    book = ExamBook(1, "Exam", "School", 0)
    for n, (candidate_id, started_at) in enumerate(keys):
        book.add(Row(candidate_id, "Tom", started_at, n))
    return book


def keys_of(rows: list[Row]) -> list[tuple[int, int]]:
    return [(row.candidate_id, row.started_at) for row in rows]


@given(KEYS, st.integers(1, 12))
def test_pages_in_a_fixed_order_form_the_whole_list(keys: list[tuple[int, int]], size: int) -> None:
    wanted = {
        ListOrder.OLDEST: sorted(keys, key=lambda key: (key[1], key[0])),
        ListOrder.NEWEST: sorted(keys, key=lambda key: (key[1], key[0]), reverse=True),
        ListOrder.CANDIDATE: sorted(keys),
    }
    book = book_of(keys)
    for order, whole in wanted.items():
        pages = [book.page(start, size, order, random.Random(1)) for start in range(0, len(keys) + size, size)]
        assert keys_of([row for page in pages for row in page]) == whole
        assert not pages[-1], "after the last row comes an empty page"


@given(KEYS)
def test_a_shuffled_page_holds_every_row_once(keys: list[tuple[int, int]]) -> None:
    page = book_of(keys).page(0, 100, ListOrder.SHUFFLED, random.Random(1))
    assert sorted(keys_of(page)) == sorted(keys)


def test_shuffled_pages_differ_from_request_to_request() -> None:
    book, rng = book_of([(candidate, 1) for candidate in range(1, 60)]), random.Random(1)
    assert book.page(0, 60, ListOrder.SHUFFLED, rng) != book.page(0, 60, ListOrder.SHUFFLED, rng)


@given(KEYS, st.data())
def test_a_removed_row_is_on_no_page(keys: list[tuple[int, int]], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []
    book = book_of(keys)
    for key in gone:
        row = book.get(*key)
        assert row is not None
        book.remove(row)
    left = sorted(set(keys) - set(gone))
    assert len(book) == len(left)
    assert keys_of(book.page(0, 100, ListOrder.CANDIDATE, random.Random(1))) == left
    for candidate_id in range(1, 10):
        assert keys_of(book.rows_of(candidate_id)) == [key for key in left if key[0] == candidate_id]
