"""The result of a poll, for its log line and for the operator who requested it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

from examhook.detection.intervals import WorstCase
from examhook.provider.errors import ProviderError, ProviderThrottled


class ReportBody(TypedDict):
    """The report as the Poll function returns it."""

    requests: int
    exams: int
    rows: int
    changes: int
    skipped_rows: int
    complete: bool
    errors: list[str]
    notes: NotRequired[list[str]]
    """Incomplete readings and rows that cannot be announced, a sentence each."""
    out_of_time: NotRequired[bool]
    """Whether the poll ran out of time, so that the next one continues."""
    worst_case_s: NotRequired[WorstCase]
    """Longest time until a change is announced; functions of older versions omit it."""


@dataclass(frozen=True, slots=True)
class ExamOutcome:
    """Result of reading one exam."""

    rows: int = 0
    changes: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows that cannot be announced, by reason."""
    problem: str | None = None
    """Why the exam stays due, as a clause."""
    out_of_time: bool = False
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Unreadable optional fields, by the provider's name."""
    needs_full_scan: bool = False
    """Whether only a full scan can explain what an incremental scan read."""


@dataclass(slots=True)
class PollReport:
    """Result of one poll, updated while the poll runs."""

    worst_case: WorstCase
    requests: int = 0
    """Requests to the provider, including repeated ones."""
    exams: int = 0
    """Exams whose results were read."""
    rows: int = 0
    """Distinct attempts read."""
    changes: int = 0
    """Submissions written."""
    skipped_rows: int = 0
    """Rows that could not be read or announced."""
    unannounced_rows: int = 0
    """The same for all exams, as of their last reading."""
    unreadable_fields: Counter[str] = field(default_factory=Counter)
    """Optional fields that could not be read and became null, by the provider's name."""
    unfinished: int = 0
    """Due exams that were not read completely and stay due."""
    skipped: bool = False
    """Whether another poll was running, so that this one did nothing."""
    is_listed: bool = False
    """Whether the exam list was read."""
    listed: tuple[str, ...] = ()
    """Ids of the listed exams."""
    failed: set[str] = field(default_factory=set)
    """Exams for which the provider gave no usable answer."""
    refused: bool = False
    """Whether the provider rejects the account code."""
    provider_failed: bool = False
    """Whether a request failed, or requests are paused after failures."""
    pause_s: float | None = None
    """Pause that the provider requested."""
    out_of_time: bool = False
    """Whether exams are unfinished because the poll ran out of time."""
    age_s: int | None = None
    """Seconds since the last completed poll; 0 if this one completed, None if none ever did."""
    unsent_s: int = 0
    """Age of an announced event that Dispatch has not sent in time; 0 if there is none."""
    announced: tuple[str, int] | None = None
    """Id of the first event that this poll announced, and the time of its observation (Unix seconds)."""
    notes: list[str] = field(default_factory=list)
    """Why exams are unfinished, a clause each, for the log."""
    errors: list[str] = field(default_factory=list)
    """Failures, a sentence each, without account code, links and names."""

    def note_failure(self, error: ProviderError) -> None:
        """Record that the provider gave no usable answer."""
        self.provider_failed = True
        if isinstance(error, ProviderThrottled):
            self.pause_s = error.retry_after_s

    def count(self, exam_id: str, outcome: ExamOutcome) -> None:
        """Add the outcome of one exam."""
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
        """Return the report as a JSON object."""
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
