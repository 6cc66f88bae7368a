"""What follows where the provider refuses an account code: the operators are told, and it is left alone for a while."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from examhook.provider.errors import ProviderRefused
from examhook.storage.account_code import AccountCode
from examhook.storage.account_item import Refusal
from examhook.storage.account_state import AccountState
from examhook.storage.exams import ExamsTable

REFUSED_PAUSE_SECONDS = 3600
"""How long scheduled polls leave the provider alone after it refused the code; a new code ends the pause."""

SHORTEST_PAUSE_SECONDS = 300
"""Where it did not plainly speak of the code, the first pause is so long, and each further one as long as that has
lasted, up to the same: other trouble passes."""

PAUSED = (
    "The provider refuses the account code, so it is not asked again within the hour."
    " Put the right code into the account-code secret; the next poll takes it at once."
)
RESTING = (
    "The provider refused to list the exams, so it is not asked again for a while ({minutes} min more)."
    " If the account code is wrong, put the right one into the account-code secret; the next poll takes it at once."
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

    def call_for_a_pause(self, state: AccountState, code: AccountCode) -> str | None:
        """A sentence for the operators if ``code`` was refused so lately that asking again is useless, else None."""
        refusal = state.refusal
        if refusal is None or refusal.secret_version != code.secret_version:
            return None
        left_s = refusal.last_asked_at + _pause_s(refusal) - self.now()
        if left_s <= 0:
            return None
        return PAUSED if refusal.plain else RESTING.format(minutes=math.ceil(left_s / 60))

    def take(self, state: AccountState, code: AccountCode, refused: ProviderRefused) -> None:
        """Tell of one and remember it; raises ClientError."""
        # Told first, remembered second: a notice that could not be published is told at the next tick.
        earlier = state.refusal
        same = earlier is not None and earlier.secret_version == code.secret_version
        now = int(self.now())
        since = earlier.since if earlier is not None and same else now
        self.notify(self.account, since=since, message=str(refused))
        self.exams.remember_refusal(self.account, Refusal(code.secret_version, since, now, plain=refused.plain))


def _pause_s(refusal: Refusal) -> int:
    if refusal.plain:
        return REFUSED_PAUSE_SECONDS
    lasted_s = refusal.last_asked_at - refusal.since
    return min(max(lasted_s, SHORTEST_PAUSE_SECONDS), REFUSED_PAUSE_SECONDS)
