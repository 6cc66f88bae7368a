"""Reading lists that change, from servers that cut, hide, repeat and shuffle."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from examhook.detection.reader import LIMIT, Reader, limits_at


@dataclass(frozen=True)
class BadRow:
    place: int
    reason: str = "startTime is missing"


@dataclass(frozen=True)
class ListedPage:
    rows: tuple[int, ...]
    row_count: int
    unreadable: tuple[BadRow, ...] = ()


def page(*rows: int) -> ListedPage:
    return ListedPage(rows, len(rows))


class ListServer:
    """Serves a list by offset; ``before_request[n]`` changes the list just before request n (from 0)."""

    def __init__(self, rows: list[int], cap: int = 1000) -> None:
        self.rows = rows
        self.cap = cap
        self.requests: list[tuple[int, int]] = []
        self.before_request: dict[int, Callable[[list[int]], None]] = {}
        self.hidden: set[int] = set()
        """Rows that are left out after the limit was applied."""
        self.lengths: random.Random | None = None
        """Cuts each page to a length of its own."""

    def fetch(self, start: int, limit: int) -> ListedPage:
        change = self.before_request.get(len(self.requests))
        if change:
            change(self.rows)
        self.requests.append((start, limit))
        most = min(limit, self.cap)
        if self.lengths is not None:
            most = self.lengths.randint(1, most)
        return page(*(row for row in self.rows[start : start + most] if row not in self.hidden))


@dataclass(frozen=True)
class Reading:
    """What one reading gave."""

    rows: list[int]
    problem: str | None
    reader: Reader[int]


def read(
    fetch: Callable[[int, int], ListedPage],
    limit: int = 10,
    *,
    at_least: int = 0,
    counted: int | None = None,
    stop: Callable[[object], bool] | None = None,
) -> Reading:
    limits = (limit, limit - 1, limit + 1, max(2, limit - 2), limit + 2)
    reader: Reader[int] = Reader(fetch, lambda row: row, at_least=at_least, counted=counted, stop=stop, limits=limits)
    rows = [row for rows in reader.pages() for row in rows]
    return Reading(rows, reader.problem, reader)


@given(size=st.integers(0, 60), limit=st.integers(3, 20), cap=st.integers(1, 25))
def test_a_list_that_does_not_change_is_complete_whatever_the_server_cuts_pages_to(
    size: int, limit: int, cap: int
) -> None:
    reading = read(ListServer(list(range(size)), cap).fetch, limit)
    assert set(reading.rows) == set(range(size))
    assert reading.problem is None


@given(size=st.integers(0, 80), seed=st.integers(), limit=st.integers(5, 20), is_counted=st.booleans())
def test_pages_of_random_lengths_never_end_a_list_early(
    size: int,
    seed: int,
    limit: int,
    is_counted: bool,  # noqa: FBT001
) -> None:
    server = ListServer(list(range(size)))
    server.lengths = random.Random(seed)
    reading = read(server.fetch, limit, counted=size if is_counted else None)
    assert reading.problem is not None or set(reading.rows) == set(range(size))


@given(
    size=st.integers(1, 120),
    hidden=st.sets(st.integers(0, 119), max_size=12),
    limit=st.integers(13, 30),
    knows_count=st.booleans(),
)
def test_rows_hidden_after_the_limit_was_applied_never_end_a_list_early(
    size: int,
    hidden: set[int],
    limit: int,
    knows_count: bool,  # noqa: FBT001
) -> None:
    """A page that lacks hidden rows is shorter than the limit and than other pages."""
    server = ListServer(list(range(size)))
    server.hidden = hidden
    visible = set(range(size)) - hidden
    reading = read(server.fetch, limit, counted=len(visible) if knows_count else None)
    assert set(reading.rows) == visible
    assert reading.problem is None


@given(data=st.data(), size=st.integers(1, 40))
def test_a_list_that_is_called_complete_showed_every_row_that_stayed(data: st.DataObject, size: int) -> None:
    """Rows are inserted and removed anywhere while it is read."""
    server = ListServer(list(range(100, 100 + size)))
    kept = set(server.rows)
    changes = data.draw(st.dictionaries(st.integers(1, 12), st.tuples(st.booleans(), st.integers(0, 60)), max_size=3))
    new = iter(range(1000, 2000))

    def change(place: int, *, inserts: bool) -> Callable[[list[int]], None]:
        def apply(rows: list[int]) -> None:
            if inserts:
                rows.insert(place % (len(rows) + 1), next(new))
            elif rows:
                kept.discard(rows.pop(place % len(rows)))

        return apply

    server.before_request = {at: change(place, inserts=inserts) for at, (inserts, place) in changes.items()}
    reading = read(server.fetch, data.draw(st.integers(3, 12)))
    assume(reading.problem is None)
    assert kept <= set(reading.rows)


def test_an_empty_list_takes_a_second_pass_where_a_row_is_expected() -> None:
    server = ListServer([])
    reading = read(server.fetch, at_least=1)
    assert (reading.rows, reading.problem, len(server.requests)) == ([], None, 2)
    assert len({limit for _, limit in server.requests}) == 2, "a repeated request may give the same wrong answer"


@pytest.mark.parametrize(
    ("at_least", "counted", "requests"),
    [(0, None, 12), (1000, None, 12), (1000, 1000, 11), (999, 999, 11)],
    ids=["nothing known", "first reading", "known", "one more than known"],
)
def test_a_thousand_rows_take_eleven_requests_and_what_proves_the_end(
    at_least: int, counted: int | None, requests: int
) -> None:
    server = ListServer(list(range(1000)))
    reader: Reader[int] = Reader(server.fetch, lambda row: row, at_least=at_least, counted=counted)
    assert len({row for rows in reader.pages() for row in rows}) == 1000
    assert len(server.requests) == requests


def test_a_short_page_ends_a_list_once_its_known_count_was_read() -> None:
    server = ListServer([1, 2, 3])
    reading = read(server.fetch, counted=3)
    assert (reading.rows, reading.problem, len(server.requests)) == ([1, 2, 3], None, 1)


def test_a_short_page_ends_no_list_while_rows_are_lacking_that_are_known() -> None:
    server = ListServer(list(range(9)), cap=5)
    reading = read(server.fetch, counted=9)
    assert set(reading.rows) == set(range(9))
    assert reading.problem is None


def test_fewer_rows_than_are_known_to_exist_are_no_complete_list_at_the_first_pass() -> None:
    """The first answers are half of the list, as of a server that is not up to date."""
    server = ListServer(list(range(10)))
    server.before_request[2] = lambda rows: rows.extend(range(10, 20))
    reading = read(server.fetch, limit=30, at_least=20)
    assert set(reading.rows) == set(range(20))
    assert reading.problem is None


@pytest.mark.parametrize("cap", [2, 3, 5])
@pytest.mark.parametrize("inserted", [1, 2, 3, 4])
@pytest.mark.parametrize("at", range(6))
def test_rows_inserted_ahead_of_pages_that_a_server_shortens_hide_no_old_row(cap: int, inserted: int, at: int) -> None:
    """They push the rows of the first page to a later offset, as if the server ignored the offset."""
    server = ListServer(list(range(12)), cap=cap)
    server.before_request[at] = lambda rows: rows.__setitem__(slice(0, 0), range(100, 100 + inserted))
    reading = read(server.fetch)
    assert reading.problem is not None or set(reading.rows) >= set(range(12))


def test_rows_inserted_at_the_head_are_found() -> None:
    server = ListServer(list(range(100, 135)))
    server.before_request[2] = lambda rows: rows.insert(0, 99)
    reading = read(server.fetch)
    assert set(reading.rows) == set(range(99, 135))
    assert reading.problem is None


def test_a_removed_row_hides_no_other() -> None:
    """Without the overlap, the row after the removed one would be skipped."""
    server = ListServer(list(range(35)))
    server.before_request[1] = lambda rows: rows.remove(3)
    reading = read(server.fetch)
    assert set(range(35)) - {3} <= set(reading.rows)
    assert reading.problem is None


def test_a_list_that_never_stands_still_is_not_complete() -> None:
    server = ListServer(list(range(300)))
    for request in range(1, 200):
        server.before_request[request] = lambda rows: rows.append(rows.pop(0))
    assert read(server.fetch).problem == "its rows moved while they were read"


@given(seed=st.integers(0, 10**6), groups=st.lists(st.integers(1, 8), min_size=1, max_size=20))
@example(seed=1122, groups=[1, 7, 8, 5])
def test_rows_of_equal_start_whose_order_depends_on_offset_and_limit_are_all_seen(seed: int, groups: list[int]) -> None:
    """Each request shows rows of equal start in its own order, the same whenever it is repeated."""
    started = [start for start, size in enumerate(groups) for _ in range(size)]

    def fetch(start: int, limit: int) -> ListedPage:
        chance = random.Random(f"{seed} {start} {limit}")
        rows = sorted(range(len(started)), key=lambda row: (started[row], chance.random()))
        return page(*rows[start : start + limit])

    reading = read(fetch, limit=20, at_least=len(started))
    assert reading.problem is not None or set(reading.rows) == set(range(len(started)))


@given(seed=st.integers(0, 10**6), size=st.integers(2, 40))
def test_rows_whose_order_depends_on_offset_and_limit_are_all_seen_or_the_list_is_incomplete(
    seed: int, size: int
) -> None:
    """Each request shows its own order, the same whenever it is repeated."""

    def fetch(start: int, limit: int) -> ListedPage:
        rows = list(range(size))
        random.Random(f"{seed} {start} {limit}").shuffle(rows)
        return page(*rows[start : start + limit])

    reading = read(fetch, limit=7)
    assert reading.problem is not None or set(reading.rows) == set(range(size))


@pytest.mark.parametrize("continues", [False, True])
def test_a_list_whose_pages_fit_by_chance_is_not_complete_while_rows_are_lacking(continues: bool) -> None:  # noqa: FBT001
    """Each page has its own order and begins with the row before, but 5 is never shown."""
    pages = {0: (1, 2, 3), 2: (3, 1, 4), 4: (4,)}

    def fetch(start: int, limit: int) -> ListedPage:
        return page(*pages.get(start, ())[:limit])

    start, after = (4, 99) if continues else (0, None)
    reader: Reader[int] = Reader(fetch, lambda row: row, at_least=5, limits=(3, 3), start=start, after=after)
    assert list(reader.pages())
    assert reader.problem is not None or reader.passes == 2


def test_a_server_that_ignores_the_offset_and_has_few_rows_is_read_completely() -> None:
    reading = read(lambda _start, _limit: page(1, 2, 3))
    assert reading.problem is None
    assert set(reading.rows) == {1, 2, 3}


def test_a_server_that_ignores_the_offset_is_asked_for_everything_at_once() -> None:
    rows = list(range(35))
    requests: list[tuple[int, int]] = []

    def fetch(start: int, limit: int) -> ListedPage:
        requests.append((start, limit))
        return page(*rows[:limit])

    reading = read(fetch)
    assert set(reading.rows) == set(rows)
    assert reading.problem is None
    assert len(requests) == 3


def test_a_server_that_ignores_the_offset_and_returns_few_rows_is_reported() -> None:
    reading = read(lambda _start, _limit: page(*range(10)))
    assert reading.problem == "the provider ignores the offset and returns at most 10 rows"


def test_attempts_that_nothing_tells_apart_do_not_keep_a_list_incomplete() -> None:
    assert read(ListServer([1, 2, 2, 3]).fetch).problem is None


def test_an_unreadable_row_is_counted_once_although_two_pages_show_it() -> None:
    """The last row of a page is the first of the next."""
    pages = {0: ListedPage((1, 2), 3, (BadRow(2),)), 2: ListedPage((4,), 2, (BadRow(0),)), 3: page(4)}
    reading = read(lambda start, _limit: pages.get(start, page()), limit=3)
    assert set(reading.rows) == {1, 2, 4}
    assert reading.reader.unreadable == {"startTime is missing": 1}


def test_reading_until_known_stops_where_it_is_told_to() -> None:
    server = ListServer(list(range(100)))
    reading = read(server.fetch, stop=lambda _rows: len(server.requests) == 2)
    assert (reading.reader.stopped, len(server.requests), reading.problem) == (True, 2, None)


def test_a_reading_continues_where_another_stopped() -> None:
    server = ListServer(list(range(50)))
    first: Reader[int] = Reader(server.fetch, lambda row: row, limits=(10,) * 5)
    pages = first.pages()
    for _ in range(3):
        next(pages)
    # The step behind the page in hand is made when the next one is asked for.
    next(pages)
    second: Reader[int] = Reader(
        server.fetch, lambda row: row, start=first.next_start, after=first.last, limits=(10,) * 5
    )
    rows = [row for page_ in second.pages() for row in page_]
    assert set(range(first.next_start, 50)) <= set(rows)
    assert second.problem is None


@given(now=st.integers(0, 10**10))
def test_no_reading_repeats_all_requests_of_the_one_before(now: int) -> None:
    """A server repeats its answer to a repeated request, wrong or not."""
    limits = limits_at(now)
    assert len(set(limits)) == len(limits)
    assert limits[0] == LIMIT == max(limits)
    assert set(limits_at(now + 1)) != set(limits)
