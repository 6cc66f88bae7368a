"""Schedule of attempts: ten within about three days, and related timeouts.

Delays grow fast, so that a receiver that restarts gets its events within seconds, and a receiver that fails over a
weekend gets them on Monday.
"""

from __future__ import annotations

import random
from math import ceil, floor

DELAYS_S = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Delay of each attempt after the previous one."""

MAX_ATTEMPTS = len(DELAYS_S)

JITTER = 0.1
"""Maximum random change of a delay, as a fraction, so that deliveries that failed together are not retried together."""

MAX_RETRY_AFTER_S = 24 * 3600
"""Maximum delay that a receiver can request with ``Retry-After``."""

CLAIM_TIMEOUT_S = 120
"""Time after which an attempt without a recorded result (a crash) is repeated.

Longer than any attempt (30 s), so that two attempts for the same event never run at the same time."""

PROBE_INTERVAL_S = 50
"""Minimum time between attempts at an endpoint that is down; less than a minute, so that each tick of Retry probes."""

REQUEUE_AFTER_S = 900
"""Time after which a delivery is enqueued again, in case its message was lost."""


def delay_before_s(attempt: int, rng: random.Random) -> int | None:
    """Delay between attempts ``attempt - 1`` and ``attempt`` (starts at 1); None beyond the last."""
    if attempt > MAX_ATTEMPTS:
        return None
    delay_s = DELAYS_S[attempt - 1]
    return rng.randint(ceil(delay_s * (1 - JITTER)), floor(delay_s * (1 + JITTER)))
