"""Everything that one run measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.drift import Drifted
from bench.interruption import Interrupted
from bench.pace import Paced
from bench.peers import Dlt
from bench.product import Polled
from bench.steady import Steady, Truth
from examhook_cli.simulator.wire import Fields


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the worlds are."""

    exams: int = 50
    rows: int = 1000
    """Attempts of each exam."""
    busy: int = 5
    """Exams that are busy when few are."""
    moving: int = 25
    """Exams whose rows move."""
    passes: int = 3
    """Full passes in each order, for the middle one's processor time."""
    small_exams: int = 4
    """Of the world in which processes are killed and the pace is measured."""
    many_exams: int = 1000
    many_rows: int = 5
    many_busy: int = 20
    """Of the many exams; they fill a page each."""


@dataclass(frozen=True, slots=True)
class Many:
    """An account with many times the exams."""

    quiet: Polled
    few_busy: Polled
    paced: Polled
    """Many busy, at ``bench.pace``'s rates."""
    refused: int
    """Answers "too many requests" meanwhile."""
    truth: Truth


@dataclass(frozen=True, slots=True)
class Run:
    """The figures."""

    scale: Scale
    first: Polled
    newest: Steady
    oldest: Steady
    naive: Fields
    drifted: Drifted
    interrupted: Interrupted
    paced: Paced
    many: Many
    dlt: Dlt | None
    whole_run_s: float = 0

    @property
    def orders(self) -> Sequence[Steady]:
        """Both orders of the rows."""
        return self.newest, self.oldest

    @property
    def floor_requests(self) -> int:
        """What it takes to read everything."""
        return self.newest.full_pass.floor.whole("requests")
