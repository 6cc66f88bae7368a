"""Rows of exams and results with the provider's field names, and the quirks of single rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from examhook.model import Status
from examhook_simulator.attempt_rows import Row
from examhook_simulator.chance import chance
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.quirks import Active, Quirk

Cell = str | int | float | bool | None
AnswerRow = dict[str, Cell] | str | None
"""Element of an answer's array; only a dict is readable."""


BIG_ID_BASE = 1_745_678_901_234_000_000
"""``big_ids`` adds this to ids. The sum is too large for a float and below 2^63."""

_BIG_ID_DIGITS = 19

_NULL_DATE_S = -62_169_984_000
"""PHP's value of Joomla's null date."""

_NULL_DATE_TEXT = "0000-00-00 00:00:00"


def exam_row(exam: ExamBook, base_url: str, count: int, *, available: bool) -> dict[str, Cell]:
    """Return an exam as ``api.getExams`` shows it."""
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
    """Return an attempt as ``api.queryResults`` shows it."""
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
        shown |= _odd_fields(row, active[Quirk.ODD_FIELDS].value)
    if one_candidate and Quirk.BARE_CANDIDATE in active:
        del shown["sid"], shown["name"]
    if not one_candidate and Quirk.NO_STATUS_IN_LISTS in active:
        del shown["status"]
    if Quirk.ABSENT_FIELDS in active:
        for absent in active[Quirk.ABSENT_FIELDS].value.split(","):
            shown.pop(absent, None)
    return shown


def with_big_ids(row: dict[str, Cell], active: Active) -> dict[str, Cell]:
    """Apply ``big_ids`` to a row."""
    if Quirk.BIG_IDS in active:
        for name in ("eid", "sid"):
            if isinstance(small := row.get(name), int):
                row[name] = small + BIG_ID_BASE
    return row


def big_id(small: str) -> str:
    """Return the id that ``big_ids`` shows for an exam or a candidate."""
    return str(int(small) + BIG_ID_BASE)


def small_id(shown: str) -> str:
    """Return the world's id for an id in an answer, with or without ``big_ids``."""
    is_big = len(shown) == _BIG_ID_DIGITS and shown.isdecimal() and int(shown) >= BIG_ID_BASE
    return str(int(shown) - BIG_ID_BASE) if is_big else shown


def with_unreadable(rows: Sequence[AnswerRow], count: int, rng: random.Random) -> list[AnswerRow]:
    """Return the rows with up to ``count`` of them unreadable."""
    damaged = list(rows)
    for index in rng.sample(range(len(damaged)), min(count, len(damaged))):
        row = damaged[index]
        nonsense: list[AnswerRow] = [None, "row"]
        if isinstance(row, dict):
            nonsense += [row | {"startTime": "soon"}, row | {"startTime": None}, row | {"status": "?"}]
        damaged[index] = rng.choice(nonsense)
    return damaged


def as_strings(row: AnswerRow) -> AnswerRow:
    """Return a row with numbers as strings; PHP writes false as an empty string."""
    if not isinstance(row, dict):
        return row
    return {key: "" if cell is False else cell if cell is None else str(cell) for key, cell in row.items()}


def _odd_fields(row: Row, seed: str) -> dict[str, Cell]:
    """Return fields with unusual values, as Joomla components send them. The seed decides the values of each row."""
    fields: dict[str, Cell] = {
        "score": _one(_scores(row.score), "score", seed, row),
        "endTime": _one(_ends(row.ended_at), "end", seed, row),
    }
    if row.status is Status.FORCED:
        fields["startTime"] = _one((0, row.started_at), "start", seed, row)
    return fields


def _one(forms: tuple[Cell, ...], field: str, seed: str, row: Row) -> Cell:
    return forms[int(len(forms) * chance("odd", field, seed, row.record_id))]


def _scores(score: float) -> tuple[Cell, ...]:
    return f"{score:.1f}".replace(".", ","), False, "N/A", f"{score:g}/100", f"{score:g}%", score


def _ends(ended_at: int) -> tuple[Cell, ...]:
    if not ended_at:
        return False, _NULL_DATE_S, _NULL_DATE_TEXT, 0
    return False, _NULL_DATE_S, _NULL_DATE_TEXT, ended_at + 0.25, ended_at + 0.5, ended_at
