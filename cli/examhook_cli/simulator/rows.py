"""Exams and test records in the provider's own words, with the quirks that touch single rows."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from examhook_cli.simulator.exam_book import ExamBook, Row
from examhook_cli.simulator.quirks import Quirk

Cell = str | int | float | None
WireRow = dict[str, Cell] | str | None
"""What an answer's array holds; anything but a dict is a row that no reader can understand."""


def exam_row(exam: ExamBook, base_url: str, now: int) -> dict[str, Cell]:
    """One exam as ``api.getExams`` shows it."""
    return {
        "eid": exam.exam_id,
        "title": exam.title,
        "img": f"{base_url}/images/{exam.exam_id}.jpg",
        "url": f"{base_url}/{exam.exam_id}",
        "createTime": exam.created_at,
        "available": int(exam.available),
        "times": exam.takings(now),
        "category": exam.category,
    }


def result_row(row: Row, result_url: str, active: Mapping[Quirk, str], *, one_candidate: bool) -> dict[str, Cell]:
    """One attempt as ``api.queryResults`` shows it."""
    score = int(row.score) if row.score == int(row.score) else row.score
    shown: dict[str, Cell] = {
        "viewResult": result_url,
        "score": score,
        "startTime": row.started_at,
        "endTime": row.ended_at,
        "status": int(row.status),
        "sid": row.candidate_id,
        "name": row.name,
    }
    if not active:
        return shown
    if Quirk.TID_AND_PASSED in active:
        shown |= {"tid": row.record_id, "passed": int(row.passed)}
    if one_candidate and Quirk.BARE_CANDIDATE in active:
        del shown["sid"], shown["name"]
    if not one_candidate and Quirk.NO_STATUS_IN_LISTS in active:
        del shown["status"]
    for absent in active.get(Quirk.ABSENT_FIELDS, "").split(","):
        shown.pop(absent, None)
    return shown


def with_unreadable(rows: Sequence[WireRow], count: int, rng: random.Random) -> list[WireRow]:
    """The rows with ``count`` of them, or all if there are fewer, made senseless."""
    damaged = list(rows)
    for index in rng.sample(range(len(damaged)), min(count, len(damaged))):
        row = damaged[index]
        nonsense: list[WireRow] = [None, "row"]
        if isinstance(row, dict):
            nonsense += [row | {"startTime": "soon"}, row | {"startTime": None}, row | {"status": "?"}]
        damaged[index] = rng.choice(nonsense)
    return damaged


def as_strings(row: WireRow) -> WireRow:
    """A row with its numbers as text."""
    if not isinstance(row, dict):
        return row
    return {key: cell if cell is None else str(cell) for key, cell in row.items()}
