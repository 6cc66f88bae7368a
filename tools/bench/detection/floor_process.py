"""The floor: ``requests`` and ``json`` read every page and keep nothing.

Below this nobody gets who reads all results. It stands for every tool without knowledge of the API.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping

import requests

from examhook_simulator.wire import Fields
from tools.bench.json_process import serve
from tools.bench.usage import cpu_s, peak_bytes

PAGE = 100
_TIMEOUT_S = 30

Row = dict[str, object]


def pages(session: requests.Session, task: str, **more: str) -> Iterator[list[Row]]:
    """Page after page until one is not full."""
    start = 0
    while True:
        params = {"option": "com_exams", "task": task, "format": "raw", "code": os.environ["CODE"], **more}
        answer = session.get(
            os.environ["URL"] + "/index.php",
            params={**params, "start": str(start), "limit": str(PAGE)},
            timeout=_TIMEOUT_S,
        )
        rows: list[Row] = answer.json()
        yield rows
        if len(rows) < PAGE:
            return
        start += PAGE


def every_page(session: requests.Session) -> Iterator[tuple[str, list[Row]]]:
    """Every page of every exam's results, with the exam's id; the list of exams comes first, under no id."""
    exam_ids: list[str] = []
    for exams in pages(session, "api.getExams"):
        exam_ids += [str(exam["eid"]) for exam in exams]
        yield "", exams
    for exam_id in exam_ids:
        for rows in pages(session, "api.queryResults", eid=exam_id):
            yield exam_id, rows


def main() -> None:
    """Read all results as often as the input asks."""
    session = requests.Session()

    def read(_: Fields) -> Mapping[str, object]:
        cpu_before_s, began_s = cpu_s(), time.monotonic()
        requests_made = rows_read = 0
        for exam_id, rows in every_page(session):
            requests_made += 1
            rows_read += len(rows) if exam_id else 0
        return {
            "requests": requests_made,
            "rows": rows_read,
            "cpu_s": cpu_s() - cpu_before_s,
            "wall_s": time.monotonic() - began_s,
            "peak_bytes": peak_bytes(),
        }

    serve(read)


if __name__ == "__main__":
    main()
