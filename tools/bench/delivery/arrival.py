"""Time from a candidate's submission to its webhook, on the local stack, with its section in docs/benchmarks.md.

::

    NotWatchedError    no poll announced anything; the logs of the stack say why
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from examhook.detection.intervals import SCHEDULE_LATE_S, longest_gap_s
from examhook.events.catalogue import EventType
from examhook.events.identity import submission_event_id
from examhook.model import AttemptKey
from examhook_simulator.facts import AttemptRef
from tools.bench.delivery.receivers import Receivers, percentile
from tools.bench.delivery.stack import running_stack
from tools.bench.delivery.submissions import ACCOUNT
from tools.bench.provider import SCORE_POINTS, Provider, running_provider
from tools.bench.report import Goal, goal_table, machine
from tools.markdown import markdown_table
from tools.progress import Say

INTERVALS_S = (15, 30, 60)
"""The first is the default of the template."""

_MOST_P50_S, _MOST_P95_S = 10, 20
_PROBE_EVERY_S = 5
_WATCHED_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Scale:
    """Submissions per interval."""

    submissions: int = 120
    seconds: int = 240
    exams: int = 3
    rows: int = 100
    """Ended attempts per exam at the start."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Figures of one interval between polls."""

    poll_seconds: int
    submissions: int
    arrived: int
    p50_s: float
    p95_s: float
    longest_s: float

    @property
    def beyond_interval_s(self) -> float:
        """Longest time, minus the interval."""
        return max(0.0, self.longest_s - self.poll_seconds)


@dataclass(frozen=True, slots=True)
class ArrivalTimes:
    """Figures of all intervals."""

    scale: Scale
    intervals: Sequence[Interval]
    whole_run_s: float


class NotWatchedError(RuntimeError):
    """No webhook arrived."""


def measure(say: Say, scale: Scale | None = None, intervals_s: Sequence[int] = INTERVALS_S) -> ArrivalTimes:
    """Measure each interval on a fresh stack; raises NotWatchedError and CommandFailedError."""
    scale, began_s = scale or Scale(), time.monotonic()
    intervals = []
    for poll_seconds in intervals_s:
        say(f"{scale.submissions} submissions, a poll every {poll_seconds} s")
        with (
            running_provider(scale.exams, scale.rows) as provider,
            Receivers(1) as receivers,
            running_stack(receivers.urls, provider.url, provider.code, str(poll_seconds)),
        ):
            intervals.append(_measured(provider, receivers, poll_seconds, scale))
    return ArrivalTimes(scale, intervals, time.monotonic() - began_s)


def _measured(provider: Provider, receivers: Receivers, poll_seconds: int, scale: Scale) -> Interval:
    _wait_until_watched(provider, receivers)
    rng = random.Random(poll_seconds)  # noqa: S311 - reproducible times
    moments_s = sorted(rng.uniform(0, scale.seconds) for _ in range(scale.submissions))
    refs = provider.start_in([provider.exam_ids[nth % scale.exams] for nth in range(scale.submissions)])
    submitted_at: dict[str, float] = {}
    began_s = time.monotonic()
    for moment_s, ref in zip(moments_s, refs, strict=True):
        time.sleep(max(0.0, began_s + moment_s - time.monotonic()))
        submitted_at[_event_id(ref)] = time.time()
        provider.control.submit(ref, SCORE_POINTS)
    times_s = receivers.await_latencies_s(submitted_at, [0])
    p50_s, p95_s, longest_s = (percentile(times_s, share) for share in (0.5, 0.95, 1))
    return Interval(poll_seconds, len(submitted_at), len(times_s), p50_s, p95_s, longest_s)


def _wait_until_watched(provider: Provider, receivers: Receivers) -> None:
    """Submit until a webhook arrives, because attempts that ended before the first poll are not announced."""
    give_up_at_s = time.monotonic() + _WATCHED_WITHIN_S
    while not receivers.arrivals():
        if time.monotonic() > give_up_at_s:
            raise NotWatchedError(f"No webhook arrived within {_WATCHED_WITHIN_S} s.")
        provider.submit_all(provider.start_in(provider.exam_ids[:1]))
        time.sleep(_PROBE_EVERY_S)


def _event_id(ref: AttemptRef) -> str:
    key = AttemptKey(ref.started_at, ref.candidate_id)
    return submission_event_id(ACCOUNT, ref.exam_id, key, EventType.SUBMITTED.value, 1)


def goals(run: ArrivalTimes) -> list[Goal]:
    """Return the targets of each interval."""
    return [goal for interval in run.intervals for goal in _goals_of(interval)]


def _goals_of(interval: Interval) -> list[Goal]:
    longest_s = longest_gap_s(interval.poll_seconds)
    target, met = f"longest ≤ {longest_s} s", interval.longest_s <= longest_s
    if interval.poll_seconds == INTERVALS_S[0]:
        target = f"≤ {_MOST_P50_S} s / ≤ {_MOST_P95_S} s / ≤ {longest_s} s"
        met = met and interval.p50_s <= _MOST_P50_S and interval.p95_s <= _MOST_P95_S
    return [
        Goal(
            f"submission to first byte at the receiver, a poll every {interval.poll_seconds} s: p50 / p95 / longest",
            target,
            f"{interval.p50_s:.1f} s / {interval.p95_s:.1f} s / {interval.longest_s:.1f} s",
            met,
        ),
        Goal(
            f"submissions whose webhook arrived, a poll every {interval.poll_seconds} s",
            f"{interval.submissions}",
            f"{interval.arrived}",
            interval.arrived == interval.submissions,
        ),
    ]


def page(run: ArrivalTimes, goals: Sequence[Goal]) -> str:
    """Return the section."""
    head = ("interval", "longest time between two polls on AWS", "longest measured time beyond the interval")
    bounds = [
        (f"{each.poll_seconds} s", f"{longest_gap_s(each.poll_seconds)} s", f"{each.beyond_interval_s:.1f} s")
        for each in run.intervals
    ]
    scale = run.scale
    return f"""## From submission to webhook

Measured by `make bench` in {run.whole_run_s / 60:.0f} minutes, on
{machine()}.

{goal_table(goals)}

For each interval, `examhook local up --poll-seconds N` deploys the local stack, which watches a simulated provider with
{scale.exams} exams. {scale.submissions} candidates take these exams and submit at random times within {scale.seconds}
seconds. The time runs from just before the submission to the first byte of its webhook at a receiver on the same
machine.

The emulator's scheduler is on time. EventBridge Scheduler can be {SCHEDULE_LATE_S} s late, so on AWS two polls can be
further apart:

{markdown_table(head, bounds)}

A submission is announced within the sum of both, unless reading takes longer than in this measurement.
"""
