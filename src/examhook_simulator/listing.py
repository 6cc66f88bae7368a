"""Rows of an answer: the exam list, and the results of the legacy API and the v1 API."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from examhook_simulator.attempt_rows import Row
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import AttemptRef, ListOrder, WorldError
from examhook_simulator.pages import Window, halved, hidden_ids, php_int, ties_broken
from examhook_simulator.quirks import EXAMS, RESULTS, Active, Quirk, Switch
from examhook_simulator.result_links import ResultLinks
from examhook_simulator.rows import AnswerRow, Cell, exam_row, result_row, with_big_ids, with_unreadable
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
"""Quirks whose page is not a slice of the stored rows of an exam."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to the API."""

    n: int
    at: int
    query: Mapping[str, str] = field(repr=False)
    task: str
    base_url: str
    signature: str | None = field(repr=False)
    """Signature of a v1 request; None for the legacy API."""

    @property
    def is_v1(self) -> bool:
        """Whether the request is for the v1 API."""
        return self.signature is not None

    @property
    def exam_id(self) -> str:
        """Id of the requested exam; empty for all."""
        return self.query.get("eid", "")

    @property
    def names_candidate(self) -> bool:
        """Whether the request names candidates."""
        return bool(self.query.get("loginValues")) if self.is_v1 else php_int(self.query.get("sid")) > 0

    def wants(self, row: Row) -> bool:
        """Return whether the attempt belongs to a requested candidate."""
        if not self.names_candidate:
            return True
        if self.is_v1:
            return login_of(row) in self.query["loginValues"].split(",")
        return row.candidate_id == php_int(self.query["sid"])


