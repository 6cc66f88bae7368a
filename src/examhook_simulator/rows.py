"""Exams and test records with the provider's own field names, with the quirks that touch single rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from examhook_simulator.attempt_rows import Row
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.odd_fields import odd_fields
from examhook_simulator.quirks import Active, Quirk

Cell = str | int | float | bool | None
WireRow = dict[str, Cell] | str | None
"""An element of an answer's array; anything but a dict is an unreadable row."""


BIG_ID_BASE = 1_745_678_901_234_000_000
"""Added to ids under ``big_ids``: more than a float holds exactly, less than 2^63."""

_BIG_ID_DIGITS = 19


def exam_row(exam: ExamBook, base_url: str, count: int, *, available: bool) -> dict[str, Cell]:
    """One exam as ``api.getExams`` shows it."""
    return {
        "eid": exam.exam_id,
        "title": exam.title,
        "img": f"{base_url}/images/{exam.exam_id}.jpg",
        "url": f"{base_url}/{exam.exam_id}",
        "createTime": exam.created_at,
        "available": int(available),
        "times": count,
        "category": exam.category,
    }


def result_row(row: Row, result_url: str, active: Active, *, one_candidate: bool) -> dict[str, Cell]:
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
    if Quirk.ODD_FIELDS in active:
        shown |= odd_fields(row, active[Quirk.ODD_FIELDS].value)
    if one_candidate and Quirk.BARE_CANDIDATE in active:
        del shown["sid"], shown["name"]
    if not one_candidate and Quirk.NO_STATUS_IN_LISTS in active:
        del shown["status"]
    if Quirk.ABSENT_FIELDS in active:
        for absent in active[Quirk.ABSENT_FIELDS].value.split(","):
            shown.pop(absent, None)
    return shown


def with_big_ids(row: dict[str, Cell], active: Active) -> dict[str, Cell]:
    """The row with the ids that the answer shows."""
    if Quirk.BIG_IDS in active:
        for name in ("eid", "sid"):
            if isinstance(small := row.get(name), int):
                row[name] = small + BIG_ID_BASE
    return row


def big_id(small: str) -> str:
    """What ``big_ids`` shows for the id of an exam or a candidate."""
    return str(int(small) + BIG_ID_BASE)


def small_id(shown: str) -> str:
    """The world's own id for one that an answer showed, with or without ``big_ids``."""
    is_big = len(shown) == _BIG_ID_DIGITS and shown.isdecimal() and int(shown) >= BIG_ID_BASE
    return str(int(shown) - BIG_ID_BASE) if is_big else shown


def with_unreadable(rows: Sequence[WireRow], count: int, rng: random.Random) -> list[WireRow]:
    """The rows with ``count`` of them, or all if there are fewer, made unreadable."""
    damaged = list(rows)
    for index in rng.sample(range(len(damaged)), min(count, len(damaged))):
        row = damaged[index]
        nonsense: list[WireRow] = [None, "row"]
        if isinstance(row, dict):
            nonsense += [row | {"startTime": "soon"}, row | {"startTime": None}, row | {"status": "?"}]
        damaged[index] = rng.choice(nonsense)
    return damaged


def as_strings(row: WireRow) -> WireRow:
    """A row with its numbers as text; PHP writes false as an empty text."""
    if not isinstance(row, dict):
        return row
    return {key: "" if cell is False else cell if cell is None else str(cell) for key, cell in row.items()}
