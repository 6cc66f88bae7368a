"""What the v1 API has of its own: the signature, results of all exams at once, and text for every value."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence

from examhook_cli.simulator.exam_book import ExamBook, Row
from examhook_cli.simulator.facts import RowOrder
from examhook_cli.simulator.rows import Cell

V1_PATH = "/api/v1/student/queryresults"
V1_RESULTS = "v1.queryresults"
"""What the log of requests calls its one question."""

MOST_ROWS = 100
"""Rows of a page at most [provider's page]; more are cut silently."""

Placed = tuple[ExamBook, Row]


def is_signed(query: Mapping[str, str], authorization: str, code: str) -> bool:
    """Whether the header is MD5 over the request's time and the account's code, in hex [provider's page]."""
    wanted = hashlib.md5((query.get("time", "") + code).encode(), usedforsecurity=False).hexdigest()
    return query.get("time", "").isdecimal() and hmac.compare_digest(wanted.encode(), authorization.encode())


def login_of(row: Row) -> str:
    """What a candidate logs in by."""
    return f"login-{row.candidate_id}"


def chosen(exams: Sequence[ExamBook], logins: str, order: RowOrder, rng: random.Random) -> list[Placed]:
    """The rows of ``exams``, of the candidates with these logins (commas between them) if any, in order."""
    asked = set(logins.split(",")) - {""}
    placed = [(exam, row) for exam in exams for row in exam.rows() if not asked or login_of(row) in asked]
    match order:
        case RowOrder.NEWEST:
            placed.sort(key=lambda found: (-found[1].started_at, -found[1].candidate_id, -found[0].exam_id))
        case RowOrder.OLDEST:
            placed.sort(key=lambda found: (found[1].started_at, found[1].candidate_id, found[0].exam_id))
        case RowOrder.SHUFFLED:
            rng.shuffle(placed)
        case RowOrder.CANDIDATE:
            placed.sort(key=lambda found: (found[1].candidate_id, found[1].started_at, found[0].exam_id))
    return placed


def v1_row(shown: Mapping[str, Cell], exam: ExamBook, row: Row) -> dict[str, Cell]:
    """The legacy API's row with what v1 adds to it."""
    return {**shown, "passed": int(row.passed), "loginValue": login_of(row), "eid": exam.exam_id}
