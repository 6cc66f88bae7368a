"""Values of the model for tests: an ordinary one each, with what the test cares about overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict, Unpack

from examhook.events.catalogue import EventType
from examhook.events.identity import submission_event_id
from examhook.model import Attempt, AttemptKey, Exam, Submission, Transition

ACCOUNT = "main"
STARTED_AT = 1_777_815_120
"""3 May 2026, 13:32 UTC."""
ENDED_AT = STARTED_AT + 1800
OBSERVED_AT = ENDED_AT + 60


class ExamFields(TypedDict, total=False):
    """Fields of an Exam that a test sets."""

    exam_id: str
    title: str
    available: bool | None
    attempt_count: int | None
    url: str | None
    category: str | None


class RowFields(TypedDict, total=False):
    """Fields of an Attempt that a test sets, except its status and its end."""

    candidate_id: str
    started_at: int
    candidate_name: str | None
    score_points: Decimal | None
    passed: bool | None
    result_url: str | None
    record_id: str | None


class AttemptFields(RowFields, total=False):
    """Fields of an Attempt that a test sets."""

    status_code: int
    ended_at: int | None


class TransitionFields(TypedDict, total=False):
    """Fields of a Transition that a test sets."""

    event_id: str
    event_type: str
    sequence: int
    previous_id: str | None
    status_code: int
    previous_status_code: int | None
    occurred_at: int
    observed_at: int
    score_points: Decimal | None
    passed: bool | None
    ended_at: int | None
    recalled_at: int | None


class SubmissionFields(TypedDict, total=False):
    """Fields of a Submission that a test sets."""

    account: str
    exam_id: str
    exam_title: str
    exam_url: str | None
    exam_category: str | None
    attempt: Attempt
    observed_at: int
    transitions: tuple[Transition, ...]
    type_counts: Mapping[str, int]
    sequence: int
    version: int
    fence: int
    missing_since: int | None
    removed: bool


def exam(**fields: Unpack[ExamFields]) -> Exam:
    """An available exam."""
    ordinary = Exam(
        exam_id="23812",
        title="Anatomy II",
        available=True,
        attempt_count=120,
        url="https://provider.test/exam/23812",
        category="Medicine",
    )
    return replace(ordinary, **fields)


def attempt(**fields: Unpack[AttemptFields]) -> Attempt:
    """An attempt that was submitted and passed."""
    ordinary = Attempt(
        candidate_id="19382",
        candidate_name="Mei Chen",
        started_at=STARTED_AT,
        status_code=1,
        ended_at=ENDED_AT,
        score_points=Decimal(87),
        passed=True,
        result_url="https://provider.test/viewresult/made-up-token",
    )
    return replace(ordinary, **fields)


def transition(**fields: Unpack[TransitionFields]) -> Transition:
    """The first event of ``attempt()``: submitted."""
    event_type = str(fields.get("event_type", EventType.SUBMITTED.value))
    ordinary = Transition(
        event_id=submission_event_id(ACCOUNT, "23812", AttemptKey(STARTED_AT, "19382"), event_type, 1),
        event_type=event_type,
        sequence=1,
        previous_id=None,
        status_code=1,
        previous_status_code=None,
        occurred_at=ENDED_AT,
        observed_at=OBSERVED_AT,
        score_points=Decimal(87),
        passed=True,
        ended_at=ENDED_AT,
    )
    return replace(ordinary, **fields)


def submission(**fields: Unpack[SubmissionFields]) -> Submission:
    """``attempt()`` as stored when its one event was announced; ``sequence`` and counts follow the transitions."""
    of_exam = exam()
    transitions = fields.get("transitions", (transition(),))
    counts: dict[str, int] = {}
    for each in transitions:
        counts[each.event_type] = counts.get(each.event_type, 0) + 1
    ordinary = Submission(
        account=ACCOUNT,
        exam_id=of_exam.exam_id,
        exam_title=of_exam.title,
        exam_url=of_exam.url,
        exam_category=of_exam.category,
        attempt=attempt(),
        observed_at=OBSERVED_AT,
        transitions=transitions,
        type_counts=counts,
        sequence=max((each.sequence for each in transitions), default=0),
    )
    return replace(ordinary, **fields)
