"""The goal of each measure, and whether it was met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examhook_simulator.wire import Fields
from tools.bench.detection.figures import Run
from tools.bench.detection.product import FASTEST_PER_SECOND
from tools.bench.detection.steady import Steady

_NONE = "–"  # noqa: RUF001 - a dash is what stands in such a table
_SCALED = "¹"
_PER_LIST = "²"

_FIRST_REQUESTS = 560
_CPU_MS = 0.3
_SLOWER = 1.15
_REPEATED = 10
_PEAK_MB = 110
_POLL_S = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; where a peer was not measured there is a dash."""

    measure: str
    wanted: str
    newest: str
    oldest: str
    met: bool
    floor: str = _NONE
    naive: str = _NONE
    dlt: str = _NONE


def lines(run: Run) -> list[Line]:
    """The table of docs/benchmarks.md."""
    everything = str(run.floor.whole("requests"))
    of_dlt, wrong = _Of(run.dlt), run.dlt_errors
    polled = [
        each for steady in run.orders for each in (steady.quiet.typical, steady.few_busy, steady.full_scan.product)
    ]
    polled += [
        run.large.first,
        run.large.paced_first,
        run.many.few_busy,
        run.many.paced,
        *run.many.sized.values(),
        *run.large.sized.values(),
    ]
    peak = max(each.peak_bytes for each in polled)
    repeated = run.interrupted.repeated_per_kill
    cpu_ms = run.large.first.cpu_s * 1000 / max(1, run.large.first.rows)
    slower = run.large.paced_first.wall_s * FASTEST_PER_SECOND / run.large.paced_first.requests
    exams, busy = run.scale.exams, run.scale.busy
    read_all = {"floor": everything, "naive": everything, "dlt": of_dlt(lambda dlt: f"{dlt.whole('requests')}")}
    return [
        _limit(run, "requests, nothing changed", 2, lambda steady: steady.quiet.requests, read_all, ends=1),
        _limit(
            run,
            "the same, in a poll that proves where the list of exams ends",
            3,
            lambda steady: steady.quiet.most_requests,
            {},
            ends=1,
        ),
        _limit(
            run,
            f"requests, 50 changes in {busy} busy exams",
            10,
            lambda steady: steady.few_busy.requests,
            read_all,
            ends=busy,
        ),
        _limit(
            run,
            f"requests, {exams} changes, all {exams} exams busy",
            60,
            lambda steady: steady.all_busy.requests,
            read_all,
            ends=exams,
        ),
        _once(
            "requests, first contact",
            f"≤ {_FIRST_REQUESTS} + {1 + exams}{_PER_LIST}",
            f"{run.large.first.requests}",
            met=run.large.first.requests <= _FIRST_REQUESTS + 1 + exams,
            **read_all,
        ),
        _once(
            "processor time for each row of a first contact, ms",
            f"≤ {_CPU_MS:g}",
            f"{cpu_ms:.2f}",
            met=cpu_ms <= _CPU_MS,
        ),
        _once(
            f"first contact at {FASTEST_PER_SECOND:g} requests/s in a process as large as the function:"
            " time as a ratio to that of the requests alone",
            f"≤ {_SLOWER:g}",
            f"{slower:.2f}",
            met=slower <= _SLOWER,
        ),
        _once(
            f"answers “too many requests” to {run.paced.requests} requests at 8/s where 10/s are allowed",
            "0",
            f"{run.paced.product_refused}",
            met=run.paced.product_refused == 0,
            floor=f"{run.paced.bucket_refused} (token bucket)",
        ),
        _limit(
            run,
            "events invented in all measured polls, with links that differ at every request",
            0,
            lambda steady: steady.truth.invented,
            {"dlt": _NONE if wrong is None else f"{wrong.false_events:,} of {wrong.rows:,} rows"},
        ),
        _limit(run, "events missed in all measured polls", 0, lambda steady: steady.truth.missed, {}),
        _once(
            f"false removals / rows still missing one poll after rows moved in {run.drifted.exams} exams",
            "0 / 0",
            f"{run.drifted.false_removals} / {run.drifted.missing_one_poll_after}",
            met=not run.drifted.false_removals and not run.drifted.missing_one_poll_after,
            dlt=_NONE if wrong is None else f"{wrong.false_removals} / {_NONE}",
        ),
        _once(
            "requests repeated after SIGKILL in the first contact",
            f"≤ {_REPEATED}",
            f"{repeated:.0f}",
            met=repeated <= _REPEATED,
            floor="all so far",
            dlt="all so far",
        ),
        _limit(
            run,
            "processor time of a full scan without changes, as a ratio to the floor",
            2,
            lambda steady: steady.full_scan.cpu_ratio,
            {
                "floor": "1",
                "dlt": of_dlt(lambda dlt: f"{dlt.number('cpu_s') / run.floor.number('cpu_s'):.1f}"),
            },
            digits=2,
        ),
        _limit(
            run,
            f"DynamoDB read units, 50 changes in {busy} busy exams",
            100,
            lambda steady: steady.few_busy.read_units,
            {"naive": f"{run.large.naive.number('read_units') * exams / busy:,.0f}{_SCALED}"},
            digits=1,
        ),
        _limit(
            run,
            f"DynamoDB write units, 50 changes in {busy} busy exams",
            75,
            lambda steady: steady.few_busy.write_units,
            {"naive": f"{run.large.naive.number('write_units'):,.0f}"},
        ),
        _once(
            "peak memory of a poll, MB",
            f"≤ {_PEAK_MB}",
            _mb(peak),
            met=peak <= _PEAK_MB * 1_000_000,
            floor=_mb(run.floor.whole("peak_bytes")),
            naive=_mb(run.large.naive.whole("peak_bytes")),
            dlt=of_dlt(lambda dlt: _mb(dlt.whole("peak_bytes"))),
        ),
        _once(
            f"requests with {run.scale.many_exams} exams: nothing changed / 50 changes in {busy} busy exams",
            "only the list grows",
            f"{run.many.quiet.requests} / {run.many.few_busy.requests}",
            met=_only_the_list_grows(run),
        ),
        _once(
            f"seconds of a poll, {run.scale.many_exams} exams of {run.scale.many_rows} attempts,"
            f" {run.scale.many_busy} of them busy, 8 of 10 requests/s",
            f"< {_POLL_S}",
            f"{run.many.paced.wall_s:.1f}",
            met=run.many.paced.wall_s < _POLL_S and not run.many.refused,
        ),
        _once(
            f"events lost / invented in a first contact over {run.contact.polls} polls",
            "0 / 0",
            f"{run.contact.lost} / {run.contact.invented}",
            met=run.contact.polls > 1 and not run.contact.lost and not run.contact.invented,
        ),
    ]


