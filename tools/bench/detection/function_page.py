"""Time and memory of the function that polls, the last part of the section about detection."""

from __future__ import annotations

from collections.abc import Mapping

from tools.bench.detection.figures import Run
from tools.bench.detection.lambda_sized import CORE_MB, memory_of_poll, share_of_core
from tools.bench.detection.product import FASTEST_PER_SECOND, Polled
from tools.bench.provider import pages_of
from tools.markdown import markdown_table

_SMALL_MB = 256
_MANY_EXAMS, _MANY_ROWS = 1000, 1000


def function_section(run: Run) -> str:
    """Return the part with its heading."""
    return f"""### Time and memory of the function

The template gives Poll {memory_of_poll()} MB. A function with {_SMALL_MB} MB has {share_of_core(_SMALL_MB):.2f} of a
core. It takes at least {CORE_MB / _SMALL_MB:.1f} times the processor time, and at least the time of the requests.

{_calculated(run)}

These polls were measured with the limits of a function: the kernel limits the memory of the process, and the process is
stopped for a while if it has used more than its share of a core.

{_measured(run)}

A first contact with {_MANY_EXAMS:,} exams of {_MANY_ROWS:,} attempts each, computed for {memory_of_poll()} MB from the
processor time per row: {_many_requests():,} requests at {FASTEST_PER_SECOND:g}/s take
{_many_requests() / FASTEST_PER_SECOND / 60:.0f} minutes. The processing takes {_many_cpu_s(run) / 60:.0f} minutes,
mostly while requests wait for their rate. Each poll continues where the last one stopped."""


def _many_requests() -> int:
    return _MANY_EXAMS * pages_of(_MANY_ROWS) + pages_of(_MANY_EXAMS)


def _many_cpu_s(run: Run) -> float:
    """Return the duration of the processing in a function with the template's memory."""
    row_s = run.large.first.cpu_s / max(1, run.large.first.rows)
    return row_s * _MANY_EXAMS * _MANY_ROWS / share_of_core(memory_of_poll())


def _calculated(run: Run) -> str:
    polls = {
        "no changes": run.large.newest.quiet.typical,
        f"50 changes in {run.scale.busy} exams": run.large.newest.few_busy,
        f"changes in all {run.scale.exams} exams": run.large.newest.all_busy,
        "full scan without changes": run.large.newest.full_scan.product,
        "first contact": run.large.first,
    }
    head = ("poll", "requests", "CPU here, s", f"CPU with {_SMALL_MB} MB, s", "at 5 requests/s, s", "peak memory, MB")
    return markdown_table(head, [_calculated_row(name, polled) for name, polled in polls.items()])


def _calculated_row(name: str, polled: Polled) -> tuple[str, ...]:
    slow_s = polled.cpu_s * CORE_MB / _SMALL_MB
    return (
        name,
        f"{polled.requests}",
        f"{polled.cpu_s:.2f}",
        f"{slow_s:.1f}",
        f"{max(slow_s, polled.requests / 5):.1f}",
        _mb(polled),
    )


def _measured(run: Run) -> str:
    scale = run.scale
    polls: Mapping[str, Mapping[int, Polled]] = {
        f"{scale.many_busy} of {scale.many_exams:,} exams busy, {scale.many_rows:,} attempts each, 8 requests/s": (
            run.many.sized
        ),
        f"full scan without changes, {scale.exams} exams, {scale.rows:,} attempts each, no rate limit": (
            run.large.sized
        ),
        f"first contact, {scale.exams} exams, {scale.rows:,} attempts each, {FASTEST_PER_SECOND:g} requests/s": {
            memory_of_poll(): run.large.paced_first
        },
    }
    head = ("poll", "memory, MB", "share of a core", "requests", "CPU, s", "duration, s", "peak memory, MB")
    return markdown_table(
        head,
        [
            (
                name,
                f"{memory_mb}",
                f"{share_of_core(memory_mb):.2f}",
                f"{polled.requests}",
                f"{polled.cpu_s:.2f}",
                f"{polled.wall_s:.1f}",
                _mb(polled),
            )
            for name, sizes in polls.items()
            for memory_mb, polled in sizes.items()
        ],
    )


def _mb(polled: Polled) -> str:
    return f"{polled.peak_bytes / 1_000_000:.0f}"
