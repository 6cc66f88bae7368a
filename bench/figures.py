"""Everything that one run measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.drift import Drifted
from bench.interruption import Interrupted
from bench.pace import Paced
from bench.peers import DltErrors
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
    passes: int = 9
    """Full passes in each order, for the middle one's processor time."""
    small_exams: int = 25
    """Of the world in which processes are killed, rows move, and the pace is measured."""
    small_rows: int = 250
    small_larger: int = 2
    """Exams of that world that have as many rows as those of the large one."""
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
class Large:
    """An account with many rows."""

    first: Polled
    newest: Steady
    oldest: Steady
    naive: Fields
    """What the naive script answered when few exams were busy."""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures."""

    scale: Scale
    large: Large
    drifted: Drifted
    interrupted: Interrupted
    paced: Paced
    many: Many
    dlt: Fields | None
    """What it used to load everything again while nothing changed."""
    dlt_errors: DltErrors | None
    whole_run_s: float

    @property
    def orders(self) -> Sequence[Steady]:
        """Both orders of the rows."""
        return self.large.newest, self.large.oldest

    @property
    def floor(self) -> Fields:
        """What it takes to read everything."""
        return self.large.newest.full_pass.floor
