"""Erased candidates: attempts that began before the erasure are never stored or announced.

Examhook keeps only a keyed hash of the candidate's id and the time of the erasure. Later attempts are announced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from examhook.detection.exam_state import ExamState
from examhook.model import AttemptKey

KEY_BYTES = 32
_HASH_BYTES = 16


def hash_of(candidate_id: str, key: bytes) -> str:
    """Return the hash (hex) of a candidate under the account's ``key``."""
    return blake2b(candidate_id.encode(errors="surrogatepass"), key=key, digest_size=_HASH_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Erased:
    """The erased candidates of one account."""

    erased_at: Mapping[str, int] = field(default_factory=dict)
    """Time of each erasure (Unix seconds) by hash."""
    key: bytes = field(default=b"", repr=False)

    def covers(self, attempt: AttemptKey) -> bool:
        """Whether ``attempt`` must not be stored or announced."""
        if not self.erased_at:
            return False
        return attempt.started_at <= self.erased_at.get(hash_of(attempt.candidate_id, self.key), -1)


def without_erased(state: ExamState, erased: Erased) -> ExamState | None:
    """Return ``state`` without attempts of erased candidates; None if it has no such attempts."""
    running = tuple(key for key in state.running if not erased.covers(key))
    cursor = state.cursor
    if cursor is not None and cursor.last is not None and erased.covers(cursor.last):
        cursor = replace(cursor, last=None)
    removed_count = len(state.running) - len(running)
    if not removed_count and cursor == state.cursor:
        return None
    return replace(state, running=running, running_count=state.running_count - removed_count, cursor=cursor)
