"""Candidates whose data was erased: what the provider still shows of them is not news.

Nothing is kept of such a candidate but a keyed hash of the id, and when it was. An attempt that began
before that is passed over in silence, however often it is seen and whatever becomes of it; one that
begins later is the candidate's own new doing, and announced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from examhook.detection.watch import ExamWatch
from examhook.model import Attempt, AttemptKey, Exam, Status, Submission

KEY_BYTES = 32
_HASH_BYTES = 16


def hash_of(candidate_id: str, key: bytes) -> str:
    """What stands for a candidate of the account that ``key`` belongs to: hex; means nothing without the key."""
    return blake2b(candidate_id.encode(errors="surrogatepass"), key=key, digest_size=_HASH_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Erased:
    """The erased candidates of one account."""

    erased_at: Mapping[str, int] = field(default_factory=dict)
    """When (Unix seconds), by hash."""
    key: bytes = field(default=b"", repr=False)

    def covers(self, attempt: AttemptKey) -> bool:
        """Whether nothing is to be stored or told of ``attempt``."""
        if not self.erased_at:
            return False
        return attempt.started_at <= self.erased_at.get(hash_of(attempt.candidate_id, self.key), -1)


def blank(row: Attempt) -> Attempt:
    """What is looked at of an erased candidate's ``row``: that it is there. It has ended and never changes."""
    return Attempt(row.candidate_id, row.started_at, Status.SUBMITTED, ended_at=row.started_at)


def as_if_stored(row: Attempt, account: str, exam: Exam, observed_at: int) -> Submission:
    """A blank ``row`` as one that was stored before, so that it is nothing new; it never is stored."""
    return Submission(
        account=account,
        exam_id=exam.exam_id,
        exam_title=exam.title,
        exam_url=exam.url,
        exam_category=exam.category,
        attempt=row,
        observed_at=observed_at,
    )


def forgotten(watch: ExamWatch, erased: Erased) -> ExamWatch | None:
    """``watch`` without the running attempts of erased candidates; None where it names none."""
    running = _others(watch.open_attempts, erased)
    progress = watch.progress
    if progress is not None:
        last = progress.last
        others = {key: place for key, place in progress.running.items() if not erased.covers(key)}
        progress = replace(
            progress,
            last=None if last is not None and erased.covers(last) else last,
            open_attempts=tuple(others),
            open_places=tuple(others.values()),
        )
    gone = len(watch.open_attempts) - len(running)
    if not gone and progress == watch.progress:
        return None
    return replace(watch, open_attempts=running, open_count=watch.open_count - gone, progress=progress)


def _others(attempts: tuple[AttemptKey, ...], erased: Erased) -> tuple[AttemptKey, ...]:
    return tuple(key for key in attempts if not erased.covers(key))
