"""What a poll did, for its log line and for the person who asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
    notes: NotRequired[list[str]]
    """What was not read completely, and which rows cannot be announced, a sentence each."""
    out_of_time: NotRequired[bool]
    """Whether the next poll continues what this one had no time for."""
    worst_case_s: NotRequired[WorstCase]
    """Longest time until a change is announced; absent from functions of an older version."""


@dataclass(frozen=True, slots=True)
class ExamOutcome:
    """What reading one exam gave."""

    rows: int = 0
    changes: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows that cannot be announced, by reason."""
    problem: str | None = None
    """Why the exam stays due, as a clause; None when all that was asked for was read and written."""
    out_of_time: bool = False
    """Whether that is because the time ran out."""
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Optional fields that could not be read, by the provider's name."""


@dataclass(slots=True)
class PollReport:
    """Counts of one poll; it grows while the poll runs."""

    worst_case: WorstCase
    requests: int = 0
    """Requests to the provider, repeated ones included."""
    exams: int = 0
    """Exams whose results were read."""
    rows: int = 0
    """Distinct attempts seen in them."""
    changes: int = 0
    """Submissions written."""
    skipped_rows: int = 0
    """Rows that could not be read or announced."""
    unannounced_rows: int = 0
    """The same, of all exams, as of when each was last read."""
    unreadable_fields: Counter[str] = field(default_factory=Counter)
    """Optional fields that could not be read and became null, by the provider's name."""
    unfinished: int = 0
    """Exams that were due and could not be read completely; they stay due."""
    skipped: bool = False
    """Nothing was done, since another poll was still running."""
    is_listed: bool = False
    """Whether the list of exams was read."""
    listed: tuple[str, ...] = ()
    """Ids of the exams on it."""
    failed: set[str] = field(default_factory=set)
    """Exams for which the provider gave no usable answer."""
    refused: bool = False
    """The provider refuses the account code, or did lately and was not asked."""
    provider_failed: bool = False
    """The provider gave no usable answer to some request, or is left alone because of that."""
    pause_s: float | None = None
    """How long it asked to be left alone, if it did."""
    out_of_time: bool = False
    """Exams are unfinished because the time ran out."""
    age_s: int | None = None
    """0 after a poll that ended, otherwise the time since the last one that did; None if none ever did."""
    unsent_s: int = 0
    """How long an announced event has not been sent by Dispatch; 0 where all is sent in time."""
    announced: tuple[str, int] | None = None
    """Id of the first event that this poll announced, and when it saw it (Unix seconds)."""
    notes: list[str] = field(default_factory=list)
    """Why exams are unfinished, a clause each, for the log."""
    errors: list[str] = field(default_factory=list)
    """What failed, a sentence each; never with the account code, a link or a name."""

    def note_failure(self, error: ProviderError) -> None:
        """Count that the provider gave no usable answer."""
        self.provider_failed = True
        if isinstance(error, ProviderThrottled):
            self.pause_s = error.retry_after_s

    def count(self, exam_id: str, outcome: ExamOutcome) -> None:
        """Count one exam that was read."""
        self.exams += 1
        self.rows += outcome.rows
        self.changes += outcome.changes
        self.skipped_rows += sum(outcome.skipped.values())
        self.unreadable_fields.update(outcome.unreadable_fields)
        self.out_of_time |= outcome.out_of_time
        self.notes += [
            f"exam {exam_id}: {count} rows cannot be announced: {reason}" for reason, count in outcome.skipped.items()
        ]
        if outcome.problem is not None:
            self.unfinished += 1
            self.notes.append(f"exam {exam_id}: {outcome.problem}")

    @property
    def complete(self) -> bool:
        """Whether everything that was due was read completely."""
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
            "notes": list(self.notes),
            "out_of_time": self.out_of_time,
            "worst_case_s": self.worst_case,
        }
