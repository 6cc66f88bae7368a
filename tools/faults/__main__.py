"""``python -m tools.faults``: run the fault matrix and write docs/faults.md.

A run can be interrupted (Ctrl-C, or ``--minutes``). The next run continues with the rows that are missing.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.faults.matrix import Result, Row, read_results, run
from tools.faults.matrix_page import page
from tools.faults.rows import ROWS
from tools.faults.stack import running_fault_stack
from tools.processes import PROJECT
from tools.progress import Say, progress

RESULTS = PROJECT / ".faults.jsonl"
"""Results of an incomplete run. A complete run deletes the file."""
PAGE = PROJECT / "docs" / "faults.md"


def main() -> int:
    """Return 0 if every row passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description="Run the fault matrix.")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORDS", help="rows that contain one of these words")
    parser.add_argument("--output", type=Path, default=PAGE, help="page to write")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file with the results of an incomplete run")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no further row after this time")
    options = parser.parse_args()
    results_file: Path = options.results
    known = {(result.group, result.fault) for result in read_results(results_file)}
    chosen = [row for row in ROWS if any(words in f"{row.group}: {row.fault}" for words in options.only)]
    rows = [row for row in chosen if (row.group, row.fault) not in known]
    if not chosen:
        parser.error(f"no row contains {' or '.join(options.only)}")
    say = progress()
    if rows and not _run(rows, results_file, options.minutes, say):
        return 1
    results = _in_order(read_results(results_file))
    options.output.write_text(page(results, len(ROWS)), encoding="utf-8")
    say(f"written to {options.output}")
    if len(results) == len(ROWS):
        results_file.unlink()
    return 0 if all(result.passed for result in results) else 1


def _run(rows: Sequence[Row], results_file: Path, minutes: float, say: Say) -> bool:
    """Run rows and store their results; return whether the run was not interrupted."""
    end_at_s = time.monotonic() + minutes * 60
    # SIGTERM must also stop the stack.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with running_fault_stack(seed=5) as stack:
            for result in run(stack, rows, say):
                result.append_to(results_file)
                if time.monotonic() > end_at_s:
                    break
    except KeyboardInterrupt:
        say("interrupted; the results are kept, and the next run continues")
        return False
    return True


def _in_order(results: list[Result]) -> list[Result]:
    """Sort by the rows of the matrix; drop results of rows that no longer exist."""
    order = {(row.group, row.fault): nth for nth, row in enumerate(ROWS)}
    known = [result for result in results if (result.group, result.fault) in order]
    return sorted(known, key=lambda result: order[result.group, result.fault])


if __name__ == "__main__":
    sys.exit(main())
