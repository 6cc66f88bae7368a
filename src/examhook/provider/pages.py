"""One answer of the provider, in our words."""

from __future__ import annotations

from dataclasses import dataclass

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
    provider_time: int | None = None
    """The provider's clock when it answered, Unix seconds; None when it did not say."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """One page of an exam's results."""

    rows: tuple[Attempt, ...]
    """In the order given; those that came without a status have NO_STATUS."""
    row_count: int = 0
    """How many rows the answer held, unreadable ones included."""
    unreadable: tuple[UnreadableRow, ...] = ()
    provider_time: int | None = None
    """The provider's clock when it answered, Unix seconds; None when it did not say."""
