"""Reading a list by offset while it changes under the reader, and knowing whether all of it was seen.

Each page begins with the last row of the page before. Where that row does not stand first, rows
moved in between:

- it stands further down: rows were inserted ahead of it; they are looked for at the head afterwards;
- it is gone: rows were removed ahead of it, so some were jumped over; the reading begins anew.

A short page is the end only when a longer one was seen before, since the server may silently give
fewer rows than asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MAX_RESTARTS = 2
WHOLE_LIST = 10_000
"""Rows asked for at once from a server that ignores ``start``."""


class Unreadable(Protocol):
    """A row that could not be understood."""

    @property
    def place(self) -> int:
        """Which row of its page, from 0."""

    @property
    def reason(self) -> str:
        """Why, without any of its values."""


class Page(Protocol[T_co]):
    """One answer: the rows that could be read, and how many rows it held in all."""

    @property
    def rows(self) -> Sequence[T_co]:
        """The rows that could be read, in the order given."""

    @property
    def row_count(self) -> int:
        """How many rows the answer held, unreadable ones included."""

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The rows that could not be read."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What reading a whole list gave."""

    rows: tuple[T, ...]
    """Every row of every page, in the order of reading; the same one may stand there twice."""
    unreadable: Mapping[int, str]
    """Rows that could not be understood: why, by their offset in the list."""
    problem: str | None
    """Why rows may be missing, as a clause for a person; None when the whole list was seen."""

    @property
    def complete(self) -> bool:
        """Whether every row was seen and understood."""
        return self.problem is None and not self.unreadable


class Pager:
    """Reads lists of one kind, remembering how many rows the server gives at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._longest_page = 0

    def read(self, fetch: Callable[[int, int], Page[T]], key: Callable[[T], Hashable]) -> Reading[T]:
        """All rows that ``fetch(start, limit)`` gives, told apart by ``key``; raises what ``fetch`` raises."""
        rows: list[T] = []
        unreadable: dict[int, str] = {}
        problem: str | None = None
        for _ in range(1 + MAX_RESTARTS):
            walk = _Walk(fetch, key, self._limit, self._longest_page)
            for page in walk.pages():
                rows.extend(page.rows)
            unreadable, problem = walk.unreadable, walk.problem
            self._longest_page = walk.longest_page
            if not walk.jumped:
                break
        return Reading(tuple(rows), unreadable, problem)


class _Walk(Generic[T]):
    """One go through a list from its first page."""

    def __init__(
        self, fetch: Callable[[int, int], Page[T]], key: Callable[[T], Hashable], limit: int, longest_page: int
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._limit = limit
        self._seen: set[Hashable] = set()
        self.longest_page = longest_page
        self.unreadable: dict[int, str] = {}
        self.jumped = False
        self.problem: str | None = None

    def pages(self) -> Iterator[Page[T]]:
        inserted = 0
        start = 0
        before: Page[T] | None = None
        while True:
            page = self._fetch(start, self._limit)
            keys = [self._key(row) for row in page.rows]
            if before is not None and len(keys) > 1 and set(keys) == {self._key(row) for row in before.rows}:
                yield from self._without_start(page)
                return
            yield page
            self._note_unreadable(page, start)
            overlaps = before is not None and before.row_count > 1
            if overlaps and before is not None and before.rows and not page.unreadable:
                last = self._key(before.rows[-1])
                if last not in keys:
                    self._jump()
                    return
                inserted += keys.index(last)
            self._seen.update(keys)
            if self._is_last(page.row_count, overlap=1 if overlaps else 0):
                break
            before = page
            start += max(1, page.row_count - 1)
        if inserted:
            yield from self._head(inserted)

    def _is_last(self, row_count: int, *, overlap: int) -> bool:
        if row_count <= overlap or row_count < self.longest_page:
            return True
        self.longest_page = row_count
        return False

    def _note_unreadable(self, page: Page[T], start: int) -> None:
        # By offset, since the row that two pages share comes twice.
        self.unreadable.update({start + row.place: row.reason for row in page.unreadable})

    def _jump(self) -> None:
        self.jumped = True
        self.problem = "rows moved between its pages"

    def _head(self, inserted: int) -> Iterator[Page[T]]:
        """The first page again, for the rows that were inserted during the walk."""
        page = self._fetch(0, self._limit)
        yield page
        found = {self._key(row) for row in page.rows} - self._seen
        if len(found) < inserted:
            self.problem = "rows were inserted while it was read"

    def _without_start(self, repeated: Page[T]) -> Iterator[Page[T]]:
        """What a server gives that answers every offset with the first page: all, or as much as it will."""
        if repeated.row_count < self._limit:
            return
        page = self._fetch(0, WHOLE_LIST)
        yield page
        self._note_unreadable(page, 0)
        if page.row_count <= repeated.row_count or page.row_count >= WHOLE_LIST:
            self.problem = f"the provider ignores the offset and gives {page.row_count} rows at most"
