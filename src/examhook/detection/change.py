"""A change to write: what was stored, and what replaces it."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.model import Submission


@dataclass(frozen=True, slots=True)
class Change:
    """One submission to write, and the stored one that it replaces (None: none was stored)."""

    before: Submission | None
    after: Submission
    again: tuple[int, ...] = ()
    """Sequences of earlier transitions to announce again."""

    @property
    def announces(self) -> bool:
        """Whether an event follows from the write: it adds a transition, or announces one again."""
        return bool(self.again) or self.after.sequence > (self.before.sequence if self.before else 0)
