"""The rows of one answer: the exam list, results of the legacy API, and results of the v1 API."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook_simulator.attempt_rows import Row
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import AttemptRef, RowOrder, WorldError
from examhook_simulator.pages import Window, halved, hidden_ids, php_int, ties_broken
from examhook_simulator.quirks import EXAMS, RESULTS, Active, Quirk, Switch
from examhook_simulator.result_links import ResultLinks
from examhook_simulator.rows import Cell, WireRow, exam_row, result_row, with_big_ids, with_unreadable
from examhook_simulator.shown_rows import (
    Placed,
    foreign_to,
    in_order,
    is_listed,
    rows_at,
    seen_at,
    shown_count,
    sort_value,
    with_shown_times,
)
from examhook_simulator.v1_api import MOST_ROWS, V1_RESULTS, login_of, v1_row
from examhook_simulator.world import World

_NEEDS_ALL_ROWS = frozenset(
    {
        Quirk.STALE_REPLICA,
        Quirk.ROWS_LAG,
        Quirk.CORRECTED_START,
        Quirk.ROW_CLOCK,
        Quirk.TIES_BY_REQUEST,
        Quirk.FOREIGN_ROWS,
    }
)
"""Quirks for which a page is no slice of an exam's stored rows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    n: int
    at: int
    query: Mapping[str, str] = field(repr=False)
    task: str
    base_url: str
    signature: str | None = field(repr=False)
    """Signature of a request to the v1 API; None for one to the legacy API."""

    @property
    def is_v1(self) -> bool:
        """Whether the request is for the v1 API."""
        return self.signature is not None

    @property
    def exam_id(self) -> str:
        """Id of the exam that is named; empty for none."""
        return self.query.get("eid", "")

    @property
    def names_candidate(self) -> bool:
        """Whether the request is for one candidate."""
        return bool(self.query.get("loginValues")) if self.is_v1 else php_int(self.query.get("sid")) > 0

    def wants(self, row: Row) -> bool:
        """Whether the attempt belongs to the requested candidate, or none is named."""
        if not self.names_candidate:
            return True
        if self.is_v1:
            return login_of(row) in self.query["loginValues"].split(",")
        return row.candidate_id == php_int(self.query["sid"])


