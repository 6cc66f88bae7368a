"""Reads a list page by page while it changes, and proves that the end was reached.

Pages overlap by one row, and an empty page proves the end::

    page at 0             r0 r1 … r98 r99
    page at 99                        r99 r100 … r140     begins with a known row: nothing was skipped
    page at 99 (moved)                    r101 …          begins with an unknown row: step back and read again
    page at 141                                           after a short page, request the rows behind it: empty, the end

The provider does not say where a list ends. Servers shorten pages, hide rows after they applied the limit, and sort
rows with equal start times differently for each request. A pass over the list is a proof only if

- every page begins with a row that the pass already read,
- the last page is empty,
- the pass shows as many distinct rows as the offsets that it covered, and as many as are known to exist.

If a pass is not a proof, another pass with a different limit follows, because a repeated request may return the same
wrong answer. The list is complete when a further whole pass shows no new row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

from examhook.detection.list_pass import ListPass, Page

T = TypeVar("T")

LIMIT = 100
"""Rows per request."""
_OTHER_LIMITS = (89, 97, 83, 61, 71, 93, 79, 67, 59, 87)
_MAX_PASSES = 5
WHOLE_LIST = 10_000
"""Rows per request to a server that ignores the offset."""
_MAX_PROBES = 3
"""Pages behind the last new row that show only known rows, after which the list has ended."""


def limits_at(now: int) -> tuple[int, ...]:
    """Return the limit of each pass of a reading at ``now``. Different readings use different limits."""
    turn = now % len(_OTHER_LIMITS)
    return (LIMIT, *(_OTHER_LIMITS[turn:] + _OTHER_LIMITS[:turn])[: _MAX_PASSES - 1])


Fetch = Callable[[int, int], Page[T]]
"""``fetch(start, limit)`` returns the page of at most ``limit`` rows from offset ``start``."""


@dataclass(slots=True)
class Reader(Generic[T]):
    """One reading of a list."""

    fetch: Fetch[T]
    """Its exceptions pass through ``pages``."""
    key: Callable[[T], Hashable]
    """Returns the key of a row."""
    _: KW_ONLY
    start: int = 0
    """Offset of the first page."""
    after: Hashable = None
    """Key of the row at ``start``, if this reading continues an earlier one."""
    at_least: int = 0
    """Number of rows known to exist. A pass that shows fewer is not a proof."""
    counted: int | None = None
    """Number of rows after which a short page ends the list. None: the end must be proven, because a server that
    shortens pages to that length hides further rows."""
    stop: Callable[[Sequence[T]], bool] | None = None
    """Ends the reading after a page if it returns True for its rows. The end is not proven then."""
    limits: Sequence[int] = field(default_factory=lambda: limits_at(0))
    """Rows per request, one limit for each pass."""

    seen: set[Hashable] = field(default_factory=set, init=False)
    """Keys of all rows read."""
    unreadable: Counter[str] = field(default_factory=Counter, init=False)
    """Unreadable rows by reason, in the pass that showed most of them."""
    next_start: int = field(init=False)
    """Offset at which a later reading can continue."""
    last: Hashable = field(init=False)
    """Key of the row at ``next_start``."""
    passes: int = field(default=0, init=False)
    stopped: bool = field(default=False, init=False)
    """Whether ``stop`` ended the reading."""
    problem: str | None = field(default=None, init=False)
    """Why rows may be missing, as a clause for an operator; None if the end is proven."""
    _is_extra_page: bool = field(default=False, init=False)
    """Whether the current page repeats the beginning of the list."""

    def __post_init__(self) -> None:
        self.next_start, self.last = self.start, self.after

    @property
    def is_in_first_pass(self) -> bool:
        """Whether the current rows follow the rows before, so that a later reading can continue here."""
        return self.passes <= 1 and not self._is_extra_page

    def pages(self) -> Iterator[Sequence[T]]:
        """Yield the rows of each page; raises what ``fetch`` raises."""
        current = ListPass(self.start, self.after)
        for limit in self.limits:
            self.passes += 1
            known, before = len(self.seen), current.positions
            current = current if self.passes == 1 else ListPass()
            yield from self._read(current, limit)
            current.is_ordered &= _in_same_order(before, current.positions)
            if self.stopped or self.problem is not None or self._is_proof(current):
                return
            if self.passes > 1 and self._is_stable(current, known):
                return
        self.problem = "its rows moved while they were read"

    def _is_proof(self, current: ListPass) -> bool:
        return current.reached_end and current.lacking <= 0 and current.rows >= self.at_least

    def _is_stable(self, current: ListPass, known: int) -> bool:
        """Whether a further pass shows that the list is complete, although it is not a proof by itself.

        If the order depends on the request, a pass without new rows may still lack some. Then all passes together must
        show as many rows as this pass covered offsets.
        """
        if not current.reached_end:
            return False
        is_one_page = current.first_page == frozenset(current.seen) and len(current.seen) < min(self.limits)
        if current.is_ordered or is_one_page:
            return len(self.seen) == known
        return len(self.seen) + current.twins + current.unreadable.total() >= current.end

    def _read(self, current: ListPass, limit: int) -> Generator[Sequence[T], None, None]:
        """Make one pass."""
        while True:
            page = self.fetch(current.start, limit)
            keys = [self.key(row) for row in page.rows]
            # Rows of a page that does not join exist as well, even if other rows were skipped.
            self.seen.update(keys)
            continues = current.continues
            if not current.joins(page, keys):
                yield page.rows
                if not current.step_back(limit // 2):
                    return
                continue
            is_new = current.take(page, keys)
            if current.unreadable.total() >= self.unreadable.total():
                self.unreadable = current.unreadable
            yield page.rows
            ending = self._ending(current, page, keys, limit, is_new=is_new)
            if ending is not None:
                yield from ending
                return
            self._step(current, page, keys, limit, is_new=is_new)
            if continues and keys[0] != current.after:
                # Rows were inserted at the beginning of the list since the earlier reading.
                yield from self._first_page_again(limit)

    def _ending(
        self, current: ListPass, page: Page[T], keys: Sequence[Hashable], limit: int, *, is_new: bool
    ) -> Iterator[Sequence[T]] | None:
        """Return the pages to read after the last page of a pass; None if the pass continues."""
        if self.stop is not None and self.stop(page.rows):
            self.stopped = True
            return iter(())
        if current.start > 0 and current.repeats_first_page(keys):
            return self._without_offset(current, page, limit)
        current.first_page = current.first_page or frozenset(keys)
        if not self._has_ended(current, page, limit, is_new=is_new):
            return None
        current.reached_end = True
        return self._inserted(current, limit)

    def _inserted(self, current: ListPass, limit: int) -> Iterator[Sequence[T]]:
        """Read the first page again if rows appeared twice: rows inserted there can be the reason."""
        if current.lacking > 0 and current.is_ordered:
            known = len(self.seen)
            yield from self._first_page_again(limit)
            current.end -= len(self.seen) - known

    def _has_ended(self, current: ListPass, page: Page[T], limit: int, *, is_new: bool) -> bool:
        if page.row_count == 0 or (current.probes == _MAX_PROBES and not is_new):
            return True
        return self.counted is not None and page.row_count < limit and current.rows >= self.counted > 0

    def _step(self, current: ListPass, page: Page[T], keys: Sequence[Hashable], limit: int, *, is_new: bool) -> None:
        """Choose the next page: it overlaps this page, or lies behind it if this page may be the last."""
        if self.passes == 1 and is_new:
            last_is_readable = bool(keys) and all(row.place != page.row_count - 1 for row in page.unreadable)
            self.next_start = current.start + page.row_count - 1
            self.last = keys[-1] if last_is_readable else None
        is_full = current.short_pages_continue or page.row_count >= limit
        if current.rejoins:
            current.start, current.overlaps, current.rejoins = current.end - 1, True, False
        elif current.probes and is_new:
            # Nothing shows yet that this page joins the page before. Read it again with an overlap.
            current.start, current.overlaps, current.rejoins = current.start - 1, True, True
            current.short_pages_continue, current.probes = True, 0
        elif is_new and is_full and page.row_count > 1:
            current.start, current.overlaps = current.start + page.row_count - 1, True
        else:
            current.start, current.overlaps, current.probes = current.end, False, current.probes + 1

    def _without_offset(self, current: ListPass, page: Page[T], limit: int) -> Iterator[Sequence[T]]:
        """Read the whole list with one request, because the server ignores the offset."""
        whole = self.fetch(0, WHOLE_LIST)
        keys = [self.key(row) for row in whole.rows]
        is_new = bool(set(keys) - current.seen)
        # Otherwise inserted rows pushed the first page to this offset.
        current.reached_end = current.seen <= set(keys)
        self.seen.update(keys)
        current.seen.update(keys)
        current.end = current.begin
        yield from self._extra_page(whole.rows)
        if whole.row_count >= WHOLE_LIST or (not is_new and page.row_count >= limit):
            self.problem = f"the provider ignores the offset and returns at most {whole.row_count} rows"

    def _first_page_again(self, limit: int) -> Iterator[Sequence[T]]:
        page = self.fetch(0, limit)
        self.seen.update(self.key(row) for row in page.rows)
        yield from self._extra_page(page.rows)

    def _extra_page(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield rows that do not follow the rows before."""
        self._is_extra_page = True
        yield rows
        self._is_extra_page = False


def _in_same_order(before: Mapping[Hashable, int], now: Mapping[Hashable, int]) -> bool:
    """Whether two passes showed the rows that they share in the same order."""
    places = [before[key] for key in now if key in before]
    return all(first < second for first, second in pairwise(places))
