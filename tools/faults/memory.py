"""Memory growth of the functions, from samples of their processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tools.faults.function_processes import FunctionProcess

WARM_S = 120.0
"""Samples of the first minutes are ignored, because a new process imports, connects and fills its pools."""
_PARTS = 10


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Resident memory of the longest-lived process of one function, in KiB."""

    function: str
    lived_s: float
    warm_kb: int
    """First sample after ``WARM_S``."""
    end_kb: int
    steady_kb: int
    """Steady growth since then: ten times the median growth from one tenth of the time to the next. A single step, as
    from the first use of a feature, does not change the median; a leak does."""
    most_kb: int
    """Maximum of all processes of the function."""


@dataclass(slots=True)
class Samples:
    """Memory samples by process, oldest first."""

    _by_process: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, at_s: float, process: FunctionProcess) -> None:
        """Add a sample; ``at_s`` is in seconds from any fixed instant."""
        self._by_process[process.function, process.pid].append((at_s, process.memory_kb))

    def memory_use(self) -> list[MemoryUse]:
        """Return the figures of each function, by name."""
        functions = sorted({function for function, _ in self._by_process})
        return [self._memory_use_of(function) for function in functions]

    def _memory_use_of(self, function: str) -> MemoryUse:
        of_function = [samples for (name, _), samples in self._by_process.items() if name == function]
        longest = max(of_function, key=lambda samples: samples[-1][0] - samples[0][0])
        began_s, ended_s = longest[0][0], longest[-1][0]
        warm = [kb for at_s, kb in longest if at_s - began_s >= WARM_S] or [longest[-1][1]]
        return MemoryUse(
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
