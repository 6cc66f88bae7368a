"""The v1 API's own parts: the signature, the login of a candidate, and the fields that it adds to a row."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from examhook_simulator.attempt_rows import Row
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.rows import Cell

V1_PATH = "/api/v1/student/queryresults"
V1_RESULTS = "v1.queryresults"
"""Name of its one request in the log of requests."""

MOST_ROWS = 100
"""Rows of a page at most [provider's page]; a larger `limit` is cut silently."""


def is_signed(query: Mapping[str, str], authorization: str, code: str) -> bool:
    """Whether the header is MD5 over the request's time and the account's code, in hex [provider's page]."""
    wanted = hashlib.md5((query.get("time", "") + code).encode(), usedforsecurity=False).hexdigest()
    return query.get("time", "").isdecimal() and hmac.compare_digest(wanted.encode(), authorization.encode())


def login_of(row: Row) -> str:
    """Login of a candidate."""
    return f"login-{row.candidate_id}"


def v1_row(shown: Mapping[str, Cell], exam: ExamBook, row: Row) -> dict[str, Cell]:
    """The legacy API's row with the fields that v1 adds."""
    return {**shown, "passed": int(row.passed), "loginValue": login_of(row), "eid": exam.exam_id}