class Listing:
    """Lists of one world. The world's lock is held around every call."""

    def __init__(self, world: World, links: ResultLinks, rng: random.Random) -> None:
        self._world = world
        self._links = links
        self._rng = rng
        self._at_switch_on: dict[tuple[Switch, int], list[int]] = {}

    def page(self, asked: Asked, active: Active) -> tuple[list[WireRow], int]:
        """The rows of one page, and how many the v1 API says there are; raises WorldError."""
        if asked.task not in {EXAMS, RESULTS, V1_RESULTS}:
            raise WorldError("The task does not exist")
        name = f"{asked.task}/{asked.exam_id}/{asked.names_candidate}"
        window = Window.of(asked.query, active, MOST_ROWS if asked.is_v1 else None, name)
        if asked.task == EXAMS:
            rows, total = self._exams(asked, window, active), 0
        else:
            rows, total = self._results(asked, window, active)
        if Quirk.EMPTY_LIST in active:
            return [], 0
        if Quirk.UNREADABLE_ROW in active:
            return with_unreadable(rows, int(active[Quirk.UNREADABLE_ROW].value), self._rng), total
        return rows, total

    def shown_exams(self, now: int, active: Active) -> list[ExamBook]:
        """The exams that some page of the exam list shows."""
        return self._without_hidden_exams(self._exams_at(seen_at(now, active)), active)

    def shown_attempts(self, exam_id: str, now: int, active: Active) -> list[AttemptRef]:
        """The attempts that some page of an exam's results shows, by their real start times."""
        exam = self._world.exam(exam_id)
        then = seen_at(now, active)
        placed = [(exam, row) for row in rows_at(exam, then, now) if is_listed(row, then, active)]
        return [
            AttemptRef(exam_id, str(row.candidate_id), row.started_at)
            for _, row in self._without_hidden_rows(placed, active)
        ]

    def _exams_at(self, then: int) -> list[ExamBook]:
        """The exams that there were at an instant, newest first."""
        return [exam for exam in self._world.exams()[::-1] if exam.available_as_of(then) is not None]

    def _without_hidden_exams(self, exams: Sequence[ExamBook], active: Active) -> list[ExamBook]:
        switch = active.get(Quirk.HIDDEN_ROWS)
        if switch is None:
            return list(exams)
        at_switch_on = self._ids_at_switch_on(switch, 0, lambda then: [exam.exam_id for exam in self._exams_at(then)])
        hidden = hidden_ids(switch, [exam.exam_id for exam in exams], at_switch_on)
        return [exam for exam in exams if exam.exam_id not in hidden]

    def _without_hidden_rows(self, placed: Sequence[Placed], active: Active) -> Sequence[Placed]:
        switch = active.get(Quirk.HIDDEN_ROWS)
        if switch is None:
            return placed
        of_exam: dict[int, tuple[ExamBook, list[int]]] = {}
        for exam, row in placed:
            of_exam.setdefault(exam.exam_id, (exam, []))[1].append(row.record_id)
        hidden: set[int] = set()
        for exam_id, (exam, shown) in of_exam.items():
            hidden |= hidden_ids(switch, shown, self._ids_at_switch_on(switch, exam_id, exam.records_as_of))
        return [each for each in placed if each[1].record_id not in hidden]

    def _ids_at_switch_on(self, switch: Switch, list_id: int, ids_as_of: Callable[[int], list[int]]) -> list[int]:
        """The ids that a list held at switch-on, the same for every request.

        They are kept: what is added later within the same second would change which of them are hidden.
        """
        key = (replace(switch, remaining=None), list_id)
        if key not in self._at_switch_on:
            self._at_switch_on[key] = ids_as_of(switch.since)
        return self._at_switch_on[key]

    def _exams(self, asked: Asked, window: Window, active: Active) -> list[WireRow]:
        then = seen_at(asked.at, active)
        exams = self._exams_at(then)
        if Quirk.TIES_BY_REQUEST in active:
            exams = ties_broken(exams, window, lambda exam: exam.created_at, lambda exam: exam.exam_id)
        page = window.cut(exams)
        if Quirk.HALF_PAGE in active:
            page = halved(page)
        clock_s = int(active[Quirk.ROW_CLOCK].value) if Quirk.ROW_CLOCK in active else 0
        rows: list[WireRow] = []
        for exam in self._without_hidden_exams(page, active):
            count = shown_count(exam.attempt_count, then, exam.exam_id, active)
            row = exam_row(exam, asked.base_url, count, available=bool(exam.available_as_of(then)))
            row["createTime"] = exam.created_at + clock_s
            rows.append(with_big_ids(row, active))
        return rows

    def _results(self, asked: Asked, window: Window, active: Active) -> tuple[list[WireRow], int]:
        exams = [self._world.exam(asked.exam_id)] if asked.exam_id or not asked.is_v1 else self._world.exams()
        order = RowOrder(active[Quirk.ROW_ORDER].value) if Quirk.ROW_ORDER in active else RowOrder.NEWEST
        page: Sequence[Placed]
        if asked.is_v1 or _NEEDS_ALL_ROWS & active.keys():
            page, total = self._part_of_all(asked, exams, order, window, active)
        else:
            page, total = self._stored_part(asked, exams[0], order, window), 0
        if Quirk.HALF_PAGE in active:
            page = halved(page)
        page = self._without_hidden_rows(page, active)
        suffix = self._links.suffix(asked.n, asked.at)
        return [self._shown(asked, each, suffix, active) for each in page], total

    def _stored_part(self, asked: Asked, exam: ExamBook, order: RowOrder, window: Window) -> list[Placed]:
        """A slice of an exam's rows, as they are stored."""
        if not asked.names_candidate:
            return [(exam, row) for row in exam.page(window.start, window.limit, order, self._rng)]
        own = exam.rows_of(php_int(asked.query["sid"]))
        return [(exam, row) for row in window.cut(own if order is RowOrder.OLDEST else own[::-1])]

    def _part_of_all(
        self, asked: Asked, exams: Sequence[ExamBook], order: RowOrder, window: Window, active: Active
    ) -> tuple[Sequence[Placed], int]:
        """A slice of the rows of ``exams`` that are shown, and how many rows there are said to be."""
        then = seen_at(asked.at, active)

        def rows_of(instant: int) -> list[Placed]:
            return [(exam, row) for exam in exams for row in rows_at(exam, instant, asked.at) if asked.wants(row)]

        stored = rows_of(then)
        if asked.exam_id:
            foreign = foreign_to(exams[0], self._world.exams(), then, asked.at, active)
            stored += [each for each in foreign if asked.wants(each[1])]
        placed = [(exam, with_shown_times(row, active)) for exam, row in stored if is_listed(row, then, active)]
        placed = in_order(placed, order, self._rng)
        if Quirk.TIES_BY_REQUEST in active:
            placed = ties_broken(placed, window, sort_value(order), lambda each: each[1].record_id)
        key = exams[0].exam_id if asked.exam_id else 0
        total = shown_count(
            lambda instant: len(stored) if instant == then else len(rows_of(instant)), then, key, active
        )
        return window.cut(placed), total

    def _shown(self, asked: Asked, placed: Placed, suffix: str, active: Active) -> dict[str, Cell]:
        exam, row = placed
        link = f"{asked.base_url}/viewresult/{row.record_id:x}-{suffix}"
        shown = result_row(row, link, active, one_candidate=asked.names_candidate)
        if asked.is_v1:
            shown = v1_row(shown, exam, row)
        elif Quirk.FOREIGN_ROWS in active:
            shown["eid"] = exam.exam_id
        return with_big_ids(shown, active)
