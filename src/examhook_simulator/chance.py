"""Decisions that look random and are the same at every request."""

from __future__ import annotations

import hashlib

_SPAN = 1 << 64


def chance(*facts: str | int) -> float:
    """A number from 0 to below 1 that depends on nothing but ``facts``."""
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN
