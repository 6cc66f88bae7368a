"""One batch of the stream on its way: which events go on, which records failed, what waits behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from examhook.events.build import Event


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event on its way."""

    record: int
    """Place of its record in the batch, from 0."""
    submission: str
    """What tells its submission from others."""
    event: Event
    endpoint_ids: tuple[str, ...] = ()
    """The endpoints that it is to be tried at right away."""
    published: bool = False
    """SNS has it already, from a try at which the bus refused it."""
    refused: str | None = None
    """Why the bus refused it this time."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that did not succeed."""

    reason: str
    """Code or name of the error; never its text."""


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """What came of one batch."""

    records: int
    dispatched: int
    """Events that every destination was given, and that were marked so."""
    enqueued: int
    """Messages put on the delivery queue."""
    failed: int
    """Records with a step that failed; those that only wait behind them are not counted."""
    reason: str | None
    """Why they failed: codes with commas between them."""
    retry_from: str | None
    """Sequence number from which the stream is to send the batch again; None when all is done."""


@dataclass(slots=True)
class Batch:
    """The events that are still on their way, in stream order, and the records that failed."""

    outgoing: list[Outgoing] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    """Reason by record."""
    _stopped_at: dict[str, int] = field(default_factory=dict)
    """First failed record of each submission: from there on its events wait for the next try."""

    @property
    def first_failed(self) -> int | None:
        """Place of the first record that failed."""
        return min(self.failures, default=None)

    @property
    def reasons(self) -> str | None:
        """Every reason once, for the log."""
        return ", ".join(sorted(set(self.failures.values()))) or None

    def fail(self, record: int, submission: str, reason: str) -> None:
        """A record failed, and later ones of its submission wait."""
        self.failures.setdefault(record, reason)
        self._stopped_at[submission] = min(record, self._stopped_at.get(submission, record))

    def add(self, outgoing: Sequence[Outgoing]) -> None:
        """Events set out, unless they have to wait."""
        self.outgoing += [each for each in outgoing if not self._waits(each)]

    def proceed(self, outcomes: Sequence[Outgoing | Failed | None]) -> None:
        """Each outgoing event took a step: it goes on as its outcome, its record failed, or (None) it is done."""
        going = []
        for before, outcome in zip(self.outgoing, outcomes, strict=True):
            if isinstance(outcome, Failed):
                self.fail(before.record, before.submission, outcome.reason)
            elif outcome is not None:
                going.append(outcome)
        self.outgoing = [each for each in going if not self._waits(each)]

    def _waits(self, outgoing: Outgoing) -> bool:
        stopped_at = self._stopped_at.get(outgoing.submission)
        return stopped_at is not None and outgoing.record >= stopped_at
