"""When a webhook is tried: ten attempts in about three days.

Attempts are numbered from 1. Delays grow fast, so that a receiver that restarts is served within
seconds and one that is broken over a weekend is still served on Monday.
"""

from __future__ import annotations

import random
from math import ceil, floor

DELAYS_S = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Seconds before attempt 1, 2, … after the attempt before it."""

MAX_ATTEMPTS = len(DELAYS_S)

JITTER = 0.1
"""A delay is up to this share shorter or longer, so that what failed together does not return together."""

MAX_RETRY_AFTER_S = 24 * 3600
"""A receiver's ``Retry-After`` is obeyed up to this."""

CLAIM_S = 120
"""A claimed attempt whose outcome is never recorded (a crash) may be repeated after this many seconds.

Longer than any attempt takes (30 s at most), so that the same event is not sent twice at once."""

PROBE_S = 50
"""An endpoint that is down is tried once in so many seconds: less than Retry's minute, so that no tick is missed."""

ENQUEUED_S = 900
"""A delivery that was put on the queue is put there again after this many seconds, should its message be lost."""


def delay_before_s(attempt: int, rng: random.Random) -> int | None:
    """Seconds from the failure of attempt ``attempt - 1`` to ``attempt``; None after the last."""
    if attempt > MAX_ATTEMPTS:
        return None
    delay_s = DELAYS_S[attempt - 1]
    return rng.randint(ceil(delay_s * (1 - JITTER)), floor(delay_s * (1 + JITTER)))
