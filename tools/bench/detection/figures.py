"""Everything that one run measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from examhook_simulator.wire import Fields
from tools.bench.detection.first_contact import Contact
from tools.bench.detection.disruptions import Drifted
from tools.bench.interruption import Interrupted
from tools.bench.detection.lambda_sized import memory_of_poll
from tools.bench.pace import Paced
from tools.bench.detection.peers import DltErrors
from tools.bench.detection.product import Polled
from tools.bench.detection.steady import Steady, Truth


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the worlds are."""

    exams: int = 50
    rows: int = 1000
    """Attempts of each exam."""
    busy: int = 5
    """Exams that are busy when few are."""
    scans: int = 9
    """Full scans in each order, for the middle one's processor time."""
    small_exams: int = 25
    """Of the world in which processes are killed, rows move, and the pace is measured."""
    small_rows: int = 250
    small_larger: int = 2
    """Exams of that world that have as many rows as those of the large one."""
    many_exams: int = 1000
    many_rows: int = 1000
    many_busy: int = 20
    """Of the many exams."""
    contact_rows: int = 100
    """Attempts of each of the many exams where the first contact with them is measured."""
    contact_requests: int = 500
    """Requests that a poll has time for in that first contact."""
    memory_mb: Sequence[int] = field(default_factory=lambda: (256, memory_of_poll()))
    """Of the functions that polls are made as large as."""


@dataclass(frozen=True, slots=True)
class Many:
    """An account with many times the exams."""

    quiet: Polled
    few_busy: Polled
    paced: Polled
    """Many busy, at ``tools.bench.pace``'s rates."""
    refused: int
    """Answers "too many requests" meanwhile."""
    sized: Mapping[int, Polled]
    """The same in processes as large as a function, by MB."""
    truth: Truth


@dataclass(frozen=True, slots=True)
class Large:
    """An account with many rows."""

    first: Polled
    paced_first: Polled
    """A first contact at the fastest rate, in a process as large as the function."""
    newest: Steady
    oldest: Steady
    naive: Fields
    """What the naive script answered when few exams were busy."""
    sized: Mapping[int, Polled]
    """A full scan in processes as large as a function, by MB."""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures."""

    scale: Scale
    large: Large
    drifted: Drifted
    interrupted: Interrupted
    paced: Paced
    many: Many
    contact: Contact
    dlt: Fields | None
    """Its usage when it loads everything again and nothing changed."""
    dlt_errors: DltErrors | None
    whole_run_s: float

    @property
    def orders(self) -> Sequence[Steady]:
        """Both orders of the rows."""
        return self.large.newest, self.large.oldest

    @property
    def floor(self) -> Fields:
        """What it takes to read everything."""
        return self.large.newest.full_scan.floor
