"""When polls of the schedule leave the provider alone, and the notice of a refused account code.

===============================================  =====================================================
after                                            polls of the schedule make no requests
===============================================  =====================================================
a refused account code                           for an hour, or until the secret changes
a refusal that does not name the code            for as long as it has lasted, 5 min to an hour
a pause that the provider asked for              until it is over, an hour at most
a failed list, or several failed exams in a row  for as long as that has lasted, 10 min at most
===============================================  =====================================================

The record of the account keeps all of it, so every process that polls the account respects it. A poll that a person
asked for makes its requests whatever is recorded.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

from examhook.provider.errors import ProviderRefused
from examhook.provider.response_errors import MAX_PAUSE_S
from examhook.storage.account_code import AccountCode
from examhook.storage.account_state import AccountRecord, Refusal

REFUSED_PAUSE_SECONDS = 3600
SHORTEST_PAUSE_SECONDS = 300
"""First pause after a refusal that does not name the code; other failures pass."""
LONGEST_BACKOFF_SECONDS = 600

_REFUSED = (
    "The provider refuses the account code, so Examhook does not ask again within the hour."
    " Put the correct code into the account-code secret; the next poll uses it at once."
)
_RESTING = (
    "The provider refused to list the exams, so Examhook does not ask again for {minutes} min."
    " If the account code is wrong, put the correct one into the account-code secret; the next poll uses it at once."
)
_PAUSED = (
    "The provider asked for a pause or keeps failing, so Examhook does not ask again for {minutes} min."
    " If this continues, lower RequestsPerSecond."
)


class RefusalNotice(Protocol):
    """Tells the operators that the provider refuses the account code."""

    def __call__(self, account: str, *, since: int, message: str) -> None:
        """Publish the notice; ``since`` is when the refusals began, Unix seconds."""


def refusal_pause(record: AccountRecord, code: AccountCode, now: float) -> str | None:
    """A sentence for the operators while another request with ``code`` is useless, else None."""
    refusal = record.refusal
    if refusal is None or refusal.secret_version != code.secret_version:
        return None
    left_s = refusal.last_asked_at + _refusal_pause_s(refusal) - now
    if left_s <= 0:
        return None
    return _REFUSED if refusal.plain else _RESTING.format(minutes=math.ceil(left_s / 60))


def provider_pause(record: AccountRecord, now: float) -> str | None:
    """A sentence for the operators while the provider is left alone, else None."""
    left_s = (record.left_alone_until or 0) - now
    # A later end was written while our clock was wrong.
    if not 0 < left_s <= MAX_PAUSE_S + 1:
        return None
    return _PAUSED.format(minutes=math.ceil(left_s / 60))


def refused(record: AccountRecord, code: AccountCode, refusal: ProviderRefused, now: int) -> AccountRecord:
    """The record after the provider refused ``code``."""
    earlier = record.refusal
    same = earlier is not None and earlier.secret_version == code.secret_version
    since = earlier.since if earlier is not None and same else now
    return replace(record, refusal=Refusal(code.secret_version, since, now, plain=refusal.plain))


def failed(record: AccountRecord, now: float, pause_s: float | None) -> AccountRecord:
    """The record after the provider failed; ``pause_s`` is what it asked for, None where it did not."""
    since = record.failing_since if record.failing_since is not None else int(now)
    backoff_s = min(now - since, LONGEST_BACKOFF_SECONDS)
    return replace(record, failing_since=since, left_alone_until=math.ceil(now + max(backoff_s, pause_s or 0)))


def answered(record: AccountRecord) -> AccountRecord:
    """The record after the provider answered as it should."""
    return replace(record, failing_since=None, left_alone_until=None)


def _refusal_pause_s(refusal: Refusal) -> int:
    if refusal.plain:
        return REFUSED_PAUSE_SECONDS
    lasted_s = refusal.last_asked_at - refusal.since
    return min(max(lasted_s, SHORTEST_PAUSE_SECONDS), REFUSED_PAUSE_SECONDS)
