"""Values of the model for tests: an ordinary one each, with what the test cares about overridden."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from examhook.events.catalogue import EventType
from examhook.events.identity import submission_event_id
from examhook.model import Attempt, AttemptKey, Exam, Submission, Transition

ACCOUNT = "main"
STARTED_AT = 1_777_815_120
"""3 May 2026, 13:32 UTC."""
ENDED_AT = STARTED_AT + 1800
OBSERVED_AT = ENDED_AT + 60


def exam(**overrides: Any) -> Exam:
    """An available exam."""
    values: dict[str, Any] = {
        "exam_id": "23812",
        "title": "Anatomy II",
        "available": True,
        "attempt_count": 120,
        "url": "https://provider.test/exam/23812",
        "category": "Medicine",
    }
    return Exam(**{**values, **overrides})


def attempt(**overrides: Any) -> Attempt:
    """An attempt that was submitted and passed."""
    values: dict[str, Any] = {
        "candidate_id": "19382",
        "candidate_name": "Mei Chen",
        "started_at": STARTED_AT,
        "status_code": 1,
        "ended_at": ENDED_AT,
        "score_points": Decimal(87),
        "passed": True,
        "result_url": "https://provider.test/viewresult/made-up-token",
    }
    return Attempt(**{**values, **overrides})


def transition(**overrides: Any) -> Transition:
    """The first event of ``attempt()``: submitted."""
    event_type = str(overrides.get("event_type", EventType.SUBMITTED.value))
    values: dict[str, Any] = {
        "event_id": submission_event_id(ACCOUNT, "23812", AttemptKey(STARTED_AT, "19382"), event_type, 1),
        "event_type": event_type,
        "sequence": 1,
        "previous_id": None,
        "status_code": 1,
        "previous_status_code": None,
        "occurred_at": ENDED_AT,
        "observed_at": OBSERVED_AT,
        "score_points": Decimal(87),
        "passed": True,
        "ended_at": ENDED_AT,
    }
    return Transition(**{**values, **overrides})


def submission(**overrides: Any) -> Submission:
    """``attempt()`` as stored when its one event was announced; ``sequence`` and counts follow the transitions."""
    of_exam = exam()
    transitions: tuple[Transition, ...] = overrides.get("transitions", (transition(),))
    counts: dict[str, int] = {}
    for each in transitions:
        counts[each.event_type] = counts.get(each.event_type, 0) + 1
    values: dict[str, Any] = {
        "account": ACCOUNT,
        "exam_id": of_exam.exam_id,
        "exam_title": of_exam.title,
        "exam_url": of_exam.url,
        "exam_category": of_exam.category,
        "attempt": attempt(),
        "observed_at": OBSERVED_AT,
        "transitions": transitions,
        "type_counts": counts,
        "sequence": max((each.sequence for each in transitions), default=0),
    }
    return Submission(**{**values, **overrides})
