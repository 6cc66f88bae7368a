"""From facts to events: the same facts always make the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from examhook.events.body import DetailValue, EndpointTestBody, OperationsBody, SubmissionBody, SubmissionFacts
from examhook.events.catalogue import ENDPOINT_TEST, OperationsEventType
from examhook.events.envelope import ROOT, enveloped, exam_source, instant, path_of
from examhook.events.identity import derived_id
from examhook.model import Submission, Transition, status_name

CONTENT_TYPE = "application/cloudevents+json"
"""Media type of an event's body."""

RESULT_LINK_SECONDS = 1800
"""The provider's result links work for 30 minutes from the answer that carried them."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: what to filter and list it by, and its body."""

    event_id: str
    event_type: str
    account: str | None
    """None for events of the installation as a whole."""
    exam_id: str | None
    status: str | None
    """Name of the submission's status; None for events that are not about a submission."""
    occurred_at: int
    observed_at: int
    sequence: int | None
    """Orders the events of one submission, or of one exam; None for other events."""
    previous_id: str | None
    """The submission's or the exam's event before this one; None for the first."""
    body: bytes = field(repr=False)
    """Exactly the bytes that are sent and signed."""


def submission_event(submission: Submission, transition: Transition) -> Event:
    """The event that announces ``transition`` of ``submission``.

    What can change with a transition (status, score, pass mark, end) is told as it was then, the
    rest as it was last seen. Raises UnwritableInstantError.
    """
    data: SubmissionBody = {
        "account": submission.account,
        "exam": {
            "id": submission.exam_id,
            "title": submission.exam_title,
            "url": submission.exam_url,
            "category": submission.exam_category,
        },
        "candidate": {"id": submission.attempt.candidate_id, "name": submission.attempt.candidate_name},
        "submission": _facts(submission, transition),
        "observed_at": instant(transition.observed_at),
    }
    body = enveloped(
        {**data},
        event_id=transition.event_id,
        event_type=transition.event_type,
        source=exam_source(submission.account, submission.exam_id),
        subject=path_of("candidates", submission.attempt.candidate_id, "attempts", str(submission.attempt.started_at)),
        at=transition.occurred_at,
        revision=transition.sequence,
        previous_id=transition.previous_id,
    )
    return Event(
        event_id=transition.event_id,
        event_type=transition.event_type,
        account=submission.account,
        exam_id=submission.exam_id,
        status=status_name(transition.status_code),
        occurred_at=transition.occurred_at,
        observed_at=transition.observed_at,
        sequence=transition.sequence,
        previous_id=transition.previous_id,
        body=body,
    )


def _facts(submission: Submission, transition: Transition) -> SubmissionFacts:
    attempt, before = submission.attempt, transition.previous_status_code
    # Whoever reads the end of the link compares it with a clock that is right.
    link_until = submission.observed_at + RESULT_LINK_SECONDS
    duration_s = None if transition.ended_at is None else transition.ended_at - attempt.started_at
    return {
        "status": status_name(transition.status_code),
        "status_code": transition.status_code,
        "previous_status": None if before is None else status_name(before),
        "score": _json_number(transition.score_points),
        "passed": transition.passed,
        "started_at": instant(attempt.started_at),
        "ended_at": None if transition.ended_at is None else instant(transition.ended_at),
        # An end before the start is the provider's slip, not a duration.
        "duration_s": duration_s if duration_s is not None and duration_s >= 0 else None,
        "result": None
        if attempt.result_url is None
        else {"url": attempt.result_url, "expires_at": instant(link_until)},
    }


def endpoint_test_event(endpoint_id: str, at: int, salt: str = "") -> Event:
    """The event that a person sends to one endpoint, to see whether it arrives.

    ``salt`` makes each test another event, however soon it follows the one before it.
    """
    data: EndpointTestBody = {
        "endpoint_id": endpoint_id,
        "message": "This is a test. If you can read it and its signature is right, the endpoint works.",
    }
    subject = path_of("endpoints", endpoint_id)
    return _of_the_installation(ENDPOINT_TEST, {**data}, account=None, at=at, subject=subject, salt=salt)


def operations_event(
    event_type: OperationsEventType,
    account: str | None,
    at: int,
    message: str,
    details: Mapping[str, DetailValue],
) -> Event:
    """An event for the operators, to their own topic; ``at`` is when it happened, Unix seconds.

    Its id derives from all that is passed in, so a notice that is repeated keeps its id. Details
    that name an ``endpoint_id`` make that endpoint the event's subject. Neither ``message`` nor
    ``details`` may hold a code, a secret, a result link or a candidate's name.
    """
    endpoint_id = details.get("endpoint_id")
    subject = path_of("endpoints", endpoint_id) if isinstance(endpoint_id, str) else None
    data: OperationsBody = {"account": account, "message": message, "details": dict(details)}
    return _of_the_installation(event_type.value, {**data}, account=account, at=at, subject=subject)


def _of_the_installation(  # noqa: PLR0913 - the parts of an event
    event_type: str, data: Mapping[str, object], *, account: str | None, at: int, subject: str | None, salt: str = ""
) -> Event:
    facts = [event_type, account or "", subject or "", str(at), json.dumps(data, sort_keys=True)]
    event_id = derived_id("evt", *facts, *([salt] if salt else []))
    body = enveloped(
        data,
        event_id=event_id,
        event_type=event_type,
        source=ROOT if account is None else f"{ROOT}/{path_of(account)}",
        subject=subject,
        at=at,
    )
    return Event(
        event_id=event_id,
        event_type=event_type,
        account=account,
        exam_id=None,
        status=None,
        occurred_at=at,
        observed_at=at,
        sequence=None,
        previous_id=None,
        body=body,
    )


def _json_number(points: Decimal | None) -> int | float | None:
    """``30`` for 30 and 30.00, ``30.5`` for 30.5: as a person would write it."""
    if points is None:
        return None
    return int(points) if points == points.to_integral_value() else float(points)
