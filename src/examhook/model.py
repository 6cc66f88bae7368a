"""Values that all packages share: exams, attempts, submissions and their transitions.

Instants are Unix seconds (``int``). Scores are points (``Decimal``, which DynamoDB stores unchanged). Ids are always
text.

Only the ``provider`` package uses the provider's field names: its ``eid`` is ``exam_id`` here, its ``sid`` is
``candidate_id``, and its ``times`` is ``attempt_count``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """The five documented statuses of an attempt; other numbers are passed on unchanged."""

    IN_TEST = 0
    SUBMITTED = 1
    TIMED_OUT = 2
    FORCED = 3
    SYSTEM_SUBMITTED = 4


STATUS_NAMES: Mapping[int, str] = {status.value: status.name.lower() for status in Status}
"""Names of the documented statuses in events: ``{0: "in_test", 1: "submitted", …}``."""

FINAL_STATUSES = frozenset(STATUS_NAMES) - {Status.IN_TEST}
"""Statuses of ended attempts."""


def status_name(status_code: int) -> str:
    """Return the name of a status; ``"unknown"`` for an undocumented number."""
    return STATUS_NAMES.get(status_code, "unknown")


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam of the provider's exam list."""

    exam_id: str
    title: str
    available: bool | None
    """Whether candidates can take the exam; None if the provider does not say."""
    attempt_count: int | None
    """Number of attempts according to the provider. It may be too low, so a change only triggers a scan."""
    url: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of the provider's results: one attempt of a candidate at an exam.

    The exam, the candidate and ``started_at`` identify the attempt; a candidate may take an exam several times.
    """

    candidate_id: str
    started_at: int
    status_code: int
    candidate_name: str | None = None
    ended_at: int | None = None
    score_points: Decimal | None = None
    passed: bool | None = None
    result_url: str | None = field(default=None, repr=False)
    """Link that needs no login. It differs in each response and expires after 30 minutes. Never compared or logged."""
    record_id: str | None = None
    """The provider's id of the row (``tid``), if any."""

    @property
    def key(self) -> AttemptKey:
        """Identity of the attempt within its exam."""
        return AttemptKey(self.started_at, self.candidate_id)

    @property
    def is_final(self) -> bool:
        """Whether the attempt has ended."""
        return self.status_code in FINAL_STATUSES


class AttemptKey(NamedTuple):
    """Identity of an attempt within its exam, in storage order."""

    started_at: int
    candidate_id: str


@dataclass(frozen=True, slots=True)
class Transition:
    """An announced change of a submission: the data of one event.

    Each submission stores its last few transitions, so that an event can be rebuilt byte for byte without the provider.
    """

    event_id: str
    event_type: str
    sequence: int
    """1 for the submission's first event, increased by 1 for each further one."""
    previous_id: str | None
    """``event_id`` of the submission's previous event."""
    status_code: int
    previous_status_code: int | None
    occurred_at: int
    """When the change happened according to the provider; if unknown, when it was observed."""
    observed_at: int
    """When a poll observed the change, by our clock."""
    score_points: Decimal | None = None
    passed: bool | None = None
    ended_at: int | None = None
    recalled_at: int | None = None
    """When a backfill last announced the change again."""

    @property
    def announced_at(self) -> int:
        """When the change was last announced; a redrive selects by this time."""
        return max(self.observed_at, self.recalled_at or 0)


@dataclass(frozen=True, slots=True)
class Submission:
    """Stored state of an attempt: the row as last observed, and its last transitions."""

    account: str
    exam_id: str
    exam_title: str
    exam_url: str | None
    exam_category: str | None
    attempt: Attempt
    observed_at: int
    """When a poll read the row, by our clock; ``result_url`` expires 30 minutes later."""
    transitions: tuple[Transition, ...] = ()
    """The last few transitions, oldest first."""
    type_counts: Mapping[str, int] = field(default_factory=dict)
    """Number of events by type, including those that were not announced; part of event ids."""
    sequence: int = 0
    """Sequence of the newest transition; 0 if nothing was announced yet."""
    version: int = 1
    """Increased by each write, which is conditional on the version it replaces."""
    fence: int = 0
    """Fencing token of the poll that wrote it; an older poll never overwrites the write of a newer one."""
    missing_since: int | None = None
    """When a full scan first missed the attempt; the next full scan confirms the removal."""
    removed: bool = False
    """Whether the removal was announced."""

    @property
    def key(self) -> AttemptKey:
        """Identity of the submission within its exam."""
        return self.attempt.key


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of a full scan: all changes that the provider showed until the watermark are stored and announced."""

    watermark: int
    """When the scan began, by our clock."""
    status_counts: Mapping[int, int]
    """Number of attempts by status code."""
    digest: str
    """Digest of all attempts, independent of their order: 16 hex digits."""


@dataclass(frozen=True, slots=True)
class ExamTransition:
    """An announced change of an exam: the data of one event, stored with the exam state."""

    event_id: str
    event_type: str
    sequence: int
    """Greater than that of the previous event; about the Unix time at which a poll observed the change."""
    previous_id: str | None
    """``event_id`` of the previous opening or closing; for a receipt, of the previous receipt."""
    observed_at: int
    """When a poll observed the change, by our clock; the provider does not report when it happened."""
    available: bool | None = None
    """Whether candidates can take the exam after the change; None for a receipt."""
    previously_available: bool | None = None
    """Whether candidates could take the exam before; None for a new exam."""
    receipt: Receipt | None = None