class Listing:
    """The lists of a world. The caller holds the world's lock."""

    def __init__(self, world: World, links: ResultLinks, rng: random.Random) -> None:
        self._world = world
        self._links = links
        self._rng = rng
        self._at_switch_on: dict[tuple[Switch, int], list[int]] = {}

    def page(self, request: ApiRequest, active: Active) -> tuple[list[AnswerRow], int]:
        """Return the rows of a page and the ``total`` of the v1 API; raises WorldError."""
        if request.task not in {EXAMS, RESULTS, V1_RESULTS}:
            raise WorldError("The task does not exist")
        name = f"{request.task}/{request.exam_id}/{request.names_candidate}"
        window = Window.of(request.query, active, MOST_ROWS if request.is_v1 else None, name)
        if request.task == EXAMS:
            rows, total = self._exams(request, window, active), 0
        else:
            rows, total = self._results(request, window, active)
        if Quirk.EMPTY_LIST in active:
            return [], 0
        if Quirk.UNREADABLE_ROW in active:
            return with_unreadable(rows, int(active[Quirk.UNREADABLE_ROW].value), self._rng), total
        return rows, total

    def shown_exams(self, now: int, active: Active) -> list[ExamBook]:
        """Return the exams that the exam list shows on some page."""
        return self._without_hidden_exams(self._exams_at(seen_at(now, active)), active)

    def shown_attempts(self, exam_id: str, now: int, active: Active) -> list[AttemptRef]:
        """Return the attempts that an exam's results show on some page, with true start times."""
        exam = self._world.exam(exam_id)
        then = seen_at(now, active)
        placed = [(exam, row) for row in rows_at(exam, then, now) if is_listed(row, then, active)]
        return [
            AttemptRef(exam_id, str(row.candidate_id), row.started_at)
            for _, row in self._without_hidden_rows(placed, active)
        ]

    def _exams_at(self, then: int) -> list[ExamBook]:
        """Return the exams that existed at ``then``, newest first."""
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
        """Return the ids that a list had at switch-on.

        They are cached, because a row that is added later within the same second would change which rows are hidden.
        """
        key = (replace(switch, remaining=None), list_id)
        if key not in self._at_switch_on:
            self._at_switch_on[key] = ids_as_of(switch.since)
        return self._at_switch_on[key]

    def _exams(self, request: ApiRequest, window: Window, active: Active) -> list[AnswerRow]:
        then = seen_at(request.at, active)
        exams = self._exams_at(then)
        if Quirk.TIES_BY_REQUEST in active:
            exams = ties_broken(exams, window, lambda exam: exam.created_at, lambda exam: exam.exam_id)
        page = window.cut(exams)
        if Quirk.HALF_PAGE in active:
            page = halved(page)
        clock_s = int(active[Quirk.ROW_CLOCK].value) if Quirk.ROW_CLOCK in active else 0
        rows: list[AnswerRow] = []
        for exam in self._without_hidden_exams(page, active):
            count = shown_count(exam.attempt_count, then, exam.exam_id, active)
            row = exam_row(exam, request.base_url, count, available=bool(exam.available_as_of(then)))
            row["createTime"] = exam.created_at + clock_s
            rows.append(with_big_ids(row, active))
        return rows

    def _results(self, request: ApiRequest, window: Window, active: Active) -> tuple[list[AnswerRow], int]:
        exams = [self._world.exam(request.exam_id)] if request.exam_id or not request.is_v1 else self._world.exams()
        order = ListOrder(active[Quirk.ROW_ORDER].value) if Quirk.ROW_ORDER in active else ListOrder.NEWEST
        page: Sequence[Placed]
        if request.is_v1 or _NEEDS_ALL_ROWS & active.keys():
            page, total = self._part_of_all(request, exams, order, window, active)
        else:
            page, total = self._stored_part(request, exams[0], order, window), 0
        if Quirk.HALF_PAGE in active:
            page = halved(page)
        page = self._without_hidden_rows(page, active)
        suffix = self._links.suffix(request.n, request.at)
        return [self._shown(request, each, suffix, active) for each in page], total

    def _stored_part(self, request: ApiRequest, exam: ExamBook, order: ListOrder, window: Window) -> list[Placed]:
        """Return a slice of the stored rows of an exam."""
        if not request.names_candidate:
            return [(exam, row) for row in exam.page(window.start, window.limit, order, self._rng)]
        own = exam.rows_of(php_int(request.query["sid"]))
        return [(exam, row) for row in window.cut(own if order is ListOrder.OLDEST else own[::-1])]

    def _part_of_all(
        self, request: ApiRequest, exams: Sequence[ExamBook], order: ListOrder, window: Window, active: Active
    ) -> tuple[Sequence[Placed], int]:
        """Return a slice of the shown rows of ``exams``, and the shown number of rows."""
        then = seen_at(request.at, active)

        def rows_of(instant: int) -> list[Placed]:
            return [(exam, row) for exam in exams for row in rows_at(exam, instant, request.at) if request.wants(row)]

        stored = rows_of(then)
        if request.exam_id:
            foreign = foreign_to(exams[0], self._world.exams(), then, request.at, active)
            stored += [each for each in foreign if request.wants(each[1])]
        placed = [(exam, with_shown_times(row, active)) for exam, row in stored if is_listed(row, then, active)]
        placed = in_order(placed, order, self._rng)
        if Quirk.TIES_BY_REQUEST in active:
            placed = ties_broken(placed, window, sort_value(order), lambda each: each[1].record_id)
        key = exams[0].exam_id if request.exam_id else 0
        total = shown_count(
            lambda instant: len(stored) if instant == then else len(rows_of(instant)), then, key, active
        )
        return window.cut(placed), total

    def _shown(self, request: ApiRequest, placed: Placed, suffix: str, active: Active) -> dict[str, Cell]:
        exam, row = placed
        link = f"{request.base_url}/viewresult/{row.record_id:x}-{suffix}"
        shown = result_row(row, link, active, one_candidate=request.names_candidate)
        if request.is_v1:
            shown = v1_row(shown, exam, row)
        elif Quirk.FOREIGN_ROWS in active:
            shown["eid"] = exam.exam_id
        return with_big_ids(shown, active)
