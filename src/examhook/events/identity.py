"""Event ids. They derive from the facts, so a retry, a replay or a rebuild of lost state yields the same id."""

from __future__ import annotations

import hashlib
import json

from examhook.model import AttemptKey


def submission_event_id(account: str, exam_id: str, key: AttemptKey, event_type: str, nth: int) -> str:
    """Return the id of the ``nth`` event (from 1) of ``event_type`` about one attempt."""
    return derived_id("evt", account, exam_id, key.candidate_id, str(key.started_at), event_type, str(nth))


def exam_event_id(account: str, exam_id: str, event_type: str, which: str) -> str:
    """Return the id of an event about one exam; ``which`` distinguishes the exam's events of one type."""
    return derived_id("evt", account, exam_id, event_type, which)


def derived_id(prefix: str, *facts: str) -> str:
    """Return ``prefix_`` and 32 hex digits: the first 128 bits of the SHA-256 of the facts as a JSON array."""
    return f"{prefix}_{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]}"
