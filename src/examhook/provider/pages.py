"""One answer of the provider, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from examhook.model import Attempt, Exam

NO_STATUS = -1
"""Stands as ``status_code`` of rows that came without a status: ask again for each candidate alone.

It is never stored nor announced."""


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that was skipped."""

    place: int
    """Which row of its page, from 0."""
    reason: str
    """Why, without any of its values."""


@dataclass(frozen=True, slots=True)
class ExamPage:
    """One page of the exam list."""

    rows: tuple[Exam, ...]
    row_count: int
    """How many rows the answer held, unreadable ones included."""
    unreadable: tuple[UnreadableRow, ...] = ()
    problem: str | None = None
    """Why the list may lack exams that exist, as a clause; None where the list is the provider's own."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """One page of an exam's results."""

    rows: tuple[Attempt, ...]
    """In the order given; those that came without a status have NO_STATUS."""
    row_count: int = 0
    """Rows in the answer, unreadable ones included."""
    unreadable: tuple[UnreadableRow, ...] = ()
    total: int | None = None
    """Rows of the exam by the provider's count, where the answer states one; a lower bound."""
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Optional fields that could not be read and became None: how many of each, by the provider's name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row and the exam that it belongs to."""

    exam_id: str
    attempt: Attempt
    login: str | None = field(default=None, repr=False)
    """What the candidate logs in by, and is asked for by."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of results of one exam, or of all exams at once."""

    records: tuple[Record, ...]
    row_count: int = 0
    """How many rows the answer held, unreadable ones included."""
    total: int | None = None
    """How many rows there are, by the provider's count; a hint."""
    unreadable: tuple[UnreadableRow, ...] = ()
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Optional fields that could not be read and became None: how many of each, by the provider's name."""
