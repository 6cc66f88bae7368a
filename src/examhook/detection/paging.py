"""Reading a list by offset while it changes under the reader, and knowing whether all of it was seen.

Each page begins with the last row of the page before. Where that row does not stand first, rows
moved in between:

- it stands further down: rows were inserted ahead of it; they are looked for at the head in the end;
- it is gone: rows were removed ahead of it, so some were jumped over; the reading begins anew.

A short page is the end only when a longer one was seen before, since the server may silently give
fewer rows than asked for, and not while fewer rows came than are known to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from examhook.detection.page import Fetch, Lookup, Page

T = TypeVar("T")

MAX_RESTARTS = 2
WHOLE_LIST = 10_000
"""Rows asked for at once from a server that ignores ``start``."""


def _none_of(_rows: Sequence[object]) -> Container[Hashable]:
    return ()


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
        self.limit = limit
        self.longest_page = 0

    def read(self, fetch: Fetch[T], key: Callable[[T], Hashable], *, at_least: int = 0) -> Reading[T]:
        """All rows that ``fetch`` gives, told apart by ``key``; raises what ``fetch`` raises."""
        walk = Walk(self, fetch, key, at_least=at_least)
        rows = tuple(row for page in walk.pages() for row in page.rows)
        return Reading(rows, walk.unreadable, walk.problem)


class Walk(Generic[T]):
    """One reading of a list, page by page; what it says of itself holds for the pages given so far.

    Args:
        pager: knows how many rows are asked for at once.
        fetch: gives one page.
        key: tells rows apart.
        start: offset to begin at, where a reading that was cut short goes on.
        last: the row that must stand there.
        inserted: rows that were inserted ahead of what a reading that was cut short had read.
        met: how many of them it met.
        met_before: tells which of the given rows it met.
        at_least: rows that are known to be there.
    """

    def __init__(  # noqa: PLR0913 - where to begin is as much part of a reading as what to read
        self,
        pager: Pager,
        fetch: Fetch[T],
        key: Callable[[T], Hashable],
        *,
        start: int = 0,
        last: Hashable = None,
        inserted: int = 0,
        met: int = 0,
        met_before: Lookup[T] = _none_of,
        at_least: int = 0,
    ) -> None:
        self._pager = pager
        self._fetch = fetch
        self._key = key
        self._at_least = at_least
        self._seen: set[Hashable] = set()
        self._met = met
        self._met_before = met_before
        self._began_at = start
        self._goes_on = last is not None
        self._twins = 0
        """Rows that stood beside another of the same key on one page: two attempts that cannot be told apart."""
        self.start = start
        """Offset of the page to come."""
        self.last: Hashable = last
        """The row that should stand first on it; None where no row is known to."""
        self.inserted = inserted
        """Rows that were inserted ahead of what was read; they are looked for at the head in the end."""
        self.overlap = 0
        """So many rows of the page that was given last were read before, or do not stand where reading goes on."""
        self.again: set[Hashable] = set()
        """Rows that came once more, after the reading that this one goes on with."""
        self.late: set[Hashable] = set()
        """Rows that were met at the head in the end, and never before."""
        self.restarts = 0
        self.unreadable: dict[int, str] = {}
        self.disturbed = False
        """Whether rows moved while they were read."""
        self.problem: str | None = None

    def pages(self) -> Iterator[Page[T]]:
        """Each page in turn; raises what ``fetch`` raises, and can then be asked to go on."""
        for _ in range(1 + MAX_RESTARTS):
            self.problem = None
            jumped = yield from self._go()
            if not jumped:
                return
            self.disturbed = True
            self.restarts += 1
            self.start, self.last = 0, None
            self._began_at = self.inserted = self._met = 0
            self.again.clear()
            self.late.clear()
            self.problem = "rows moved between its pages"

    def _go(self) -> Generator[Page[T], None, bool]:
        """From where the reading stands to the end; whether rows were jumped over."""
        inserted_before = self.inserted
        before: set[Hashable] = set()
        while True:
            page = self._fetch(self.start, self._pager.limit)
            keys = [self._key(row) for row in page.rows]
            if keys and set(keys) == before:
                if len(keys) == 1:
                    return (yield from self._has_more_than_one(page))
                yield from self._without_start(page)
                return False
            ahead = self._ahead(keys)
            yield page
            self.unreadable.update({self.start + row.place: row.reason for row in page.unreadable})
            overlap = 0
            if self.last is not None:
                overlap = 1
                if self.last not in keys and not page.unreadable and not self._has_all(page, keys):
                    return True
                self.inserted += ahead
            self._seen.update(keys)
            self._twins += len(keys) - len(set(keys))
            if self._is_last(page.row_count, overlap):
                if self._lacks_rows(self.start + page.row_count - (self.inserted - inserted_before)):
                    return True
                break
            before = set(keys)
            self._step(page, keys)
        if self.inserted:
            self.disturbed = True
            if page.row_count > 1:
                self._step(page, keys)  # whoever goes on from here has read this page
            yield from self._head()
        return False

    def _ahead(self, keys: Sequence[Hashable]) -> int:
        """How many rows of a page stand ahead of the one that should be first; notes which were read before."""
        ahead = keys.index(self.last) if self.last in keys else 0
        self.overlap = ahead + 1 if self.last in keys else 0
        if self._goes_on:
            self.again.update(keys[:ahead])
            self._goes_on = False
        return ahead

    def _lacks_rows(self, end: int) -> bool:
        """Whether fewer rows were seen than stand before offset ``end``, as when each page has an order of its own."""
        return len(self._seen) + self._twins + len(self.unreadable) < end - self._began_at

    def _has_all(self, page: Page[T], keys: Sequence[Hashable]) -> bool:
        """Whether as many distinct rows were seen as there are up to here, in whatever order they came.

        An empty page proves nothing: the row before stood at this offset, so one must stand there.
        """
        return page.row_count == 1 and len(self._seen.union(keys)) > self.start

    def _is_last(self, row_count: int, overlap: int) -> bool:
        if row_count <= overlap:
            return True
        if row_count < self._pager.longest_page and self.start + row_count >= self._at_least:
            return True
        self._pager.longest_page = max(self._pager.longest_page, row_count)
        return False

    def _step(self, page: Page[T], keys: Sequence[Hashable]) -> None:
        # A page of one row cannot be overlapped: that would ask for the same page again.
        if page.row_count > 1:
            last_is_readable = all(row.place != page.row_count - 1 for row in page.unreadable)
            self.start += page.row_count - 1
            self.last = keys[-1] if keys and last_is_readable else None
        else:
            self.start += 1
            self.last = None

    def _head(self) -> Iterator[Page[T]]:
        """The head again, as far down as rows were inserted, until as many were met."""
        start = 0
        while self._met + len(self.late) < self.inserted:
            if start >= self.inserted:
                self.problem = "rows were inserted while it was read"
                return
            page = self._fetch(start, self._pager.limit)
            keys = [self._key(row) for row in page.rows]
            known = self._met_before(page.rows)
            unseen = [key for key in keys if key not in self._seen]
            self._seen.update(keys)
            self.again.update(key for key in unseen if key in known)
            self.late.update(key for key in unseen if key not in known)
            self.overlap = len(keys)
            yield page
            start += max(1, page.row_count - 1)

    def _has_more_than_one(self, repeated: Page[T]) -> Generator[Page[T], None, bool]:
        """Whether a row came at two offsets because rows moved, not because it is the only one whatever is asked."""
        page = self._fetch(0, self._pager.limit)
        yield page
        return page.row_count != 1 or [self._key(row) for row in page.rows] != [self._key(row) for row in repeated.rows]

    def _without_start(self, repeated: Page[T]) -> Iterator[Page[T]]:
        """What a server gives that answers every offset with the first page: all, or as much as it will."""
        if repeated.row_count < self._pager.limit:
            # Beyond the end such a server repeats itself once more; one that gives another order each time does not.
            page = self._fetch(repeated.row_count, self._pager.limit)
            self._ahead([self._key(row) for row in page.rows])
            yield page
            if {self._key(row) for row in page.rows} != {self._key(row) for row in repeated.rows}:
                self.disturbed = True
                self.problem = "its rows come in another order each time"
            return
        page = self._fetch(0, WHOLE_LIST)
        self._ahead([self._key(row) for row in page.rows])
        yield page
        self.unreadable.update({row.place: row.reason for row in page.unreadable})
        if page.row_count <= repeated.row_count or page.row_count >= WHOLE_LIST:
            self.problem = f"the provider ignores the offset and gives {page.row_count} rows at most"
