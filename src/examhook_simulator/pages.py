"""The part of a list on one page: limits, uneven lengths, ties and hidden rows.

::

    list in order ─▶ ties ─▶ start and limit (capped, uneven) ─▶ half of the page ─▶ hidden rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from examhook_simulator.chance import chance
from examhook_simulator.quirks import Active, Quirk, Switch

DEFAULT_LIMIT = 30
"""Rows of a page if the request has no ``limit`` [provider's page]."""

_CAPS = (Quirk.LIMIT_CAP, Quirk.EXAM_LIST_CAP, Quirk.RESULTS_CAP)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """Start and length of a page."""

    start: int
    limit: int

    @classmethod
    def of(cls, query: Mapping[str, str], active: Active, most_rows: int | None, list_name: str) -> Window:
        """Apply the quirks to ``start`` and ``limit`` of a request; ``list_name`` identifies the list."""
        start = 0 if Quirk.IGNORE_START in active else max(0, php_int(query.get("start")))
        limit = php_int(query.get("limit"))
        caps = [int(active[cap].value) for cap in _CAPS if cap in active]
        limit = min([limit if limit > 0 else DEFAULT_LIMIT, *caps, *([] if most_rows is None else [most_rows])])
        if Quirk.UNEVEN_PAGES in active:
            limit = 1 + int(limit * chance("length", active[Quirk.UNEVEN_PAGES].value, list_name, start, limit))
        return cls(start, limit)

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows within the window."""
        return rows[self.start : self.start + self.limit]


def ties_broken(
    rows: Iterable[T], window: Window, sort_value: Callable[[T], int], id_of: Callable[[T], int]
) -> list[T]:
    """Return sorted rows; the order of equal sort values depends on the window."""
    return [
        row
        for _, tied in groupby(rows, key=sort_value)
        for row in sorted(tied, key=lambda row: chance("tie", window.start, window.limit, id_of(row)))
    ]


def halved(rows: Sequence[T]) -> Sequence[T]:
    """Return the first half of a page, at least one row."""
    return rows[: (len(rows) + 1) // 2]


def hidden_ids(switch: Switch, shown: Iterable[int], at_switch_on: Iterable[int]) -> set[int]:
    """Return the ids that ``hidden_rows`` hides; an id is hidden in every answer or in none.

    Args:
        switch: its value is a share of all ids, or a number of the ids at switch-on.
        shown: ids that a share applies to.
        at_switch_on: ids of the list when the quirk was switched on.
    """
    amount, _, seed = switch.value.partition(":")
    if "." in amount:
        return {each for each in shown if chance("hide", seed, each) < float(amount)}
    return set(sorted(at_switch_on, key=lambda each: chance("hide", seed, each))[: int(amount)])


def php_int(raw: str | None) -> int:
    """Parse a parameter as PHP's ``(int)`` does; an absent or invalid value is 0."""
    try:
        return int(raw or "0")
    except ValueError:
        return 0
