"""What came back for one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names are looked up whatever their case."""
    body: bytes = field(repr=False)
    """Decompressed."""
    truncated: bool
    """Whether there was more of the body, which was left unread."""
    elapsed_s: float
