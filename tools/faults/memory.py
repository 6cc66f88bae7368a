"""How much memory the functions hold over time, from samples of their processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tools.faults.function_processes import FunctionProcess

WARM_S = 120.0
"""A process's first minutes do not count: it imports, connects and fills its pools."""
_PARTS = 10


@dataclass(frozen=True, slots=True)
class Held:
    """The longest-lived process of one function; memory in KiB, resident."""

    function: str
    lived_s: float
    warm_kb: int
    """Once it was warm."""
    end_kb: int
    steady_kb: int
    """By how much it grew since, steps aside: ten times the middle of what it grew by from each tenth of that time
    to the next. The first work of a kind loads something once and makes a step; a leak goes on."""
    most_kb: int
    """Of any of the function's processes, at any time."""


@dataclass(slots=True)
class Samples:
    """Memory by process, oldest sample first."""

    _by_process: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, at_s: float, process: FunctionProcess) -> None:
        """One sample, taken ``at_s`` seconds after any fixed instant."""
        self._by_process[process.function, process.pid].append((at_s, process.memory_kb))

    def held(self) -> list[Held]:
        """One line for each function, by name."""
        functions = sorted({function for function, _ in self._by_process})
        return [self._held(function) for function in functions]

    def _held(self, function: str) -> Held:
        of_function = [samples for (name, _), samples in self._by_process.items() if name == function]
        longest = max(of_function, key=lambda samples: samples[-1][0] - samples[0][0])
        began_s, ended_s = longest[0][0], longest[-1][0]
        warm = [kb for at_s, kb in longest if at_s - began_s >= WARM_S] or [longest[-1][1]]
        return Held(
            function,
            ended_s - began_s,
            warm_kb=warm[0],
            end_kb=warm[-1],
            steady_kb=_steady_growth(warm),
            most_kb=max(kb for one in of_function for _, kb in one),
        )


def _steady_growth(samples: Sequence[int]) -> int:
    cuts = [len(samples) * part // _PARTS for part in range(_PARTS + 1)]
    parts = [samples[begin:end] for begin, end in pairwise(cuts) if begin < end]
    growths = [median(later) - median(sooner) for sooner, later in pairwise(parts)]
    return round(_PARTS * median(growths)) if growths else 0
