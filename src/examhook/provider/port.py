"""What the rest of the product asks of a provider, whichever of its APIs is spoken."""

from __future__ import annotations

from typing import Protocol

from examhook.model import Attempt, AttemptKey
from examhook.provider.pages import ExamPage, ResultsPage


class ProviderClient(Protocol):
    """Reads one account. Every method may raise any ProviderError."""

    give_up_at: float
    """Unix seconds after which it waits for nothing more; whoever is short of time sets it."""

    @property
    def requests_made(self) -> int:
        """Requests sent so far, repeated ones included."""

    def exams(self, start: int, limit: int) -> ExamPage:
        """Exams from offset ``start``; the provider may give fewer than ``limit`` at any place."""

    def results(self, exam_id: str, start: int, limit: int, candidate_id: str | None = None) -> ResultsPage:
        """Attempts at one exam from offset ``start``, of one candidate or of all."""

    def attempt(self, exam_id: str, key: AttemptKey) -> Attempt | None:
        """One attempt, with as few requests as the API allows; None if it is not found."""
