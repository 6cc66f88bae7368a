"""The attempts that the provider's database shows, with the times that it shows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from examhook_simulator.attempt_rows import Row
from examhook_simulator.chance import chance
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import ListOrder
from examhook_simulator.quirks import Active, Quirk

Placed = tuple[ExamBook, Row]

DEFAULT_LAG_S = 120
"""Default lag of a lagging count."""

_LIE_LASTS_S = 300


def seen_at(now: int, active: Active) -> int:
    """Return the time whose state the answer shows."""
    return now - int(active[Quirk.STALE_REPLICA].value) if Quirk.STALE_REPLICA in active else now


def rows_at(exam: ExamBook, then: int, now: int) -> list[Row]:
    """Return the exam's attempts as they were at ``then``, oldest first."""
    return exam.rows() if then == now else exam.rows_as_of(then)


def shown_count(count_at: Callable[[int], int], then: int, key: int, active: Active) -> int:
    """Return the shown count.

    Args:
        count_at: returns the right count at a time.
        then: the time of the answer.
        key: identifies the count.
        active: quirks of the answer.
    """
    if Quirk.COUNT not in active:
        return count_at(then)
    kind, _, lag_s = active[Quirk.COUNT].value.partition("=")
    if kind == "stuck":
        return count_at(min(then, active[Quirk.COUNT].since))
    if kind == "lagging":
        return count_at(then - int(lag_s or DEFAULT_LAG_S))
    right = count_at(then)
    wrong = int((2 * right + 3) * chance("lie", key, then // _LIE_LASTS_S))
    return wrong if wrong != right else right + 1


def foreign_to(exam: ExamBook, exams: Sequence[ExamBook], then: int, now: int, active: Active) -> list[Placed]:
    """Return the attempts of another exam that appear in the results of this one."""
    others = [other for other in exams if other.exam_id > exam.exam_id] or [
        other for other in exams if other is not exam
    ]
    if Quirk.FOREIGN_ROWS not in active or not others:
        return []
    return [(others[0], row) for row in rows_at(others[0], then, now)[: int(active[Quirk.FOREIGN_ROWS].value)]]


def is_listed(row: Row, then: int, active: Active) -> bool:
    """Return whether a list shows the attempt at ``then``."""
    return Quirk.ROWS_LAG not in active or row.started_at + int(active[Quirk.ROWS_LAG].value) <= then


def with_shown_times(row: Row, active: Active) -> Row:
    """Return the attempt with the shown times."""
    correction, clock = active.get(Quirk.CORRECTED_START), active.get(Quirk.ROW_CLOCK)
    if correction is not None and row.started_at <= correction.since:
        row = row.shifted(int(correction.value))
    return row if clock is None else row.shifted(int(clock.value), int(clock.value))


def in_order(placed: list[Placed], order: ListOrder, rng: random.Random) -> list[Placed]:
    """Return the attempts in list order."""
    match order:
        case ListOrder.NEWEST:
            return sorted(placed, key=_by_start, reverse=True)
        case ListOrder.OLDEST:
            return sorted(placed, key=_by_start)
        case ListOrder.SHUFFLED:
            return rng.sample(placed, len(placed))
        case ListOrder.CANDIDATE:
            return sorted(placed, key=lambda each: (each[1].candidate_id, each[1].started_at, each[0].exam_id))


def sort_value(order: ListOrder) -> Callable[[Placed], int]:
    """Return the sort value of a list in this order."""
    if order is ListOrder.CANDIDATE:
        return lambda each: each[1].candidate_id
    return lambda each: each[1].started_at


def _by_start(each: Placed) -> tuple[int, int, int]:
    return each[1].started_at, each[1].candidate_id, each[0].exam_id
