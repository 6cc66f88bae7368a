"""Pages of a list, and the state of one pass over the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)

_MAX_STEPS_BACK = 3


class Unreadable(Protocol):
    """An unreadable row."""

    @property
    def place(self) -> int:
        """Index on the page, from 0."""

    @property
    def reason(self) -> str:
        """Why it cannot be read, without any of its values."""


class Page(Protocol[T_co]):
    """One answer of the provider."""

    @property
    def rows(self) -> Sequence[T_co]:
        """The readable rows, in the given order."""

    @property
    def row_count(self) -> int:
        """Number of rows, including unreadable ones."""

    @property
    def unreadable(self) -> Sequence[Unreadable]:
        """The unreadable rows."""


@dataclass(slots=True)
class ListPass:
    """One pass over a list."""

    start: int = 0
    """Offset of the next page."""
    after: Hashable = None
    """Key of the row at ``start``, if the pass continues an earlier reading."""
    begin: int = field(init=False)
    """Offset of the first page."""
    seen: set[Hashable] = field(init=False)
    """Keys of the rows read."""
    overlaps: bool = False
    """Whether the next page must begin with a known row."""
    steps_back: int = 0
    probes: int = 0
    """Consecutive requests behind the last known row, including the next one."""
    rejoins: bool = False
    """Whether the next page repeats the last one, to check that it joins the page before."""
    short_pages_continue: bool = False
    """Whether rows followed a short page, so that a short page does not indicate the end."""
    first_page: frozenset[Hashable] | None = None
    """Keys on the first page."""
    end: int = 0
    """Offset after the last row read."""
    twins: int = 0
    """Rows with the same key as another row of their page: attempts that cannot be told apart."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Unreadable rows by reason."""
    positions: dict[Hashable, int] = field(default_factory=dict)
    """Position of each key in the order in which the rows were first seen."""
    is_ordered: bool = True
    """Whether every page repeated known rows in their earlier order."""
    reached_end: bool = False

    def __post_init__(self) -> None:
        self.begin = self.start
        self.seen = set() if self.after is None else {self.after}

    @property
    def continues(self) -> bool:
        """Whether the next page is the first page of a pass that continues an earlier reading."""
        return self.after is not None and self.first_page is None

    @property
    def rows(self) -> int:
        """Number of distinct rows up to the end, including the rows ahead of the first page."""
        return self.begin + len(self.seen) + self.twins + self.unreadable.total()

    @property
    def lacking(self) -> int:
        """Covered offsets minus distinct rows."""
        return self.end - self.rows

    def take(self, page: Page[object], keys: Sequence[Hashable]) -> bool:
        """Add the rows of a page, which have these keys; return whether any of them is new."""
        distinct = list(dict.fromkeys(keys))
        self.is_ordered &= self._keeps_order(distinct)
        new_keys = [key for key in distinct if key not in self.positions]
        self.positions.update(zip(new_keys, count(len(self.positions)), strict=False))
        known = len(self.seen)
        self.seen.update(new_keys)
        new_unreadable = [row.reason for row in page.unreadable if self.start + row.place >= self.end]
        self.unreadable.update(new_unreadable)
        self.twins += len(keys) - len(distinct)
        self.end = max(self.end, self.start + page.row_count)
        return len(self.seen) > known or bool(new_unreadable)

    def _keeps_order(self, keys: Sequence[Hashable]) -> bool:
        """Whether a page repeats known rows in their order, and shows new rows only after the last known row."""
        positions = [self.positions[key] for key in keys if key in self.positions]
        if any(after != before + 1 for before, after in pairwise(positions)):
            return False
        # When a hidden row becomes visible, only the last known rows move onto the page behind the end.
        must_end_with_last = self.probes > 0 or len(positions) < len(keys)
        if not positions or not must_end_with_last:
            return True
        return positions[-1] == len(self.positions) - 1 and keys[0] in self.positions

    def step_back(self, rows: int) -> bool:
        """Move the next page up by this number of rows; return False after too many steps or at the beginning."""
        if self.start == 0 or self.steps_back == _MAX_STEPS_BACK:
            return False
        self.steps_back += 1
        self.start = max(0, self.start - rows)
        self.overlaps = self.start > 0
        return True

    def repeats_first_page(self, keys: Sequence[Hashable]) -> bool:
        """Whether a page shows exactly the rows of the first page, and no page showed any other row.

        Inserted rows can push the first page's rows to a later offset, but then later pages showed other rows.
        """
        return bool(keys) and self.first_page == frozenset(keys) == self.seen

    def joins(self, page: Page[object], keys: Sequence[Hashable]) -> bool:
        """Whether no row was skipped ahead of a page."""
        if self.continues:
            return self.after in keys
        if not self.overlaps or any(row.place == 0 for row in page.unreadable):
            return True
        return bool(keys) and keys[0] in self.seen
