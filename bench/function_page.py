"""What a function needs to poll: the last part of the section about detection in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping

from bench.figures import Run
from bench.lambda_sized import CORE_MB, memory_of_poll, share_of_core
from bench.markdown import markdown
from bench.product import Polled

_SMALL_MB = 256


def function_section(run: Run) -> str:
    """The part, with its heading."""
    return f"""### Time and memory of the function

The template gives Poll {memory_of_poll()} MB. A function with {_SMALL_MB} MB has {share_of_core(_SMALL_MB):.2f} of a
core, so it takes at least {CORE_MB / _SMALL_MB:.1f} times the processor time, and at least the requests at their pace.

{_reckoned(run)}

These were measured in a process as large as such a function: the kernel gives it no more memory than that, and it is
stopped whenever it has used more than its share of a core.

{_measured(run)}"""


def _reckoned(run: Run) -> str:
    polls = {
        "nothing changed": run.large.newest.quiet,
        f"50 changes in {run.scale.busy} exams": run.large.newest.few_busy,
        f"changes in all {run.scale.exams} exams": run.large.newest.all_busy,
        "full pass without changes": run.large.newest.full_pass.product,
        "first contact": run.large.first,
    }
    head = ("poll", "requests", "CPU here, s", f"CPU with {_SMALL_MB} MB, s", "at 5 requests/s, s", "peak memory, MB")
    return markdown(head, [_reckoned_row(name, polled) for name, polled in polls.items()])


def _reckoned_row(name: str, polled: Polled) -> tuple[str, ...]:
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
        f"full pass without changes, {scale.exams} exams, {scale.rows:,} attempts each, without a pace": (
            run.large.sized
        ),
    }
    head = ("poll", "may take, MB", "of a core", "requests", "CPU, s", "took, s", "peak memory, MB")
    return markdown(
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
