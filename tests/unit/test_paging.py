"""Reading lists that move, by servers that cheat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examhook.detection.paging import Pager, Reading, Walk


@dataclass(frozen=True)
class BadRow:
    place: int
    reason: str = "no start time"


@dataclass(frozen=True)
class ListedPage:
    rows: tuple[int, ...]
    row_count: int
    unreadable: tuple[BadRow, ...] = ()


class ListServer:
    """Serves a list by offset; ``before_request[n]`` changes the list just before request n (from 0)."""

    def __init__(self, rows: list[int], cap: int = 1000) -> None:
        self.rows = rows
        self.cap = cap
        self.requests: list[tuple[int, int]] = []
        self.before_request: dict[int, Callable[[list[int]], None]] = {}

    def fetch(self, start: int, limit: int) -> ListedPage:
        change = self.before_request.get(len(self.requests))
        if change:
            change(self.rows)
        self.requests.append((start, limit))
        part = tuple(self.rows[start : start + min(limit, self.cap)])
        return ListedPage(part, len(part))


def read(server: ListServer, limit: int = 10) -> Reading[int]:
    return Pager(limit).read(server.fetch, lambda row: row)


@given(size=st.integers(0, 60), limit=st.integers(2, 20), cap=st.integers(2, 25))
def test_a_quiet_list_is_read_whole_whatever_the_server_gives_at_most(size: int, limit: int, cap: int) -> None:
    server = ListServer(list(range(size)), cap)
    reading = read(server, limit)
    assert set(reading.rows) == set(range(size))
    assert reading.complete


@pytest.mark.parametrize("size", [0, 1, 2, 9, 10, 11, 19])
def test_small_lists_are_read_whole(size: int) -> None:
    reading = read(ListServer(list(range(size))))
    assert set(reading.rows) == set(range(size))
    assert reading.complete


def test_a_thousand_rows_take_eleven_requests_of_a_hundred() -> None:
    server = ListServer(list(range(1000)))
    assert read(server, limit=100).complete
    assert len(server.requests) == 11


def test_a_short_page_ends_the_list_once_a_longer_one_was_seen() -> None:
    """The second exam of a poll costs one request when the first showed that the server gives more."""
    pager = Pager(10)
    pager.read(ListServer(list(range(30))).fetch, lambda row: row)
    small = ListServer([1, 2, 3])
    assert pager.read(small.fetch, lambda row: row).rows == (1, 2, 3)
    assert len(small.requests) == 1


def test_rows_inserted_at_the_head_are_found() -> None:
    server = ListServer(list(range(100, 135)))
    server.before_request[2] = lambda rows: rows.insert(0, 99)
    reading = read(server)
    assert set(reading.rows) == set(range(99, 135))
    assert reading.complete


def test_rows_inserted_in_the_middle_of_what_was_read_leave_the_reading_incomplete() -> None:
    server = ListServer(list(range(35)))
    server.before_request[2] = lambda rows: rows.insert(15, 99)
    reading = read(server)
    assert not reading.complete
    assert set(range(35)) <= set(reading.rows)


def test_a_removed_row_makes_the_reading_begin_anew() -> None:
    """Without the overlap, the row after the removed one would have been jumped over."""
    server = ListServer(list(range(35)))
    server.before_request[1] = lambda rows: rows.remove(3)
    reading = read(server)
    assert set(range(35)) - {3} <= set(reading.rows)
    assert reading.complete


def test_a_list_that_never_holds_still_is_not_complete() -> None:
    server = ListServer(list(range(100)))
    for request in range(1, 60):
        server.before_request[request] = lambda rows: rows.pop(0)
    assert not read(server).complete


def test_a_list_in_another_order_each_time_is_whole_when_as_many_rows_came_as_there_are() -> None:
    orders = [[1, 2, 3, 4], [3, 1, 4, 2]]

    def fetch(start: int, limit: int) -> ListedPage:
        rows = orders[1 if start else 0][start : start + limit]
        return ListedPage(tuple(rows), len(rows))

    assert Pager(10).read(fetch, lambda row: row).complete


def test_a_list_in_another_order_each_time_is_not_whole_when_rows_are_wanting() -> None:
    """The rows that two pages share happen to fit, but 4 was never shown."""
    pages = {0: (1, 2), 1: (2, 1), 2: (1, 3), 3: (3,)}

    def fetch(start: int, limit: int) -> ListedPage:
        rows = pages.get(start, ())[:limit]
        return ListedPage(rows, len(rows))

    assert not Pager(2).read(fetch, lambda row: row).complete


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_list_whose_pages_fit_by_chance_is_not_whole_while_fewer_rows_came_than_there_are(goes_on: bool) -> None:  # noqa: FBT001
    """Each page is of another order and begins with the row before, but 5 was never shown."""
    pages = {0: (1, 2, 3), 2: (3, 1, 4), 4: (4,)}

    def fetch(start: int, limit: int) -> ListedPage:
        rows = pages.get(start, ())[:limit]
        return ListedPage(rows, len(rows))

    # One that went on and did not find the row where it was begins anew, and is judged as any other.
    begin = {"start": 4, "last": 99} if goes_on else {}
    walk = Walk(Pager(3), fetch, lambda row: row, **begin)
    assert list(walk.pages())
    assert walk.problem


def test_a_page_that_repeats_itself_by_chance_is_not_taken_for_the_whole_list() -> None:
    """The server gives two rows at most, each time in another order."""
    pages = {0: (1, 2), 1: (2, 1), 2: (3, 1), 3: (2,)}

    def fetch(start: int, limit: int) -> ListedPage:
        rows = pages.get(start, ())[:limit]
        return ListedPage(rows, len(rows))

    assert not Pager(10).read(fetch, lambda row: row).complete


def test_a_server_that_ignores_the_offset_and_has_few_rows_is_read_whole() -> None:
    assert Pager(10).read(lambda _start, _limit: ListedPage((1, 2, 3), 3), lambda row: row).complete


def test_two_attempts_that_cannot_be_told_apart_do_not_keep_a_list_from_being_whole() -> None:
    assert read(ListServer([1, 2, 2, 3])).complete


def test_a_server_that_ignores_the_offset_is_asked_for_everything_at_once() -> None:
    rows = list(range(35))
    requests = []

    def fetch(start: int, limit: int) -> ListedPage:
        requests.append((start, limit))
        return ListedPage(tuple(rows[:limit]), len(rows[:limit]))

    reading = Pager(10).read(fetch, lambda row: row)
    assert set(reading.rows) == set(rows)
    assert reading.complete
    assert len(requests) == 3


def test_a_server_that_ignores_the_offset_and_gives_few_rows_is_reported() -> None:
    reading = Pager(10).read(lambda _start, _limit: ListedPage(tuple(range(10)), 10), lambda row: row)
    assert reading.problem == "the provider ignores the offset and gives 10 rows at most"


def test_an_unreadable_row_is_counted_once_though_two_pages_hold_it() -> None:
    """The last row of a page is the first of the next."""
    pages = {0: ListedPage((1, 2), 3, (BadRow(2),)), 2: ListedPage((4,), 2, (BadRow(0),)), 3: ListedPage((4,), 1)}
    reading = Pager(3).read(lambda start, _limit: pages[start], lambda row: row)
    assert set(reading.rows) == {1, 2, 4}
    assert reading.unreadable == {2: "no start time"}
    assert not reading.complete
