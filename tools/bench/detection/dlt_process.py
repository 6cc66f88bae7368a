"""dlt loads all rows into DuckDB with the ``scd2`` strategy, which keeps every version of every row.

Runs in an environment with dlt and without the project.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import dlt  # type: ignore[import-not-found]  # installed in .venv-bench only
import requests

from examhook_simulator.json_fields import Fields
from tools.bench.detection.floor_process import Row, every_page
from tools.bench.json_process import serve
from tools.bench.usage import Stopwatch

_LINK = "viewResult"
_TABLE = "results"


def main() -> None:
    """Load all rows once per input line, with or without the result links."""
    with tempfile.TemporaryDirectory(prefix="examhook-dlt-") as folder:
        os.chdir(folder)
        pipelines = {links: _pipeline(Path(folder), links=links) for links in (False, True)}
        session = requests.Session()

        def act(fields: Fields) -> Mapping[str, object]:
            return _load(pipelines[fields.flag("links")], session, links=fields.flag("links"))

        serve(act)


def _pipeline(folder: Path, *, links: bool) -> dlt.Pipeline:
    name = "with_links" if links else "without_links"
    return dlt.pipeline(
        name,
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / f"{name}.duckdb")),
        dataset_name="exams",
    )


def _load(pipeline: dlt.Pipeline, session: requests.Session, *, links: bool) -> Mapping[str, object]:
    versions_before, ended_before = _versions(pipeline)
    requests_made = 0

    def rows() -> Iterator[Row]:
        nonlocal requests_made
        for exam_id, page in every_page(session):
            requests_made += 1
            for row in page if exam_id else []:
                yield {"eid": exam_id} | {name: cell for name, cell in row.items() if links or name != _LINK}

    stopwatch = Stopwatch()
    # dlt's documentation recommends scd2 for a source without keys and timestamps.
    pipeline.run(
        dlt.resource(rows, name=_TABLE, write_disposition={"disposition": "merge", "strategy": "scd2"}),
        # The default, INSERT statements, takes 2.7 times as long and five times the memory.
        loader_file_format="jsonl",
    )
    used = stopwatch.figures()
    versions, ended = _versions(pipeline)
    return {
        "requests": requests_made,
        **used,
        "versions": versions - versions_before,
        "ended": ended - ended_before,
    }


def _versions(pipeline: dlt.Pipeline) -> tuple[int, int]:
    """Return the number of row versions, and of those that are no longer valid."""
    if not pipeline.first_run and _TABLE in pipeline.default_schema.tables:
        with pipeline.sql_client() as client:
            found = client.execute_sql(f"SELECT count(*), count(_dlt_valid_to) FROM {_TABLE}")  # noqa: S608 - constant
            if found:
                return int(found[0][0]), int(found[0][1])
    return 0, 0


if __name__ == "__main__":
    main()
