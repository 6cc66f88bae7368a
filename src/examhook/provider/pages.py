"""Pages of the provider's lists, in the product's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook.model import Attempt, Exam

NO_STATUS = -1
"""``status_code`` of a row that states no status: request the candidate alone. It is never stored or announced."""


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that was skipped."""

    place: int
    """Its place on the page, from 0."""
    reason: str
    """The field that cannot be read and why, without any value."""


@dataclass(frozen=True, slots=True)
class ExamPage:
    """One page of the exam list."""

    rows: tuple[Exam, ...]
    row_count: int
    """Rows in the answer, unreadable ones included."""
    unreadable: tuple[UnreadableRow, ...] = ()
    problem: str | None = None
    """Why the list may lack exams that exist, as a clause; None where the list is the provider's own."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """One page of an exam's results."""

    rows: tuple[Attempt, ...]
    """In the order given; those without a status have NO_STATUS."""
    row_count: int = 0
    """Rows in the answer, unreadable ones included."""
    unreadable: tuple[UnreadableRow, ...] = ()
    total: int | None = None
    """Rows of the exam by the provider's count, where the answer states one; a lower bound."""
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Optional fields that could not be read and became None: how many of each, by the provider's name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One attempt and the exam that it belongs to."""

    exam_id: str
    attempt: Attempt
    login: str | None = field(default=None, repr=False)
    """The candidate's login, which the API takes to select one candidate."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of results of one exam, or of all exams at once."""

    records: tuple[Record, ...]
    row_count: int = 0
    """Rows in the answer, unreadable ones included."""
    total: int | None = None
    """Rows in all by the provider's count; a hint."""
    unreadable: tuple[UnreadableRow, ...] = ()
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Optional fields that could not be read and became None: how many of each, by the provider's name."""
