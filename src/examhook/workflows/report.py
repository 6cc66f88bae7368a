"""What a poll did, for its log line and for the person who asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

from examhook.detection.worst_case import WorstCase
from examhook.provider.errors import ProviderError, ProviderThrottled


class ReportBody(TypedDict):
    """The report as Poll answers it."""

    requests: int
    exams: int
    rows: int
    changes: int
    skipped_rows: int
    complete: bool
    errors: list[str]
    worst_case_s: NotRequired[WorstCase]
    """Longest time until a change is announced; absent from functions of an older version."""


@dataclass(frozen=True, slots=True)
class PassOutcome:
    """What reading one exam gave."""

    rows: int
    changes: int
    skipped_rows: int
    problem: str | None
    """Why the exam stays due; None when all that was asked for was read and written."""
    out_of_time: bool = False
    """Whether that is because the time ran out."""


@dataclass(slots=True)
class PollReport:
    """Counts of one poll; it grows while the poll runs."""

    worst_case: WorstCase
    requests: int = 0
    """Requests made of the provider, repeated ones included."""
    exams: int = 0
    """Exams whose results were read."""
    rows: int = 0
    """Distinct attempts seen in them."""
    changes: int = 0
    """Submissions written."""
    skipped_rows: int = 0
    """Rows that could not be understood."""
    unfinished: int = 0
    """Exams that were due and could not be read whole now; they stay due."""
    skipped: bool = False
    """Nothing was done, since another poll was still running."""
    listed_at: int | None = None
    """When the list of exams was read, by the provider's clock; None where it was not."""
    listed: tuple[str, ...] = ()
    """Ids of the exams that it names."""
    failed: set[str] = field(default_factory=set)
    """Exams that the provider could not be asked about."""
    refused: bool = False
    """The provider refuses the account code, or did lately and was not asked."""
    provider_failed: bool = False
    """The provider gave no usable answer to some question, or asked for a pause that lasts."""
    pause_s: float | None = None
    """How long it asked to be left alone, if it did."""
    out_of_time: bool = False
    """Exams are unfinished because the time ran out."""
    age_s: int | None = None
    """0 after a poll that came to its end, otherwise the time since the last one that did; None if none ever did."""
    unsent_s: int = 0
    """How long an event has been announced that Dispatch did not send; 0 where all goes out as it should."""
    notes: list[str] = field(default_factory=list)
    """Why exams are unfinished, a clause each, for the log."""
    errors: list[str] = field(default_factory=list)
    """What went wrong, a sentence each; never with the account code, a link or a name."""

    def note_failure(self, error: ProviderError) -> None:
        """Count that the provider gave no usable answer."""
        self.provider_failed = True
        if isinstance(error, ProviderThrottled):
            self.pause_s = error.retry_after_s

    @property
    def complete(self) -> bool:
        """Whether everything that was due was read whole."""
        return not self.errors and not self.unfinished

    def body(self) -> ReportBody:
        """The report as a JSON object."""
        return {
            "requests": self.requests,
            "exams": self.exams,
            "rows": self.rows,
            "changes": self.changes,
            "skipped_rows": self.skipped_rows,
            "complete": self.complete,
            "errors": list(self.errors),
            "worst_case_s": self.worst_case,
        }
