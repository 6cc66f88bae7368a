"""The values that every room speaks of: exams, attempts, submissions and their transitions.

Nothing here knows AWS, HTTP or the time of day. Instants are Unix seconds (``int``), scores are
points (``Decimal``, so that they pass through DynamoDB unchanged).

The provider's words stop at the provider's door: its ``eid`` is ``exam_id`` here, its ``sid``
``candidate_id``, its ``times`` ``takings``; ids are text whatever type they came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """The five statuses that the provider documents; any other number is passed on as it is."""

    IN_TEST = 0
    SUBMITTED = 1
    TIMED_OUT = 2
    FORCED = 3
    SYSTEM_SUBMITTED = 4


STATUS_NAMES: Mapping[int, str] = {status.value: status.name.lower() for status in Status}
"""``{0: "in_test", 1: "submitted", …}``: what events call each documented status."""

FINAL_STATUSES = frozenset(STATUS_NAMES) - {Status.IN_TEST}
"""Statuses in which an attempt has ended."""


def status_name(status_code: int) -> str:
    """Name of a status, ``"unknown"`` for a number outside the documented five."""
    return STATUS_NAMES.get(status_code, "unknown")


@dataclass(frozen=True, slots=True)
class Exam:
    """One exam as its listing shows it."""

    exam_id: str
    title: str
    available: bool
    takings: int | None
    """How often the exam was taken, as far as the provider counts; a hint, never a proof."""
    url: str | None = None
    category: str | None = None
    availability_known: bool = True
    """Whether the provider said so; where it did not, the exam is taken for available."""
    created_at: int | None = None
    """When it was made, as far as the listing tells."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of results as the provider shows it: one candidate taking one exam once.

    (exam, candidate, ``started_at``) names the attempt; one candidate may take an exam many times.
    """

    candidate_id: str
    started_at: int
    status_code: int
    candidate_name: str | None = None
    ended_at: int | None = None
    score_points: Decimal | None = None
    passed: bool | None = None
    result_url: str | None = field(default=None, repr=False)
    """A bearer link, different at every request and dead after 30 minutes: never compared, never logged."""
    record_id: str | None = None
    """The provider's own id of the record (``tid``), where it shows one."""

    @property
    def key(self) -> AttemptKey:
        """What tells this attempt from the others of its exam."""
        return AttemptKey(self.started_at, self.candidate_id)

    @property
    def is_final(self) -> bool:
        """Whether the attempt has ended."""
        return self.status_code in FINAL_STATUSES


class AttemptKey(NamedTuple):
    """Identity of an attempt within its exam, in the order in which attempts are stored."""

    started_at: int
    candidate_id: str


@dataclass(frozen=True, slots=True)
class Transition:
    """One announced change of a submission: the facts of one event, kept with the submission.

    The stored item keeps the last few of them, so that an event can be rebuilt word for word
    without asking the provider.
    """

    event_id: str
    event_type: str
    sequence: int
    """1 for the submission's first event, then one more with each."""
    previous_id: str | None
    """``event_id`` of the submission's event before this one."""
    status_code: int
    previous_status_code: int | None
    occurred_at: int
    """When it happened, as far as the provider says; otherwise when it was observed."""
    observed_at: int
    """When the poll saw it, by our clock."""
    score_points: Decimal | None = None
    passed: bool | None = None
    ended_at: int | None = None
    recalled_at: int | None = None
    """When a backfill announced it once more."""

    @property
    def announced_at(self) -> int:
        """When it was last to be announced: about the time since when a redrive looks for it."""
        return max(self.observed_at, self.recalled_at or 0)


@dataclass(frozen=True, slots=True)
class Submission:
    """What is stored of one attempt: the row as last seen, its last transitions, and who wrote it when."""

    account: str
    exam_id: str
    exam_title: str
    exam_url: str | None
    exam_category: str | None
    attempt: Attempt
    observed_at: int
    """When the stored row was seen, by our clock; ``result_url`` works for 30 minutes from then."""
    transitions: tuple[Transition, ...] = ()
    """The last few announced changes, oldest first."""
    type_counts: Mapping[str, int] = field(default_factory=dict)
    """How many events of each type this attempt has had, silent ones included: the n in an event's id."""
    sequence: int = 0
    """Sequence of the newest transition; 0 when nothing was announced yet."""
    version: int = 1
    """Grows by one with each write; a write names the version that it replaces."""
    fence: int = 0
    """Fencing value of the poll that wrote it; an older poll never overwrites a newer one."""
    missing_since: int | None = None
    """When a full pass first failed to see it, by our clock; the next one settles whether it is removed."""
    removed: bool = False
    """Whether its removal was announced."""

    @property
    def key(self) -> AttemptKey:
        """What tells this submission from the others of its exam."""
        return self.attempt.key


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one full pass over an exam proved: that all the provider showed up to an instant is stored and announced."""

    watermark: int
    """That instant, by the provider's clock."""
    status_counts: Mapping[int, int]
    """Attempts by status code."""
    digest: str
    """Of all attempts, whatever their order: 16 hex digits."""


@dataclass(frozen=True, slots=True)
class ExamTransition:
    """One announced change of an exam: the facts of one event, kept with the exam's history."""

    event_id: str
    event_type: str
    sequence: int
    """Larger than that of the event before; about the second at which it was seen."""
    previous_id: str | None
    """``event_id`` of the opening or closing before it; of a receipt, of the receipt before it."""
    observed_at: int
    """When the poll saw it, by the provider's clock; the provider does not say when it happened."""
    available: bool | None = None
    """Whether the exam can be taken since then; None for a receipt."""
    previously_available: bool | None = None
    """Before; None for an exam that was not known."""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class ExamHistory:
    """What is stored of one exam for the sake of its events, and who wrote it when."""

    account: str
    exam_id: str
    title: str
    url: str | None
    category: str | None
    available: bool | None
    """As the provider last said; None where it never did."""
    observed_at: int
    transitions: tuple[ExamTransition, ...] = ()
    """The last few announced changes, oldest first."""
    sequence: int = 0
    version: int = 1
    """Grows by one with each write; a write names the version that it replaces."""
    fence: int = 0
    """Fencing value of the poll that wrote it."""
