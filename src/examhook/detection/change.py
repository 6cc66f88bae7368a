"""A change to write: what was stored and what is to stand there now."""

from __future__ import annotations

from dataclasses import dataclass

from examhook.model import Submission


@dataclass(frozen=True, slots=True)
class Change:
    """One submission to write, and the stored one that it replaces (None: none was stored)."""

    before: Submission | None
    after: Submission

    @property
    def announces(self) -> bool:
        """Whether the write adds a transition, so that an event follows from it."""
        return self.after.sequence > (self.before.sequence if self.before else 0)
