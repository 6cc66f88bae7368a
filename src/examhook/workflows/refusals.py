"""What follows where the provider refuses an account code: the operators are told, and it is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from examhook.provider.errors import ProviderRefused
from examhook.storage.account_code import AccountCode
from examhook.storage.exams import AccountState, ExamsTable, Refusal

REFUSED_PAUSE_SECONDS = 3600
"""How long scheduled polls leave the provider alone after it refused the code; a new code ends the pause."""

PAUSED = (
    "The provider refuses the account code, so it is not asked again within the hour."
    " Put the right code into the account-code secret; the next poll takes it at once."
)


class RefusalNotice(Protocol):
    """Says to the operators that the provider refuses the account code."""

    def __call__(self, account: str, *, since: int, message: str) -> None:
        """Publish the notice; ``since`` is when the refusals began, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refusals of one account's code."""

    account: str
    exams: ExamsTable
    notify: RefusalNotice
    now: Callable[[], float]

    def call_for_a_pause(self, state: AccountState, code: AccountCode) -> bool:
        """Whether ``code`` was refused so lately that asking again is useless."""
        refusal = state.refusal
        return (
            refusal is not None
            and refusal.secret_version == code.secret_version
            and self.now() - refusal.last_asked_at < REFUSED_PAUSE_SECONDS
        )

    def take(self, state: AccountState, code: AccountCode, refused: ProviderRefused) -> None:
        """Tell of one and remember it; raises ClientError."""
        # Told first, remembered second: a notice that could not be published is told at the next tick.
        earlier = state.refusal
        same = earlier is not None and earlier.secret_version == code.secret_version
        now = int(self.now())
        since = earlier.since if earlier is not None and same else now
        self.notify(self.account, since=since, message=str(refused))
        self.exams.remember_refusal(self.account, Refusal(code.secret_version, since, now))
