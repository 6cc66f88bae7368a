"""One answer of the provider, in our words."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.model import Attempt, Exam

NO_STATUS = -1
"""Stands as ``status_code`` of rows that came without a status; it is never stored nor announced."""


@dataclass(frozen=True, slots=True)
class ExamPage:
    """One page of the exam list."""

    rows: tuple[Exam, ...]
    row_count: int
    """How many rows the answer held, unreadable ones included."""
    unreadable: tuple[str, ...] = ()
    """Why a row was skipped, for each that was; without any of its values."""
    provider_time: int | None = None
    """The provider's clock when it answered, Unix seconds; None when it did not say."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """One page of an exam's results."""

    rows: tuple[Attempt, ...]
    """Rows with a status."""
    statusless: tuple[Attempt, ...] = ()
    """Rows that came without a status (``status_code`` is NO_STATUS): ask again for each candidate alone."""
    row_count: int = 0
    """How many rows the answer held, unreadable and statusless ones included."""
    unreadable: tuple[str, ...] = ()
    """Why a row was skipped, for each that was; without any of its values."""
    provider_time: int | None = None
    """The provider's clock when it answered, Unix seconds; None when it did not say."""
