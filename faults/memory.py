"""How much memory the functions hold over time, from samples of their processes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from faults.processes import FunctionProcess

WARM_S = 120.0
"""A process's first minutes do not count: it imports, connects and fills its pools."""


@dataclass(frozen=True, slots=True)
class Held:
    """The longest-lived process of one function."""

    function: str
    lived_s: float
    warm_kb: int
    """Resident once it was warm."""
    end_kb: int
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
        return Held(function, ended_s - began_s, warm[0], warm[-1], max(kb for one in of_function for _, kb in one))