def _limit(  # noqa: PLR0913, PLR0917 - what one line says
    run: Run,
    measure: str,
    most: float,
    take: Callable[[Steady], float],
    peers: dict[str, str],
    digits: int = 0,
    ends: int = 0,
) -> Line:
    """A line whose figure may not exceed ``most`` in either order of the rows.

    ``ends`` further requests may prove where lists end, with the oldest rows first.
    """
    newest, oldest = (take(steady) for steady in run.orders)
    wanted = f"≤ {most:g}" if most else "0"
    if ends:
        wanted += f"; oldest first + {ends}{_PER_LIST}"
    met = newest <= most and oldest <= most + ends
    return Line(measure, wanted, f"{newest:.{digits}f}", f"{oldest:.{digits}f}", met=met, **peers)


def _once(measure: str, wanted: str, measured: str, *, met: bool, **peers: str) -> Line:
    """A line that is measured in one order only."""
    return Line(measure, wanted, measured, _NONE, met, **peers)


def _only_the_list_grows(run: Run) -> bool:
    """Whether many exams cost no more requests than few, except for the pages of the list."""
    more_with_few = run.large.newest.few_busy.requests - 1
    return run.many.few_busy.requests - run.many.quiet.requests <= more_with_few


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.0f}"


@dataclass(frozen=True, slots=True)
class _Of:
    """A figure of dlt, or a dash where it did not run."""

    dlt: Fields | None

    def __call__(self, show: Callable[[Fields], str]) -> str:
        return _NONE if self.dlt is None else show(self.dlt)


def unmet(table: Sequence[Line]) -> list[str]:
    """The measures that miss what was wanted."""
    return [line.measure for line in table if not line.met]
