"""Parts of the v1 API: signature, candidate login, and further fields of a row."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from examhook_simulator.attempt_rows import Row
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.rows import Cell

V1_PATH = "/api/v1/student/queryresults"
V1_RESULTS = "v1.queryresults"
"""Task of v1 requests in the log."""

MOST_ROWS = 100
"""Maximum rows of a page [provider's page]; a larger ``limit`` is silently lowered."""


def is_signed(query: Mapping[str, str], authorization: str, code: str) -> bool:
    """Return whether the header is MD5 of time and account code in hex [provider's page]."""
    wanted = hashlib.md5((query.get("time", "") + code).encode(), usedforsecurity=False).hexdigest()
    return query.get("time", "").isdecimal() and hmac.compare_digest(wanted.encode(), authorization.encode())


def login_of(row: Row) -> str:
    """Return the login of the attempt's candidate."""
    return f"login-{row.candidate_id}"


def v1_row(shown: Mapping[str, Cell], exam: ExamBook, row: Row) -> dict[str, Cell]:
    """Return the legacy row with the fields that v1 adds."""
    return {**shown, "passed": int(row.passed), "loginValue": login_of(row), "eid": exam.exam_id}
