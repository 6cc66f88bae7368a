"""dlt: all rows into DuckDB with its ``scd2`` strategy, which keeps every version of every row.

Runs in an environment of its own, where dlt is installed and the project is not.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import dlt  # type: ignore[import-not-found]  # in an environment of its own
import requests

from examhook_simulator.wire import Fields
from tools.bench.json_process import serve
from tools.bench.detection.floor_process import Row, every_page
from tools.bench.usage import cpu_s, peak_bytes

LINK = "viewResult"
_TABLE = "results"


def main() -> None:
    """Load all rows as often as the input asks."""
    with tempfile.TemporaryDirectory(prefix="examhook-dlt-") as folder:
        os.chdir(folder)
        pipelines = {links: _pipeline(Path(folder), links=links) for links in (False, True)}
        session = requests.Session()

        def load(fields: Fields) -> Mapping[str, object]:
            return _load(pipelines[fields.flag("links")], session, links=fields.flag("links"))

        serve(load)


def _pipeline(folder: Path, *, links: bool) -> dlt.Pipeline:
    name = "as_it_comes" if links else "without_links"
    return dlt.pipeline(
        name,
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / f"{name}.duckdb")),
        dataset_name="exams",
    )


def _load(pipeline: dlt.Pipeline, session: requests.Session, *, links: bool) -> Mapping[str, object]:
    before = _versions(pipeline)
    requests_made = 0

    def rows() -> Iterator[Row]:
        nonlocal requests_made
        for exam_id, page in every_page(session):
            requests_made += 1
            for row in page if exam_id else []:
                yield {"eid": exam_id} | {name: cell for name, cell in row.items() if links or name != LINK}

    cpu_before_s, began_s = cpu_s(), time.monotonic()
    # What its users are told to write for a source without keys or timestamps.
    pipeline.run(
        dlt.resource(rows, name=_TABLE, write_disposition={"disposition": "merge", "strategy": "scd2"}),
        # By itself it would write INSERT statements, which take it 2.7 times as long and five times the memory.
        loader_file_format="jsonl",
    )
    used_s, wall_s = cpu_s() - cpu_before_s, time.monotonic() - began_s
    after = _versions(pipeline)
    return {
        "requests": requests_made,
        "cpu_s": used_s,
        "wall_s": wall_s,
        "peak_bytes": peak_bytes(),
        "versions": after[0] - before[0],
        "ended": after[1] - before[1],
    }


def _versions(pipeline: dlt.Pipeline) -> tuple[int, int]:
    """How many versions of rows there are, and how many of them are no longer valid."""
    if not pipeline.first_run and _TABLE in pipeline.default_schema.tables:
        with pipeline.sql_client() as client:
            found = client.execute_sql(f"SELECT count(*), count(_dlt_valid_to) FROM {_TABLE}")  # noqa: S608 - constant
            if found:
                return int(found[0][0]), int(found[0][1])
    return 0, 0


if __name__ == "__main__":
    main()
