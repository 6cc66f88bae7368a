"""Changes that a row makes to a stored submission, and the event of each change. Some corrections cause no event.

====================================  ============================================
stored → row                          event
====================================  ============================================
nothing → any status                  the type of the status
running → final, final → other final  the type of the new status
final → same status, later end        the type of the status again
any other status → running            ``submission.reopened``
final, other score or pass mark       ``submission.rescored``
missing in two complete full scans    ``submission.removed``
removed → any status                  the type of the status
====================================  ============================================

A missing field is not a change; the stored value stays.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from examhook.detection.old_results import happened_at
from examhook.events.catalogue import EventType, type_of_status
from examhook.events.identity import submission_event_id
from examhook.model import Attempt, AttemptKey, Exam, Status, Submission, Transition

_OBSERVED = frozenset({EventType.RESCORED, EventType.REOPENED, EventType.REMOVED})
"""Changes without a time from the provider. Their events carry the time of the poll."""

KEPT_TRANSITIONS = 5
"""Transitions that a submission keeps, so that missed events can be rebuilt from it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One submission to write."""

    before: Submission | None
    """The stored submission that it replaces; None for a new one."""
    after: Submission
    again: tuple[int, ...] = ()
    """Sequences of earlier transitions to announce again."""

    @property
    def announces(self) -> bool:
        """Whether the write causes an event."""
        return bool(self.again) or self.after.sequence > (self.before.sequence if self.before else 0)


@dataclass(frozen=True, slots=True)
class Observation:
    """The circumstances in which rows of one exam were read."""

    account: str
    exam: Exam
    observed_at: int
    """Unix seconds by our clock."""
    fence: int
    """Fencing token of the poll."""
    old_before: int | None = None
    """Changes before this instant are recorded and not announced; None: all changes are announced."""


def diff(rows: Iterable[Attempt], stored: Mapping[AttemptKey, Submission], observation: Observation) -> list[Change]:
    """Return the changes for distinct ``rows``, in stored order."""
    changes = (change_from(stored.get(row.key), row, observation) for row in rows)
    return sorted((change for change in changes if change is not None), key=lambda change: change.after.key)


def absences(
    seen: Container[AttemptKey], stored: Mapping[AttemptKey, Submission], observation: Observation
) -> list[Change]:
    """Return the changes for ``stored`` submissions that a complete full scan did not see."""
    gone = (change_from_absence(each, observation) for key, each in stored.items() if key not in seen)
    return [change for change in gone if change is not None]


def further_along(one: Attempt, other: Attempt) -> Attempt:
    """Return the more advanced of two rows of one attempt, ``one`` if neither is.

    A row that moves between pages may appear twice and differ. The choice must not depend on the order of the pages,
    or every scan would see a change.
    """
    return other if _progress(other) > _progress(one) else one


def _progress(row: Attempt) -> tuple[bool, int, int, Decimal]:
    return (row.is_final, row.ended_at or 0, row.status_code, row.score_points or Decimal(0))


def change_from(stored: Submission | None, seen: Attempt, observation: Observation) -> Change | None:
    """Return how the row ``seen`` changes ``stored``; None if it does not."""
    if stored is None:
        return Change(None, _first_seen(seen, observation))
    attempt = _merged(stored.attempt, seen)
    event_type = type_of_status(attempt.status_code) if stored.removed else _type_of_change(stored.attempt, attempt)
    if event_type is None and stored.missing_since is None and not _completes(stored.attempt, attempt):
        return None
    after = replace(
        stored,
        exam_title=observation.exam.title,
        exam_url=observation.exam.url,
        exam_category=observation.exam.category,
        attempt=attempt,
        observed_at=observation.observed_at,
        version=stored.version + 1,
        fence=observation.fence,
        missing_since=None,
        removed=False,
    )
    if event_type is not None:
        after = announced(after, event_type, stored.attempt.status_code)
    return Change(stored, after)


def change_from_absence(stored: Submission, observation: Observation) -> Change | None:
    """Return the change for a submission that a complete full scan did not see.

    The first such scan records the absence. A later one announces the removal.
    """
    since = stored.missing_since
    if stored.removed or (since is not None and observation.fence <= stored.fence):
        return None
    after = replace(
        stored,
        version=stored.version + 1,
        fence=observation.fence,
        observed_at=observation.observed_at,
        missing_since=since or observation.observed_at,
    )
    if since is not None:
        after = announced(replace(after, removed=True), EventType.REMOVED, stored.attempt.status_code)
    return Change(stored, after)


def is_step_back(change: Change) -> bool:
    """Whether a change contradicts a final attempt. A stale answer would too, so another request must confirm it."""
    before = change.before
    return before is not None and before.attempt.is_final and not before.removed and change.announces


def _first_seen(seen: Attempt, observation: Observation) -> Submission:
    seen = _without_results(seen) if seen.status_code == Status.IN_TEST else seen
    event_type = type_of_status(seen.status_code)
    submission = Submission(
        account=observation.account,
        exam_id=observation.exam.exam_id,
        exam_title=observation.exam.title,
        exam_url=observation.exam.url,
        exam_category=observation.exam.category,
        attempt=seen,
        observed_at=observation.observed_at,
        fence=observation.fence,
    )
    if observation.old_before is not None and happened_at(seen) < observation.old_before:
        return replace(submission, type_counts={event_type.value: 1})
    return announced(submission, event_type, None)


def _without_results(running: Attempt) -> Attempt:
    """Remove score, pass mark and end: they are not final while an attempt runs."""
    return replace(running, ended_at=None, score_points=None, passed=None)


def _merged(stored: Attempt, seen: Attempt) -> Attempt:
    """Return ``seen`` with its missing fields filled from ``stored``."""
    seen = replace(
        seen,
        candidate_name=seen.candidate_name or stored.candidate_name,
        record_id=seen.record_id or stored.record_id,
    )
    if seen.status_code == Status.IN_TEST:
        return _without_results(seen)
    return replace(
        seen,
        ended_at=stored.ended_at if seen.ended_at is None else seen.ended_at,
        score_points=stored.score_points if seen.score_points is None else seen.score_points,
        passed=stored.passed if seen.passed is None else seen.passed,
    )


def _completes(before: Attempt, after: Attempt) -> bool:
    """Whether ``after`` contains a new fact. A changed name or link is not a fact."""
    comparable = replace(after, result_url=before.result_url, candidate_name=before.candidate_name)
    return comparable != before or (before.candidate_name is None and after.candidate_name is not None)


def _type_of_change(before: Attempt, after: Attempt) -> EventType | None:
    if after.status_code != before.status_code:
        return EventType.REOPENED if after.status_code == Status.IN_TEST else type_of_status(after.status_code)
    if not after.is_final:
        return None
    if before.ended_at is not None and after.ended_at is not None and after.ended_at > before.ended_at:
        return type_of_status(after.status_code)
    # A pass mark that appears for the first time is not a change.
    passed_changed = before.passed is not None and after.passed != before.passed
    return EventType.RESCORED if passed_changed or after.score_points != before.score_points else None


def announced(submission: Submission, event_type: EventType, previous_status_code: int | None) -> Submission:
    """Return ``submission`` with one more transition, of type ``event_type``, from its current facts."""
    attempt = submission.attempt
    nth = submission.type_counts.get(event_type, 0) + 1
    counts: Mapping[str, int] = {**submission.type_counts, event_type.value: nth}
    transition = Transition(
        event_id=submission_event_id(submission.account, submission.exam_id, submission.key, event_type, nth),
        event_type=event_type.value,
        sequence=submission.sequence + 1,
        previous_id=submission.transitions[-1].event_id if submission.transitions else None,
        status_code=attempt.status_code,
        previous_status_code=previous_status_code,
        occurred_at=_occurred_at(event_type, submission),
        observed_at=submission.observed_at,
        score_points=attempt.score_points,
        passed=attempt.passed,
        ended_at=attempt.ended_at,
    )
    return replace(
        submission,
        transitions=(*submission.transitions, transition)[-KEPT_TRANSITIONS:],
        type_counts=counts,
        sequence=transition.sequence,
    )


def _occurred_at(event_type: EventType, submission: Submission) -> int:
    attempt = submission.attempt
    if event_type is EventType.STARTED:
        return attempt.started_at
    if event_type in _OBSERVED or attempt.ended_at is None:
        return submission.observed_at
    return attempt.ended_at
