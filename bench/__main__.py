"""``python -m bench``: measure, and write the page."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench.child import PROJECT
from bench.figures import Scale
from bench.page import page
from bench.peers import DLT_PYTHON
from bench.run import run
from bench.table import lines, unmet

PAGE = PROJECT / "docs" / "benchmarks.md"


def main() -> int:
    """Exit status 0 when every measure is as wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and write the page.")
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--exams", type=int, default=Scale().exams)
    parser.add_argument("--rows", type=int, default=Scale().rows, help="attempts of each exam")
    given = parser.parse_args()
    began_s = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:5.0f} s  {what}\n")
        sys.stderr.flush()

    dlt_python = DLT_PYTHON if DLT_PYTHON.exists() else None
    if dlt_python is None:
        say("dlt is not installed and left out: make .venv-bench/.installed")
    measured = run(Scale(exams=given.exams, rows=given.rows), say, dlt_python)
    table = lines(measured)
    given.output.write_text(page(measured, table), encoding="utf-8")
    say(f"written: {given.output}")
    for measure in unmet(table):
        say(f"not as wanted: {measure}")
    return 1 if unmet(table) else 0


if __name__ == "__main__":
    sys.exit(main())
