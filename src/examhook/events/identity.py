"""Event ids that derive from the facts: the same after a retry, a replay or a rebuild of lost state."""

from __future__ import annotations

import hashlib
import json

from examhook.model import AttemptKey


def submission_event_id(account: str, exam_id: str, key: AttemptKey, event_type: str, nth: int) -> str:
    """Id of the ``nth`` event (from 1) of ``event_type`` about one attempt: ``evt_`` and 32 hex digits."""
    return derived_id("evt", account, exam_id, key.candidate_id, str(key.started_at), event_type, str(nth))


def exam_event_id(account: str, exam_id: str, event_type: str, which: str) -> str:
    """Id of an event about one exam; ``which`` tells it from the exam's others of that type."""
    return derived_id("evt", account, exam_id, event_type, which)


def derived_id(prefix: str, *facts: str) -> str:
    """``prefix_`` and the first 128 bits (hex) of the SHA-256 of the facts as a JSON array, which no fact can forge."""
    return f"{prefix}_{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]}"
