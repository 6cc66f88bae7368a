"""Targets of detection: each measure with the figures of Examhook and its peers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from examhook_simulator.json_fields import Fields
from tools.bench.detection.figures import Run
from tools.bench.detection.product import FASTEST_PER_SECOND
from tools.bench.detection.steady import Steady
from tools.bench.report import Goal

_NONE = "–"  # noqa: RUF001 - the usual sign for a value that does not exist
_SCALED = "¹"
_PER_LIST = "²"

_MOST_FIRST_REQUESTS = 560
_MOST_CPU_MS = 0.3
_MOST_SLOWDOWN = 1.15
_MOST_REPEATED = 10
_MOST_PEAK_MB = 110
_MOST_POLL_S = 6


@dataclass(frozen=True, slots=True)
class ComparedGoal(Goal):
    """A goal with the figures of the peers; ``measured`` is with the newest rows first. A dash: not measured."""

    oldest_first: str = _NONE
    floor: str = _NONE
    naive: str = _NONE
    dlt: str = _NONE


def goals(run: Run) -> list[ComparedGoal]:
    """Return the table of docs/benchmarks.md."""
    return [*_request_goals(run), *_correctness_goals(run), *_resource_goals(run), *_size_goals(run)]


def _request_goals(run: Run) -> list[ComparedGoal]:
    exams, busy = run.scale.exams, run.scale.busy
    every_page = str(run.floor.whole("requests"))
    reads_all = {"floor": every_page, "naive": every_page, "dlt": _of_dlt(run, lambda dlt: f"{dlt.whole('requests')}")}
    first = run.large.first.requests
    most_first = _MOST_FIRST_REQUESTS + 1 + exams
    slowdown = run.large.paced_first.wall_s * FASTEST_PER_SECOND / run.large.paced_first.requests
    return [
        _both_orders(run, "requests, no changes", 2, lambda steady: steady.quiet.typical.requests, reads_all, ends=1),
        _both_orders(
            run,
            "requests, no changes, in a poll that proves where the exam list ends",
            3,
            lambda steady: steady.quiet.most_requests,
            ends=1,
        ),
        _both_orders(
            run,
            f"requests, 50 changes in {busy} busy exams",
            10,
            lambda steady: steady.few_busy.requests,
            reads_all,
            ends=busy,
        ),
        _both_orders(
            run,
            f"requests, {exams} changes, all {exams} exams busy",
            60,
            lambda steady: steady.all_busy.requests,
            reads_all,
            ends=exams,
        ),
        ComparedGoal(
            "requests, first contact",
            f"≤ {_MOST_FIRST_REQUESTS} + {1 + exams}{_PER_LIST}",
            f"{first}",
            first <= most_first,
            **reads_all,
        ),
        _at_most(
            "processor time per row of a first contact, ms",
            _MOST_CPU_MS,
            run.large.first.cpu_s * 1000 / max(1, run.large.first.rows),
        ),
        _at_most(
            f"duration of a first contact at {FASTEST_PER_SECOND:g} requests/s with the limits of the function,"
            " as a ratio to that of the requests alone",
            _MOST_SLOWDOWN,
            slowdown,
        ),
        ComparedGoal(
            f"answers “too many requests” to {run.paced.requests} requests at 8/s, 10/s allowed",
            "0",
            f"{run.paced.product_refused}",
            run.paced.product_refused == 0,
            floor=f"{run.paced.bucket_refused} (token bucket)",
        ),
    ]


def _correctness_goals(run: Run) -> list[ComparedGoal]:
    wrong, drifted = run.dlt_errors, run.drifted
    false_events = _NONE if wrong is None else f"{wrong.false_events:,} of {wrong.rows:,} rows"
    return [
        _both_orders(
            run,
            "events invented in all measured polls; links differ in every answer",
            0,
            lambda steady: steady.check.invented,
            {"dlt": false_events},
        ),
        _both_orders(run, "events missed in all measured polls", 0, lambda steady: steady.check.missed),
        ComparedGoal(
            f"false removals / rows missing one poll after rows moved in {drifted.exams} exams",
            "0 / 0",
            f"{drifted.false_removals} / {drifted.missing_one_poll_after}",
            not drifted.false_removals and not drifted.missing_one_poll_after,
            dlt=_NONE if wrong is None else f"{wrong.false_removals} / {_NONE}",
        ),
        ComparedGoal(
            "requests repeated after SIGKILL in the first contact",
            f"≤ {_MOST_REPEATED}",
            f"{run.interrupted.repeated_per_kill:.0f}",
            run.interrupted.repeated_per_kill <= _MOST_REPEATED,
            floor="all",
            dlt="all",
        ),
    ]


def _resource_goals(run: Run) -> list[ComparedGoal]:
    busy, naive = run.scale.busy, run.large.naive
    peak_bytes = max(
        polled.peak_bytes
        for polled in (
            *(each for steady in run.orders for each in (steady.quiet.typical, steady.few_busy)),
            *(steady.full_scan.product for steady in run.orders),
            run.large.first,
            run.large.paced_first,
            run.many.few_busy,
            run.many.paced,
            *run.many.sized.values(),
            *run.large.sized.values(),
        )
    )
    floor_cpu_s = run.floor.number("cpu_s")
    return [
        _both_orders(
            run,
            "processor time of a full scan without changes, as a ratio to the floor",
            2,
            lambda steady: steady.full_scan.cpu_ratio,
            {"floor": "1", "dlt": _of_dlt(run, lambda dlt: f"{dlt.number('cpu_s') / floor_cpu_s:.1f}")},
            digits=2,
        ),
        _both_orders(
            run,
            f"DynamoDB read units, 50 changes in {busy} busy exams",
            100,
            lambda steady: steady.few_busy.read_units,
            {"naive": f"{naive.number('read_units') * run.scale.exams / busy:,.0f}{_SCALED}"},
            digits=1,
        ),
        _both_orders(
            run,
            f"DynamoDB write units, 50 changes in {busy} busy exams",
            75,
            lambda steady: steady.few_busy.write_units,
            {"naive": f"{naive.number('write_units'):,.0f}"},
        ),
        ComparedGoal(
            "peak memory of a poll, MB",
            f"≤ {_MOST_PEAK_MB}",
            _mb(peak_bytes),
            peak_bytes <= _MOST_PEAK_MB * 1_000_000,
            floor=_mb(run.floor.whole("peak_bytes")),
            naive=_mb(naive.whole("peak_bytes")),
            dlt=_of_dlt(run, lambda dlt: _mb(dlt.whole("peak_bytes"))),
        ),
    ]


def _size_goals(run: Run) -> list[ComparedGoal]:
    scale, many, contact = run.scale, run.many, run.contact
    # With many exams, only the pages of the exam list may add requests.
    more_if_busy = many.few_busy.requests - many.quiet.requests
    return [
        ComparedGoal(
            f"requests with {scale.many_exams} exams: no changes / 50 changes in {scale.busy} busy exams",
            "only the exam list adds requests",
            f"{many.quiet.requests} / {many.few_busy.requests}",
            more_if_busy <= run.large.newest.few_busy.requests - 1,
        ),
        ComparedGoal(
            f"seconds of a poll, {scale.many_exams} exams of {scale.many_rows} attempts,"
            f" {scale.many_busy} of them busy, 8 of 10 requests/s",
            f"< {_MOST_POLL_S}",
            f"{many.paced.wall_s:.1f}",
            many.paced.wall_s < _MOST_POLL_S and not many.refused,
        ),
        ComparedGoal(
            f"events lost / invented in a first contact over {contact.polls} polls",
            "0 / 0",
            f"{contact.lost} / {contact.invented}",
            contact.polls > 1 and not contact.lost and not contact.invented,
        ),
    ]


def _both_orders(  # noqa: PLR0913, PLR0917 - the parts of one goal
    run: Run,
    measure: str,
    most: float,
    figure: Callable[[Steady], float],
    peers: dict[str, str] | None = None,
    digits: int = 0,
    ends: int = 0,
) -> ComparedGoal:
    """Return a goal whose figure is at most ``most`` in both orders of rows.

    With the oldest rows first, ``ends`` further requests may prove where lists end.
    """
    newest, oldest = (figure(steady) for steady in run.orders)
    target = f"≤ {most:g}" if most else "0"
    if ends:
        target += f"; oldest first + {ends}{_PER_LIST}"
    met = newest <= most and oldest <= most + ends
    return ComparedGoal(measure, target, f"{newest:.{digits}f}", met, f"{oldest:.{digits}f}", **peers or {})


def _at_most(measure: str, most: float, figure: float) -> ComparedGoal:
    return ComparedGoal(measure, f"≤ {most:g}", f"{figure:.2f}", figure <= most)


def _of_dlt(run: Run, show: Callable[[Fields], str]) -> str:
    """Return a figure of dlt, or a dash if dlt did not run."""
    return _NONE if run.dlt is None else show(run.dlt)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.0f}"
