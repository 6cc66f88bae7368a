"""``python -m tools.bench``: run the benchmarks and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.bench.delivery import arrival
from tools.bench.delivery import page as delivery_page
from tools.bench.delivery.run import Scale as DeliveryScale
from tools.bench.delivery.run import run as run_delivery
from tools.bench.detection import page as detection_page
from tools.bench.detection.figures import Scale
from tools.bench.detection.goals import goals as detection_goals
from tools.bench.detection.peers import DLT_PYTHON
from tools.bench.detection.run import run as run_detection
from tools.bench.report import Section, composed, missed
from tools.processes import PROJECT
from tools.progress import Say, progress

PAGE = PROJECT / "docs" / "benchmarks.md"


def _detection(scale: Scale, say: Say) -> Section:
    dlt_python = DLT_PYTHON if DLT_PYTHON.exists() else None
    if dlt_python is None:
        say("dlt is not installed, so it is not measured: make .venv-bench/.installed")
    figures = run_detection(scale, say, dlt_python)
    goals = detection_goals(figures)
    return Section(detection_page.page(figures, goals), missed(goals))


def _delivery(_scale: Scale, say: Say) -> Section:
    figures = run_delivery(DeliveryScale(), say)
    goals = delivery_page.goals(figures)
    return Section(delivery_page.page(figures, goals), missed(goals))


def _arrival(_scale: Scale, say: Say) -> Section:
    figures = arrival.measure(say)
    goals = arrival.goals(figures)
    return Section(arrival.page(figures, goals), missed(goals))


PARTS: Mapping[str, Callable[[Scale, Say], Section]] = {
    "detection": _detection,
    "delivery": _delivery,
    "arrival": _arrival,
}
"""By name, in the order of the page."""


def main() -> int:
    """Return 0 if every target was met."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Run the benchmarks.")
    parser.add_argument("--only", choices=tuple(PARTS), help="measure this part and keep the other sections")
    parser.add_argument("--output", type=Path, default=PAGE, help="file to write")
    parser.add_argument("--exams", type=int, default=Scale().exams, help="exams of the detection part")
    parser.add_argument("--rows", type=int, default=Scale().rows, help="attempts per exam")
    options = parser.parse_args()
    output: Path = options.output
    say = progress()
    missed_measures: list[str] = []
    for name in [options.only] if options.only else PARTS:
        section = PARTS[name](Scale(exams=options.exams, rows=options.rows), say)
        before = output.read_text(encoding="utf-8") if output.exists() else ""
        output.write_text(composed(before, {name: section.text}, tuple(PARTS)), encoding="utf-8")
        say(f"{name}: written to {output}")
        missed_measures += section.missed
    for measure in missed_measures:
        say(f"target missed: {measure}")
    return 1 if missed_measures else 0


if __name__ == "__main__":
    sys.exit(main())
