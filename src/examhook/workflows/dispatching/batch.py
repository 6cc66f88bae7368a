"""Progress of one stream batch: which events continue, which records failed, and which events must wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from examhook.events.build import Event


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event that is being dispatched."""

    record: int
    """Index of its record in the batch."""
    submission: str
    """Key of its submission or exam, within which events keep their order."""
    event: Event
    endpoint_ids: tuple[str, ...] = ()
    """Endpoints whose first attempt is enqueued now."""
    is_published: bool = False
    """Whether SNS accepted the event in an earlier attempt, in which the bus rejected it."""
    bus_error: str | None = None
    """Error code with which the bus rejected the event in this attempt."""


@dataclass(frozen=True, slots=True)
class StepFailure:
    """A failed step."""

    reason: str
    """Code or type of the error; never its text, which may contain data that must not be logged."""


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """Result of one batch."""

    records: int
    dispatched: int
    """Events that every destination accepted."""
    enqueued: int
    """Messages sent to the delivery queue."""
    failed: int
    """Records with a failed step; records that only wait for them are not counted."""
    reason: str | None
    """Error codes of the failures, separated by commas."""
    retry_from: str | None
    """Sequence number from which the stream must send the batch again; None if nothing failed."""


@dataclass(slots=True)
class Batch:
    """Events of a batch that are still being dispatched, in stream order, and failures by record."""

    outgoing: list[OutgoingEvent] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    _first_failures: dict[str, int] = field(default_factory=dict)
    """First failed record of each submission; its later events wait for the next attempt."""

    @property
    def first_failed(self) -> int | None:
        """Index of the first failed record."""
        return min(self.failures, default=None)

    @property
    def reasons(self) -> str | None:
        """Distinct reasons of all failures, for the log."""
        return ", ".join(sorted(set(self.failures.values()))) or None

    def fail(self, record: int, submission: str, reason: str) -> None:
        """Record a failure, which later events of the submission wait for."""
        self.failures.setdefault(record, reason)
        self._first_failures[submission] = min(record, self._first_failures.get(submission, record))

    def add(self, outgoing: Sequence[OutgoingEvent]) -> None:
        """Add events, except those that must wait for a failed record."""
        self.outgoing += [each for each in outgoing if not self._must_wait(each)]

    def apply(self, outcomes: Sequence[OutgoingEvent | StepFailure | None]) -> None:
        """Apply the outcome of a step for each outgoing event; None means that the event needs no further step."""
        continuing = []
        for before, outcome in zip(self.outgoing, outcomes, strict=True):
            if isinstance(outcome, StepFailure):
                self.fail(before.record, before.submission, outcome.reason)
            elif outcome is not None:
                continuing.append(outcome)
        self.outgoing = [each for each in continuing if not self._must_wait(each)]

    def _must_wait(self, outgoing: OutgoingEvent) -> bool:
        first_failure = self._first_failures.get(outgoing.submission)
        return first_failure is not None and outgoing.record >= first_failure
