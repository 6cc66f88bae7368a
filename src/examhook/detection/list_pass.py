"""Pages of a list, and what one pass over the list showed so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_MAX_STEPS_BACK = 3


class Unreadable(Protocol):
    """A row that could not be read."""

    @property
    def place(self) -> int:
        """Its place on the page, from 0."""

    @property
    def reason(self) -> str:
        """Why, without any of its values."""


class Page(Protocol[T_co]):
    """One answer."""

    @property
    def rows(self) -> Sequence[T_co]:
        """The readable rows, in the order given."""

    @property
    def row_count(self) -> int:
        """Rows in the answer, unreadable ones included."""

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The rows that could not be read."""


@dataclass(slots=True)
class ListPass:
    """What one pass over the list showed so far."""

    start: int
    """Offset of the next page."""
    begin: int
    seen: set[Hashable]
    overlaps: bool
    """Whether the next page must begin with a row that was read."""
    steps_back: int = 0
    probes: int = 0
    """Pages in a row that were asked for behind the last row that was read, the next one included."""
    rejoins: bool = False
    """Whether the next page only shows whether the page behind it joins what was read before."""
    cuts: bool = False
    """Whether a short page was followed by further rows, so that short pages mean nothing."""
    first_page: frozenset[Hashable] | None = None
    end: int = 0
    """Offset behind the last row that was read."""
    twins: int = 0
    """Rows that share their key with another on the same page: attempts that nothing tells apart."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Rows that could not be read, by reason."""
    places: dict[Hashable, int] = field(default_factory=dict)
    """In which order the rows were first seen."""
    is_ordered: bool = True
    """Whether every page repeated known rows in the order in which they were seen before."""
    is_whole: bool = False
    """Whether it reached an end of the list."""

    @property
    def rows(self) -> int:
        """Distinct rows up to its end, those before its beginning included."""
        return self.begin + len(self.seen) + self.twins + self.unreadable.total()

    def continues_with(self, keys: Sequence[Hashable]) -> bool:
        """Whether a page repeats known rows in their order, and shows new ones behind the last of them only."""
        places = [self.places[key] for key in keys if key in self.places]
        if any(after != before + 1 for before, after in pairwise(places)):
            return False
        # Behind all rows, those that were hidden ahead let the last rows appear once more, and no others.
        must_reach_end = self.probes > 0 or len(places) < len(keys)
        return not places or not must_reach_end or (places[-1] == len(self.places) - 1 and keys[0] in self.places)

    @property
    def lacking(self) -> int:
        """Distinct rows fewer than the offsets that the pass covered."""
        return self.end - self.rows

    def take(self, page: Page[T], keys: Sequence[Hashable]) -> bool:
        """Count the rows of a page, which have these keys; whether any of them is new to the pass."""
        distinct = list(dict.fromkeys(keys))
        self.is_ordered &= self.continues_with(distinct)
        unplaced = [key for key in distinct if key not in self.places]
        self.places.update(zip(unplaced, count(len(self.places)), strict=False))
        known = len(self.seen)
        # A row that has a place was seen.
        self.seen.update(unplaced)
        new_unreadable = [row.reason for row in page.unreadable if self.start + row.place >= self.end]
        self.unreadable.update(new_unreadable)
        self.twins += len(keys) - len(distinct)
        self.end = max(self.end, self.start + page.row_count)
        return len(self.seen) > known or bool(new_unreadable)

    def step_back(self, rows: int) -> bool:
        """Continue this many rows further up, where a page should join; whether that makes sense."""
        if self.start == 0 or self.steps_back == _MAX_STEPS_BACK:
            return False
        self.steps_back += 1
        self.start = max(0, self.start - rows)
        self.overlaps = self.start > 0
        return True

    def repeats_first_page(self, keys: Sequence[Hashable]) -> bool:
        """Whether a page shows the rows of the first page and no others."""
        first = self.first_page
        return first is not None and bool(keys) and keys[0] in first and first == frozenset(keys)

    def joins(self, page: Page[T], keys: Sequence[Hashable]) -> bool:
        """Whether a page begins with a row that was read, so that no row was skipped ahead of it."""
        if any(row.place == 0 for row in page.unreadable):
            return True
        return bool(keys) and keys[0] in self.seen
