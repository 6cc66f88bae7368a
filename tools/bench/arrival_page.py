"""The section about the time from a submission to its webhook in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from examhook.detection.intervals import SCHEDULE_LATE_S, longest_gap_s
from tools.bench.arrival import INTERVALS_S, Arrival, Interval
from tools.bench.delivery.page import Line
from tools.markdown import markdown_table

_P50_S, _P95_S = 10, 20
_DEFAULT_S = INTERVALS_S[0]
_BOUNDS_HEAD = ("interval", "longest time between two polls on AWS", "longest measured time beyond the interval")


def lines(run: Arrival) -> list[Line]:
    """The table of what was wanted."""
    return [line for interval in run.intervals for line in _lines_of(interval)]


def _lines_of(interval: Interval) -> list[Line]:
    every = f"a poll every {interval.poll_seconds} s"
    times = f"{interval.p50_s:.1f} s / {interval.p95_s:.1f} s / {interval.longest_s:.1f} s"
    gap_s = longest_gap_s(interval.poll_seconds)
    is_default = interval.poll_seconds == _DEFAULT_S
    return [
        Line(
            f"from the submission to the receiver's first byte, {every}: p50 / p95 / longest",
            f"≤ {_P50_S} s / ≤ {_P95_S} s / ≤ {gap_s} s" if is_default else f"longest ≤ {gap_s} s",
            times,
            interval.longest_s <= gap_s and (not is_default or (interval.p50_s <= _P50_S and interval.p95_s <= _P95_S)),
        ),
        Line(
            f"submissions whose webhook came, {every}",
            f"{interval.submissions}",
            f"{interval.arrived}",
            interval.arrived == interval.submissions,
        ),
    ]


def page(run: Arrival, table: Sequence[Line]) -> str:
    """The section."""
    rows = [(line.measure, line.wanted, line.measured, "yes" if line.met else "**no**") for line in table]
    bounds = [
        (f"{each.poll_seconds} s", f"{longest_gap_s(each.poll_seconds)} s", f"{_after_poll_s(each):.1f} s")
        for each in run.intervals
    ]
    scale = run.scale
    return f"""## From submission to webhook

Written by `make bench`, in {run.whole_run_s / 60:.0f} minutes, on {platform.system()} {platform.machine()} with
Python {platform.python_version()} ({os.cpu_count()} cores, load average {os.getloadavg()[2]:.1f} in the last
15 minutes).

{markdown_table(("measure", "wanted", "Examhook", "met"), rows)}

For each interval the whole local stack is deployed by `examhook local up --poll-seconds N` and watches a simulated
provider with {scale.exams} exams. {scale.submissions} candidates are sitting them. They submit at random moments within
{scale.seconds} seconds. The time runs from before the submission to the first byte of its webhook at a receiver on the
same machine.

The emulator's scheduler is on time. EventBridge Scheduler may be {SCHEDULE_LATE_S} s late, so two polls may be further
apart on AWS:

{markdown_table(_BOUNDS_HEAD, bounds)}

A submission is announced within both together, unless reading takes longer than here.
"""


def _after_poll_s(interval: Interval) -> float:
    return max(0.0, interval.longest_s - interval.poll_seconds)
