"""``python -m tools.faults``: run the matrix and write docs/faults.md; exit status 0 when every row is as wanted.

It may be ended at any time (Ctrl-C, or ``--minutes``) and goes on from there when it is run again.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from tools.faults.matrix import run
from tools.faults.matrix_page import page
from tools.faults.results import Result, keep, read
from tools.faults.rows import ROWS
from tools.faults.stack import stage

RESULTS = Path(__file__).resolve().parents[2] / ".faults.jsonl"
"""Removed when all rows are in; a run that was interrupted goes on from it."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


def main() -> int:
    """Exit status 1 when something was lost or invented, or a fault was not met."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description="Run the fault matrix.")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORDS", help="rows that hold one of these words")
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where each row's figures are kept meanwhile")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no further row after so many")
    given = parser.parse_args()
    known = {(result.group, result.fault) for result in read(given.results)}
    chosen = [row for row in ROWS if any(words in f"{row.group}: {row.fault}" for words in given.only)]
    rows = [row for row in chosen if (row.group, row.fault) not in known]
    if not chosen:
        parser.error(f"no row has the words {' or '.join(given.only)}")
    began_s = time.monotonic()
    # However it is ended, the stack goes down with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.0f} s  {what}\n")
        sys.stderr.flush()

    if rows:
        try:
            with stage(seed=5) as found:
                for outcome in run(found, rows, say):
                    keep(given.results, Result.of(outcome))
                    if time.monotonic() - began_s > given.minutes * 60:
                        break
        except KeyboardInterrupt:
            say("ended; the rows that are through are kept, and the next run goes on from them")
            return 1
    order = {(row.group, row.fault): nth for nth, row in enumerate(ROWS)}
    kept = [result for result in read(given.results) if (result.group, result.fault) in order]
    results = sorted(kept, key=lambda result: order[result.group, result.fault])
    given.output.write_text(page(results, len(ROWS)), encoding="utf-8")
    say(f"written: {given.output}")
    if len(results) == len(ROWS):
        given.results.unlink()
    return 0 if all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
