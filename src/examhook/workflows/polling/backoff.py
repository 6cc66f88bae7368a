"""Pauses of scheduled polls after failures of the provider.

===============================================  =================================================
after                                            scheduled polls send no requests
===============================================  =================================================
a rejected account code                          for an hour, or until the secret changes
a rejection that does not name the code          for as long as it has lasted, 5 minutes to 1 hour
a pause that the provider requested              until it ends, at most 1 hour
a failed list, or several failed exams in a row  for as long as this has lasted, at most 10 minutes
===============================================  =================================================

The account's record stores the pauses, so all processes respect them. A manual poll ignores them.
"""

from __future__ import annotations

import math
from dataclasses import replace

from examhook.provider.errors import ProviderRefused
from examhook.provider.response_errors import MAX_PAUSE_S
from examhook.storage.account_secrets import AccountCode
from examhook.storage.exams import AccountRecord, CodeRejection

REFUSED_PAUSE_S = 3600
SHORTEST_REFUSED_PAUSE_S = 300
"""First pause after a rejection that does not name the code."""
LONGEST_BACKOFF_S = 600

_REFUSED = (
    "The provider rejects the account code, so Examhook sends no requests for up to an hour."
    " Store the correct code in the account-code secret; the next poll uses it."
)
_MAYBE_REFUSED = (
    "The provider refused to list the exams, so Examhook sends no requests for {minutes} min."
    " If the account code is wrong, store the correct one in the account-code secret; the next poll uses it."
)
_PAUSED = (
    "The provider asked for a pause or keeps failing, so Examhook sends no requests for {minutes} min."
    " If this continues, lower RequestsPerSecond."
)


def refusal_pause(record: AccountRecord, code: AccountCode, now: float) -> str | None:
    """Return a sentence for operators if requests with ``code`` are paused; None otherwise."""
    refusal = record.refusal
    if refusal is None or refusal.secret_version != code.secret_version:
        return None
    if refusal.plain:
        pause_s = REFUSED_PAUSE_S
    else:
        pause_s = min(max(refusal.last_asked_at - refusal.since, SHORTEST_REFUSED_PAUSE_S), REFUSED_PAUSE_S)
    left_s = refusal.last_asked_at + pause_s - now
    if left_s <= 0:
        return None
    return _REFUSED if refusal.plain else _MAYBE_REFUSED.format(minutes=math.ceil(left_s / 60))


def provider_pause(record: AccountRecord, now: float) -> str | None:
    """Return a sentence for operators if requests to the provider are paused; None otherwise."""
    left_s = (record.left_alone_until or 0) - now
    # Ignore an end further ahead: our clock was wrong when a poll stored it.
    if not 0 < left_s <= MAX_PAUSE_S + 1:
        return None
    return _PAUSED.format(minutes=math.ceil(left_s / 60))


def refused(record: AccountRecord, code: AccountCode, refusal: ProviderRefused, now: int) -> AccountRecord:
    """Return the record after the provider rejected ``code``."""
    earlier = record.refusal
    is_same = earlier is not None and earlier.secret_version == code.secret_version
    since = earlier.since if earlier is not None and is_same else now
    return replace(record, refusal=CodeRejection(code.secret_version, since, now, plain=refusal.plain))


def failed(record: AccountRecord, now: float, pause_s: float | None) -> AccountRecord:
    """Return the record after the provider failed; ``pause_s`` is the pause that it requested, if any."""
    since = record.failing_since if record.failing_since is not None else int(now)
    backoff_s = min(now - since, LONGEST_BACKOFF_S)
    return replace(record, failing_since=since, left_alone_until=math.ceil(now + max(backoff_s, pause_s or 0)))


def answered(record: AccountRecord) -> AccountRecord:
    """Return the record after the provider answered without a failure."""
    return replace(record, failing_since=None, left_alone_until=None)
