"""Reading a list page by page while it changes, and proving that its end was reached.

Pages overlap by one row, and an empty page proves the end::

    page at 0             r0 r1 … r98 r99
    page at 99                        r99 r100 … r140     begins with a row that was read: nothing was skipped
    page at 99 (moved)                    r101 …          begins with an unknown row: step back and read again
    page at 141                                           shorter than asked for, so look behind it: empty, the end

Nobody says where a list ends. Servers cut pages to other lengths than asked for, hide rows after they applied
the limit, and order rows of equal start differently for each request. So a pass over the list counts as proof only if

- every page begins with a row that this pass has read,
- it ends with an empty page,
- it shows as many distinct rows as the offsets that it covered, and as many as are known to exist.

A pass that fails one of these is followed by another with a different limit, because a repeated request may return
the same wrong answer. The list is complete once a further whole pass brings no new row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from examhook.detection.list_pass import ListPass, Page

T = TypeVar("T")

LIMIT = 100
"""Rows to ask for at once."""
_OTHER_LIMITS = (89, 97, 83, 61, 71, 93, 79, 67, 59, 87)
_MAX_PASSES = 5
WHOLE_LIST = 10_000
"""Rows to ask for at once from a server that ignores the offset."""
_MAX_PROBES = 3
"""The list has ended after this number of pages behind the last new row that show only known rows."""


def limits_at(now: int) -> tuple[int, ...]:
    """Rows to ask for in each pass of a reading at ``now``, so that no two readings repeat all requests."""
    turn = now % len(_OTHER_LIMITS)
    return (LIMIT, *(_OTHER_LIMITS[turn:] + _OTHER_LIMITS[:turn])[: _MAX_PASSES - 1])


Fetch = Callable[[int, int], Page[T]]
"""Returns the page of at most ``limit`` rows from offset ``start``."""


class Reader(Generic[T]):
    """One reading of a list.

    Args:
        fetch: Returns one page; what it raises passes through, and ``pages`` can then be called again.
        key: Tells rows apart.
        start: Offset to begin at.
        after: The row that must stand there, where an earlier reading continues.
        at_least: Rows that are known to exist: a pass that shows fewer is no proof.
        counted: Number of rows after which a short page ends the list. Leave it None where the end must be proven,
            because a server that cuts pages to that length hides further rows.
        stop: Ends the reading after a page; then nothing about the end is proven.
        limits: Rows to ask for in each pass.
    """

    def __init__(  # noqa: PLR0913 - where to begin and when to stop belong to a reading
        self,
        fetch: Fetch[T],
        key: Callable[[T], Hashable],
        *,
        start: int = 0,
        after: Hashable = None,
        at_least: int = 0,
        counted: int | None = None,
        stop: Callable[[Sequence[T]], bool] | None = None,
        limits: Sequence[int] | None = None,
    ) -> None:
        self._fetch = fetch
        self._limits = limits_at(0) if limits is None else limits
        self._key = key
        self._first = ListPass(start, start, set() if after is None else {after}, overlaps=after is not None)
        self._after = after
        self._at_least = at_least
        self._counted = counted
        self._stop = stop
        self.seen: set[Hashable] = set()
        """Keys of all rows that were read."""
        self.unreadable: Counter[str] = Counter()
        """Rows that could not be read, by reason, in the pass that showed most of them."""
        self.next_start = start
        """Offset at which a later reading can continue."""
        self.last: Hashable = after
        """The row that must stand there."""
        self.passes = 0
        self.stopped = False
        """Whether ``stop`` ended the reading."""
        self._is_beside = False
        """Whether the rows in hand are from the head of the list, out of turn."""
        self.problem: str | None = None
        """Why rows may be missing, as a clause for a person; None when the end is proven."""

    @property
    def is_in_first_pass(self) -> bool:
        """Whether the rows in hand follow those before, and the reading can continue later where it is now."""
        return self.passes <= 1 and not self._is_beside

    def pages(self) -> Iterator[Sequence[T]]:
        """Yield the rows of each page that joins what was read before; raises what ``fetch`` raises."""
        for limit in self._limits:
            self.passes += 1
            known = len(self.seen)
            here = self._first if self.passes == 1 else ListPass(0, 0, set(), overlaps=False)
            yield from self._read(here, limit)
            if self.stopped or self.problem is not None or self._is_proof(here):
                return
            if self.passes > 1 and self._is_stable(here, known):
                return
        self.problem = "its rows moved while they were read"

    def only_pass(self) -> Iterator[Sequence[T]]:
        """Yield pages as ``pages`` does, but make one pass and report a ``problem`` where it is no proof."""
        self.passes = 1
        yield from self._read(self._first, self._limits[0])
        if not self.stopped and not self._is_proof(self._first):
            self.problem = self.problem or "its rows moved while they were read"

    def _is_proof(self, here: ListPass) -> bool:
        return here.is_whole and here.lacking <= 0 and here.rows >= self._at_least

    def _is_stable(self, here: ListPass, known: int) -> bool:
        """Whether a further pass over the whole list leaves no doubt, although it is no proof by itself.

        Where the order depends on the request, a pass that brings no new row may still lack some. Then all passes
        together must show as many rows as this one has offsets.
        """
        if not here.is_whole:
            return False
        is_one_page = here.first_page == frozenset(here.seen) and len(here.seen) < min(self._limits)
        if here.is_ordered or is_one_page:
            return len(self.seen) == known
        return len(self.seen) + here.twins + here.unreadable.total() >= here.end

    def _read(self, here: ListPass, limit: int) -> Generator[Sequence[T], None, None]:
        """Make one pass."""
        while True:
            page = self._fetch(here.start, limit)
            keys = [self._key(row) for row in page.rows]
            # Rows of a page that does not join are there too, whatever was skipped ahead of them.
            self.seen.update(keys)
            continues = self._continues(here)
            if not self._is_joined(here, page, keys):
                yield page.rows
                if not here.step_back(limit // 2):
                    return
                continue
            is_new = here.take(page, keys)
            if here.unreadable.total() >= self.unreadable.total():
                self.unreadable = here.unreadable
            yield page.rows
            ending = self._ending(here, page, keys, limit, is_new=is_new)
            if ending is not None:
                yield from ending
                return
            self._step(here, page, keys, limit, is_new=is_new)
            if continues and keys[0] != self._after:
                # As many rows were inserted at the head since the earlier reading.
                yield from self._head(limit)

    def _continues(self, here: ListPass) -> bool:
        """Whether the next page is the first one of a reading that continues an earlier one."""
        return self.passes == 1 and here.first_page is None and self._after is not None

    def _is_joined(self, here: ListPass, page: Page[T], keys: Sequence[Hashable]) -> bool:
        """Whether no row was skipped ahead of a page."""
        if self._continues(here):
            return self._after in keys
        return not here.overlaps or here.joins(page, keys)

    def _ending(
        self, here: ListPass, page: Page[T], keys: Sequence[Hashable], limit: int, *, is_new: bool
    ) -> Iterator[Sequence[T]] | None:
        """What is left to read after the last page of a pass; None where the pass goes on."""
        if self._stop is not None and self._stop(page.rows):
            self.stopped = True
            return iter(())
        if here.start > 0 and here.repeats_first_page(keys):
            here.is_whole = True
            return self._without_offset(here, page, limit)
        here.first_page = here.first_page or frozenset(keys)
        if not self._has_ended(here, page, limit, is_new=is_new):
            return None
        here.is_whole = True
        return self._inserted(here, limit)

    def _inserted(self, here: ListPass, limit: int) -> Iterator[Sequence[T]]:
        """Read the head again where rows came twice: rows that were inserted there explain it."""
        if here.lacking > 0 and here.is_ordered:
            known = len(self.seen)
            yield from self._head(limit)
            here.end -= len(self.seen) - known

    def _has_ended(self, here: ListPass, page: Page[T], limit: int, *, is_new: bool) -> bool:
        """Whether a page ends the list: an empty one, or a short one with as many rows as are counted."""
        if page.row_count == 0 or (here.probes == _MAX_PROBES and not is_new):
            return True
        return self._counted is not None and page.row_count < limit and here.rows >= self._counted > 0

    def _step(self, here: ListPass, page: Page[T], keys: Sequence[Hashable], limit: int, *, is_new: bool) -> None:
        """Choose the next page: it overlaps this one, or lies behind it where this one may be the last."""
        if self.passes == 1 and is_new:
            last_is_readable = bool(keys) and all(row.place != page.row_count - 1 for row in page.unreadable)
            self.next_start = here.start + page.row_count - 1
            self.last = keys[-1] if last_is_readable else None
        if here.rejoins:
            here.start, here.overlaps, here.rejoins = here.end - 1, True, False
        elif here.probes and is_new:
            # Nothing shows that this page joins the one before, so read it once more, with an overlap.
            here.start, here.overlaps, here.rejoins = here.start - 1, True, True
            here.cuts, here.probes = True, 0
        elif is_new and (here.cuts or page.row_count >= limit) and page.row_count > 1:
            here.start, here.overlaps = here.start + page.row_count - 1, True
        else:
            here.start, here.overlaps, here.probes = here.end, False, here.probes + 1

    def _without_offset(self, here: ListPass, page: Page[T], limit: int) -> Iterator[Sequence[T]]:
        whole = self._fetch(0, WHOLE_LIST)
        keys = [self._key(row) for row in whole.rows]
        is_new = bool(set(keys) - here.seen)
        self.seen.update(keys)
        here.seen.update(keys)
        here.end = here.begin
        yield whole.rows
        if whole.row_count >= WHOLE_LIST or (not is_new and page.row_count >= limit):
            self.problem = f"the provider ignores the offset and returns at most {whole.row_count} rows"

    def _head(self, limit: int) -> Iterator[Sequence[T]]:
        """Read the first page out of turn."""
        head = self._fetch(0, limit)
        self.seen.update(self._key(row) for row in head.rows)
        self._is_beside = True
        yield head.rows
        self._is_beside = False
