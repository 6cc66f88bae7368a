"""The pause that a provider asks for, kept with the account, so that every process that polls it keeps to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from examhook.provider.response_errors import LONGEST_PAUSE_S
from examhook.storage.account_state import AccountState
from examhook.storage.exams import ExamsTable


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of one account's provider."""

    account: str
    exams: ExamsTable
    now: Callable[[], float]

    def call_for_one(self, state: AccountState) -> str | None:
        """A sentence for the operators while the provider is to be left alone, else None."""
        left_s = (state.left_alone_until or 0) - self.now()
        # What lies further ahead than any pause was written by a clock that was wrong.
        if not 0 < left_s <= LONGEST_PAUSE_S + 1:
            return None
        return (
            f"The provider asked for a pause, so it is not asked for another {math.ceil(left_s / 60)} min."
            " If this goes on, lower RequestsPerSecond."
        )

    def take(self, pause_s: float | None) -> None:
        """Remember one that the provider asked for, if it did; raises ClientError."""
        if pause_s:
            self.exams.leave_alone(self.account, math.ceil(self.now() + pause_s))

    def end(self, state: AccountState) -> None:
        """The provider answers again; raises ClientError."""
        if state.left_alone_until is not None:
            self.exams.ask_again(self.account)
