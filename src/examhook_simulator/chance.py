"""Random decisions that are the same in every request."""

from __future__ import annotations

import hashlib

_SPAN = 1 << 64


def chance(*facts: str | int) -> float:
    """Return a number from 0 to below 1 that depends on ``facts`` only."""
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN
