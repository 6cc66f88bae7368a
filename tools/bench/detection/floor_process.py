"""Two peers that use ``requests`` alone: the floor, and a token bucket.

The floor reads every page and keeps nothing. No program that reads all results can use less.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import requests

from examhook_simulator.json_fields import Fields
from tools.bench.json_process import serve
from tools.bench.usage import Stopwatch

_PAGE_ROWS = 100
_TIMEOUT_S = 30

Row = dict[str, object]


def pages(session: requests.Session, task: str, **more: str) -> Iterator[list[Row]]:
    """Yield the pages of one list; a page that is not full is the last."""
    start = 0
    while True:
        rows: list[Row] = _get(session, task, start=str(start), limit=str(_PAGE_ROWS), **more).json()
        yield rows
        if len(rows) < _PAGE_ROWS:
            return
        start += _PAGE_ROWS


def every_page(session: requests.Session) -> Iterator[tuple[str, list[Row]]]:
    """Yield exam id and page for the results of all exams, after the exam list, which has the id ``""``."""
    exam_ids: list[str] = []
    for exams in pages(session, "api.getExams"):
        exam_ids += [str(exam["eid"]) for exam in exams]
        yield "", exams
    for exam_id in exam_ids:
        for rows in pages(session, "api.queryResults", eid=exam_id):
            yield exam_id, rows


def _get(session: requests.Session, task: str, **more: str) -> requests.Response:
    params = {"option": "com_exams", "task": task, "format": "raw", "code": os.environ["CODE"], **more}
    return session.get(f"{os.environ['URL']}/index.php", params=params, timeout=_TIMEOUT_S)


def _floor(session: requests.Session) -> Mapping[str, object]:
    stopwatch = Stopwatch()
    requests_made = rows_read = 0
    for exam_id, rows in every_page(session):
        requests_made += 1
        rows_read += len(rows) if exam_id else 0
    return {"requests": requests_made, "rows": rows_read, **stopwatch.figures()}


def _bucket(session: requests.Session, count: int, per_second: float) -> Mapping[str, object]:
    """Send ``count`` requests through a bucket of ``per_second`` tokens that is full at the start."""
    tokens, filled_s, refused = per_second, time.monotonic(), 0
    for _ in range(count):
        while True:
            now_s = time.monotonic()
            tokens, filled_s = min(per_second, tokens + (now_s - filled_s) * per_second), now_s
            if tokens >= 1:
                break
            time.sleep((1 - tokens) / per_second)
        tokens -= 1
        refused += _get(session, "api.getExams").status_code == HTTPStatus.TOO_MANY_REQUESTS
    return {"refused": refused}


def main() -> None:
    """Run the floor, or with the argument ``bucket`` the token bucket, once per input line."""
    session = requests.Session()

    def act(fields: Fields) -> Mapping[str, object]:
        if "bucket" in sys.argv:
            return _bucket(session, fields.whole("requests"), fields.number("per_second"))
        return _floor(session)

    serve(act)


if __name__ == "__main__":
    main()
