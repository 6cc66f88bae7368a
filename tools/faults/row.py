"""One row of the fault matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.faults.scenarios import Act, nothing
from tools.faults.stack import Stage


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix."""

    group: str
    fault: str
    begin: Act
    """Switches the fault on."""
    meanwhile: Act = nothing
    """What happens after the poll that should have announced everything."""
    hits: Callable[[Stage], int] | None = None
    """Counts how often the fault was made so far; None where it is an act that happens for certain."""
    enough: int = 1
    """How often the fault must occur before the row continues."""
    prepare: Act = nothing
    """What holds from before the row's exam is created."""
    crowd: int = 0
    """Further attempts that were submitted and read before the fault begins."""
    behind: frozenset[int] = frozenset()
    """Receivers that the fault keeps from getting anything; while it lasts, the others are waited for, not these."""
