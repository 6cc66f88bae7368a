"""``python -m faults``: run the matrix and write docs/faults.md; exit status 0 when every row is as wanted."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from faults.matrix import run
from faults.matrix_page import page
from faults.rows import ROWS
from faults.stage import stage

PAGE = Path(__file__).resolve().parents[1] / "docs" / "faults.md"


def main() -> int:
    """Exit status 1 when something was lost or invented, or a fault was not met."""
    parser = argparse.ArgumentParser(prog="python -m faults", description="Run the fault matrix.")
    parser.add_argument("--only", default="", help="rows whose words hold this")
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    given = parser.parse_args()
    rows = [row for row in ROWS if given.only in f"{row.group}: {row.fault}"]
    if not rows:
        parser.error(f"no row has the words {given.only!r}")
    began_s = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.0f} s  {what}\n")
        sys.stderr.flush()

    with stage(seed=5) as found:
        outcomes = list(run(found, rows, say))
    given.output.write_text(page(outcomes), encoding="utf-8")
    say(f"written: {given.output}")
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
