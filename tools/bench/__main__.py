"""``python -m tools.bench``: measure, and write the page."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tools.bench.json_process import PROJECT
from tools.bench.report import composed
from tools.bench.detection.figures import Scale
from tools.bench.parts import PARTS

PAGE = PROJECT / "docs" / "benchmarks.md"


def main() -> int:
    """Exit status 0 when every measure is as wanted."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Measure, and write the page.")
    parser.add_argument("--only", choices=tuple(PARTS), help="this part, and leave the sections of the others")
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--exams", type=int, default=Scale().exams, help="of the world of the detection part")
    parser.add_argument("--rows", type=int, default=Scale().rows, help="attempts of each exam")
    given = parser.parse_args()
    began_s = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:5.0f} s  {what}\n")
        sys.stderr.flush()

    missed: list[str] = []
    for name in [given.only] if given.only else PARTS:
        section = PARTS[name](Scale(exams=given.exams, rows=given.rows), say)
        before = given.output.read_text(encoding="utf-8") if given.output.exists() else ""
        given.output.write_text(composed(before, {name: section.text}, tuple(PARTS)), encoding="utf-8")
        say(f"written: {name} in {given.output}")
        missed += section.unmet
    for measure in missed:
        say(f"not as wanted: {measure}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
