"""What an observed row makes of a stored submission: nothing, a silent correction, or one event.

====================================  ============================================
stored → observed                     event
====================================  ============================================
nothing → any status                  the status's own type
open → final, final → another final   the new status's own type
final → the same, ended later         the status's own type again: handed in again
any other status → open               ``submission.reopened``
final, other score or pass mark       ``submission.rescored``
gone in two full passes in a row      ``submission.removed``
removed → any status                  the status's own type
====================================  ============================================

A field that an answer lacks is not a change: what was known of it stays known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from examhook.detection.change import Change
from examhook.events.catalogue import EventType, type_of_status
from examhook.events.identity import submission_event_id
from examhook.model import Attempt, Exam, Status, Submission, Transition

_OBSERVED = frozenset({EventType.RESCORED, EventType.REOPENED, EventType.REMOVED})
"""What the provider gives no time for: it happened when it was observed."""

KEPT_TRANSITIONS = 5
"""How many transitions an item keeps, so that missed events can be rebuilt from it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The circumstances under which rows of one exam were seen."""

    account: str
    exam: Exam
    observed_at: int
    """By our clock, Unix seconds."""
    fence: int
    """Fencing value of the poll that saw them."""
    silent_before: int | None = None
    """What happened before this instant is recorded, not announced; None: everything is announced."""


def change_from(stored: Submission | None, seen: Attempt, observation: Observation) -> Change | None:
    """The change that row ``seen`` makes of what is ``stored``, None when it says nothing new."""
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
    """The change that its absence from a complete, quiet full pass makes of a submission.

    The first time it is only noted; the next full pass announces the removal.
    """
    if stored.removed or (stored.missing_since is not None and not _is_later(observation, stored)):
        return None
    after = replace(
        stored,
        version=stored.version + 1,
        fence=observation.fence,
        observed_at=observation.observed_at,
        missing_since=stored.missing_since or observation.observed_at,
    )
    if stored.missing_since is not None:
        after = announced(replace(after, removed=True), EventType.REMOVED, stored.attempt.status_code)
    return Change(stored, after)


def _is_later(observation: Observation, missing: Submission) -> bool:
    """Whether it is of a later pass than the one that missed it first; that one's clock may have been ahead."""
    since = missing.missing_since or 0
    return observation.observed_at > since or (observation.observed_at < since and observation.fence > missing.fence)


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
    if observation.silent_before is not None and happened_at(seen) < observation.silent_before:
        return replace(submission, type_counts={event_type.value: 1})
    return announced(submission, event_type, None)


def happened_at(attempt: Attempt) -> int:
    """When the row's last known change happened: its end, or its start where no end is shown."""
    if attempt.status_code == Status.IN_TEST or attempt.ended_at is None:
        return attempt.started_at
    return attempt.ended_at


def _without_results(running: Attempt) -> Attempt:
    """A running attempt's score, pass mark and end are no facts yet."""
    return replace(running, ended_at=None, score_points=None, passed=None)


def _merged(stored: Attempt, seen: Attempt) -> Attempt:
    """``seen``, with what this answer lacks taken from ``stored``."""
    seen = replace(seen, candidate_name=seen.candidate_name or stored.candidate_name)
    if seen.status_code == Status.IN_TEST:
        return _without_results(seen)
    return replace(
        seen,
        ended_at=stored.ended_at if seen.ended_at is None else seen.ended_at,
        score_points=stored.score_points if seen.score_points is None else seen.score_points,
        passed=stored.passed if seen.passed is None else seen.passed,
    )


def _completes(before: Attempt, after: Attempt) -> bool:
    """Whether ``after`` holds a fact that was never shown before; a new name or link is none."""
    comparable = replace(after, result_url=before.result_url, candidate_name=before.candidate_name)
    return comparable != before or (before.candidate_name is None and after.candidate_name is not None)


def _type_of_change(before: Attempt, after: Attempt) -> EventType | None:
    if after.status_code != before.status_code:
        return EventType.REOPENED if after.status_code == Status.IN_TEST else type_of_status(after.status_code)
    if not after.is_final:
        return None
    if before.ended_at is not None and after.ended_at is not None and after.ended_at > before.ended_at:
        return type_of_status(after.status_code)
    # A pass mark that was never shown before is a new column, not a new verdict.
    judged_anew = before.passed is not None and after.passed != before.passed
    return EventType.RESCORED if judged_anew or after.score_points != before.score_points else None


def announced(submission: Submission, event_type: EventType, previous_status_code: int | None) -> Submission:
    """``submission`` with one more transition, of ``event_type``, made of its present facts."""
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
