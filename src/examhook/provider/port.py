"""Interface of a provider client, and the pages that it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from examhook.model import Attempt, AttemptKey, Exam

NO_STATUS = -1
"""``status_code`` of a row without a status. Never stored or announced; a request by candidate may show the status."""


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that was skipped."""

    place: int
    """Index on the page, from 0."""
    reason: str
    """The unreadable field and the reason, without any value."""


@dataclass(frozen=True, slots=True)
class ExamPage:
    """One page of the exam list."""

    rows: tuple[Exam, ...]
    row_count: int
    """Rows in the answer, including unreadable ones."""
    unreadable: tuple[UnreadableRow, ...] = ()
    problem: str | None = None
    """Why exams may be missing, as a clause; None if there is no reason to doubt the list."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """One page of an exam's results."""

    rows: tuple[Attempt, ...]
    """In the provider's order; rows without a status have NO_STATUS."""
    row_count: int = 0
    """Rows in the answer, including unreadable ones."""
    unreadable: tuple[UnreadableRow, ...] = ()
    total: int | None = None
    """Rows of the exam according to the provider, a lower bound; None if not stated."""
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Number of optional fields that could not be read and became None, by the provider's field name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One attempt and its exam, as the ``v1`` API returns them."""

    exam_id: str
    attempt: Attempt
    login: str | None = field(default=None, repr=False)
    """The candidate's login, by which the API selects one candidate."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of results of one exam or of all exams, as the ``v1`` API returns it."""

    records: tuple[Record, ...]
    row_count: int = 0
    """Rows in the answer, including unreadable ones."""
    total: int | None = None
    """Rows on all pages according to the provider; may be wrong."""
    unreadable: tuple[UnreadableRow, ...] = ()
    unreadable_fields: Mapping[str, int] = field(default_factory=dict)
    """Number of optional fields that could not be read and became None, by the provider's field name."""


class ProviderClient(Protocol):
    """Reads one account in either dialect. Every method may raise any ProviderError."""

    give_up_at: float
    """Unix seconds after which the client stops waiting; set by the caller."""

    @property
    def requests_made(self) -> int:
        """Requests sent so far, including retries."""

    @property
    def clock_offset_s(self) -> int | None:
        """Seconds by which the provider's clock is ahead of ours; 0 if they differ by less than a minute.

        None if no answer had a plausible ``Date`` header.
        """

    def exams(self, start: int, limit: int) -> ExamPage:
        """Return exams from offset ``start``; the provider may return fewer than ``limit`` on any page."""

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        """Return attempts at one exam from offset ``start``, of one candidate or of all."""

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        """Return one attempt, with as few requests as the API allows; None if not found."""
