"""Sizes of the measured worlds, and the figures of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from examhook_simulator.json_fields import Fields
from tools.bench.detection.disruptions import Drifted, Interrupted, Paced
from tools.bench.detection.first_contact import FirstContact
from tools.bench.detection.lambda_sized import memory_of_poll
from tools.bench.detection.peers import DltErrors
from tools.bench.detection.product import Polled
from tools.bench.detection.steady import EventCheck, Steady


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the worlds. ``rows`` are attempts per exam."""

    exams: int = 50
    rows: int = 1000
    busy: int = 5
    """Number of busy exams in the measures with few busy exams."""
    scans: int = 9
    """Full scans per order of rows; the median is reported."""
    small_exams: int = 25
    """Exams of the world with disruptions."""
    small_rows: int = 250
    small_larger: int = 2
    """Exams of the world with disruptions that have ``rows`` attempts instead of ``small_rows``."""
    many_exams: int = 1000
    many_rows: int = 1000
    many_busy: int = 20
    contact_rows: int = 100
    """Attempts per exam in the first contact with ``many_exams``."""
    contact_requests: int = 500
    """Requests per poll in that first contact."""
    memory_mb: Sequence[int] = field(default_factory=lambda: (256, memory_of_poll()))
    """Function sizes that polls are limited to."""


@dataclass(frozen=True, slots=True)
class Many:
    """Figures of an account with ``many_exams``."""

    quiet: Polled
    few_busy: Polled
    paced: Polled
    """A poll with ``many_busy`` exams, at the rates of ``disruptions``."""
    refused: int
    """Answers "too many requests" meanwhile."""
    sized: Mapping[int, Polled]
    """The same poll with the limits of functions of these sizes, by MB."""
    check: EventCheck


@dataclass(frozen=True, slots=True)
class Large:
    """Figures of an account with many rows."""

    first: Polled
    paced_first: Polled
    """A first contact at the highest rate, with the limits of the function."""
    newest: Steady
    oldest: Steady
    naive: Fields
    """Figures of the naive script with few busy exams."""
    sized: Mapping[int, Polled]
    """A full scan with the limits of functions of these sizes, by MB."""


@dataclass(frozen=True, slots=True)
class Run:
    """All figures."""

    scale: Scale
    large: Large
    drifted: Drifted
    interrupted: Interrupted
    paced: Paced
    many: Many
    contact: FirstContact
    dlt: Fields | None
    """Usage of dlt for a load without changes; None if dlt is not installed."""
    dlt_errors: DltErrors | None
    whole_run_s: float

    @property
    def orders(self) -> Sequence[Steady]:
        """Figures with the newest and with the oldest rows first."""
        return self.large.newest, self.large.oldest

    @property
    def floor(self) -> Fields:
        """Usage of the floor for one full read."""
        return self.large.newest.full_scan.floor
