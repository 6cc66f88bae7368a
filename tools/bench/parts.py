"""The parts of the benchmarks: what each measures, and the section that it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.bench.delivery.arrival import measure as measure_arrival
from tools.bench.arrival_page import lines as arrival_lines
from tools.bench.arrival_page import page as arrival_page
from tools.bench.delivery import page as delivery_page
from tools.bench.delivery.run import Scale as DeliveryScale
from tools.bench.delivery.run import run as run_delivery
from tools.bench.detection.figures import Scale
from tools.bench.detection.page import page
from tools.bench.detection.peers import DLT_PYTHON
from tools.bench.detection.run import Say, run
from tools.bench.detection.goals import lines, unmet


@dataclass(frozen=True, slots=True)
class Section:
    """What one part has to say."""

    text: str
    unmet: Sequence[str]
    """The measures that miss what was wanted."""


def detection(scale: Scale, say: Say) -> Section:
    """What polls cost and find."""
    dlt_python = DLT_PYTHON if DLT_PYTHON.exists() else None
    if dlt_python is None:
        say("dlt is not installed and left out: make .venv-bench/.installed")
    measured = run(scale, say, dlt_python)
    table = lines(measured)
    return Section(page(measured, table), unmet(table))


def delivery(_scale: Scale, say: Say) -> Section:
    """How soon, how fast, how fair and how sure webhooks are, and what they cost."""
    measured = run_delivery(DeliveryScale(), say)
    table = delivery_page.lines(measured)
    return Section(delivery_page.page(measured, table), delivery_page.unmet(table))


def arrival(_scale: Scale, say: Say) -> Section:
    """How soon a webhook follows a submission."""
    measured = measure_arrival(say)
    table = arrival_lines(measured)
    return Section(arrival_page(measured, table), delivery_page.unmet(table))


PARTS: Mapping[str, Callable[[Scale, Say], Section]] = {
    "detection": detection,
    "delivery": delivery,
    "arrival": arrival,
}
"""By name, in the order in which they are played and stand on the page."""
