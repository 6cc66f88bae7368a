"""Which part of a list one page holds: limits, uneven lengths, ties and hidden rows.

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
"""Rows of a page where the request names no ``limit`` [provider's page]."""

_CAPS = (Quirk.LIMIT_CAP, Quirk.EXAM_LIST_CAP, Quirk.RESULTS_CAP)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that a request gets."""

    start: int
    limit: int

    @classmethod
    def of(cls, query: Mapping[str, str], active: Active, most_rows: int | None, list_name: str) -> Window:
        """What ``start`` and ``limit`` of a request come to; ``list_name`` tells the lists apart."""
        start = 0 if Quirk.IGNORE_START in active else max(0, php_int(query.get("start")))
        limit = php_int(query.get("limit"))
        caps = [int(active[cap].value) for cap in _CAPS if cap in active]
        limit = min([limit if limit > 0 else DEFAULT_LIMIT, *caps, *([] if most_rows is None else [most_rows])])
        if Quirk.UNEVEN_PAGES in active:
            limit = 1 + int(limit * chance("length", active[Quirk.UNEVEN_PAGES].value, list_name, start, limit))
        return cls(start, limit)

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """The rows within the window."""
        return rows[self.start : self.start + self.limit]


def ties_broken(
    rows: Iterable[T], window: Window, sort_value: Callable[[T], int], id_of: Callable[[T], int]
) -> list[T]:
    """Sorted rows, those of equal sort value in an order that depends on the window."""
    return [
        row
        for _, tied in groupby(rows, key=sort_value)
        for row in sorted(tied, key=lambda row: chance("tie", window.start, window.limit, id_of(row)))
    ]


def halved(rows: Sequence[T]) -> Sequence[T]:
    """The first half of a page; of a single row, that row."""
    return rows[: (len(rows) + 1) // 2]


def hidden_ids(switch: Switch, shown: Iterable[int], at_switch_on: Iterable[int]) -> set[int]:
    """The ids that ``hidden_rows`` hides; an id is always hidden or never.

    Args:
        switch: a share hides of all ids, a number hides of those at switch-on.
        shown: ids that may have to be hidden.
        at_switch_on: ids that the list held when the quirk was switched on.
    """
    amount, _, seed = switch.value.partition(":")
    if "." in amount:
        return {each for each in shown if chance("hide", seed, each) < float(amount)}
    return set(sorted(at_switch_on, key=lambda each: chance("hide", seed, each))[: int(amount)])


def php_int(raw: str | None) -> int:
    """What PHP's ``(int)`` makes of a parameter: nothing or nonsense is 0."""
    try:
        return int(raw or "0")
    except ValueError:
        return 0
