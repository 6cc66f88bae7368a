"""A digest of an exam's attempts that does not depend on their order, so that an unchanged scan reads nothing back.

It is the sum, modulo 2⁶⁴, of a 64-bit hash of each attempt's facts. A change adds the difference of two
hashes. Links and names are no facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from examhook.detection.change import Change
from examhook.model import Attempt, Status, Submission

_MODULUS = 1 << 64


def digest_of(attempts: Iterable[Attempt]) -> int:
    """Digest of distinct attempts."""
    return sum(map(_hash, attempts)) % _MODULUS


def combined(one: int, other: int) -> int:
    """Digest of the attempts behind two digests that share none."""
    return (one + other) % _MODULUS


def after_change(digest: int, change: Change) -> int:
    """Digest of all stored attempts after ``change`` was written."""
    before = 0 if change.before is None else _stored_hash(change.before)
    return (digest - before + _stored_hash(change.after)) % _MODULUS


def _stored_hash(submission: Submission) -> int:
    # The provider no longer lists a removed one.
    return 0 if submission.removed else _hash(submission.attempt)


def _hash(attempt: Attempt) -> int:
    # A record keeps its id when the provider corrects its start.
    identity = f"{attempt.candidate_id}|{attempt.record_id or attempt.started_at}"
    if attempt.status_code == Status.IN_TEST:
        facts = f"{identity}|0"
    else:
        # The provider package writes equal decimals alike.
        facts = f"{identity}|{attempt.status_code}|{attempt.ended_at}|{attempt.score_points!s}|{attempt.passed}"
    return int.from_bytes(blake2b(facts.encode(), digest_size=8).digest())
