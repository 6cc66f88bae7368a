"""Submissions as Poll stores them, each with one event."""

from __future__ import annotations

from decimal import Decimal

from examhook.events.catalogue import EventType
from examhook.events.identity import submission_event_id
from examhook.model import Attempt, AttemptKey, Submission, Transition

ACCOUNT, EXAM_ID = "main", "700001"


def submitted(number: int, at: int) -> Submission:
    """Return the submission of candidate ``number``, submitted at ``at`` (Unix seconds)."""
    started_at = at - 1800
    candidate_id = f"{100_000 + number}"
    event_type = EventType.SUBMITTED.value
    event_id = submission_event_id(ACCOUNT, EXAM_ID, AttemptKey(started_at, candidate_id), event_type, 1)
    return Submission(
        account=ACCOUNT,
        exam_id=EXAM_ID,
        exam_title="Anatomy II",
        exam_url="https://provider.example/exam/700001",
        exam_category="Medicine",
        attempt=Attempt(
            candidate_id=candidate_id,
            candidate_name=f"Candidate {number}",
            started_at=started_at,
            status_code=1,
            ended_at=at,
            score_points=Decimal(87),
            passed=True,
            result_url=f"https://provider.example/viewresult/{number:032x}",
        ),
        observed_at=at,
        transitions=(
            Transition(
                event_id=event_id,
                event_type=event_type,
                sequence=1,
                previous_id=None,
                status_code=1,
                previous_status_code=None,
                occurred_at=at,
                observed_at=at,
                score_points=Decimal(87),
                passed=True,
                ended_at=at,
            ),
        ),
        type_counts={event_type: 1},
        sequence=1,
    )
