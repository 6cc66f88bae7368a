"""Builds events from facts. The same facts always yield the same bytes.

An event is a CloudEvent and a Standard Webhooks payload at the same time. Sources: CloudEvents 1.0.2 and its JSON
format; Standard Webhooks 1.0.0, "Payload structure" (``type``, ``timestamp``, ``data``). ``revision`` and
``previousid`` are our own extensions: the CloudEvents extension ``sequence`` orders all events of one ``source``, and
here a ``source`` is a whole exam.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from examhook.events.body import (
    AvailabilityBody,
    DetailValue,
    EndpointTestBody,
    ExamBody,
    OperationsBody,
    SubmissionBody,
    SubmissionFacts,
    VerificationBody,
    VerifiedBody,
)
from examhook.events.catalogue import ENDPOINT_TEST, OperationsEventType
from examhook.events.encoding import compact, instant, path_of
from examhook.events.identity import derived_id
from examhook.model import STATUS_NAMES, Exam, ExamTransition, Receipt, Submission, Transition, status_name

CONTENT_TYPE = "application/cloudevents+json"
"""Media type of an event's body."""

RESULT_LINK_LIFETIME_S = 1800
"""Result links expire 30 minutes after the answer that contained them."""

_RECEIPTS = "verification"
"""Subject of receipts. Receivers compare ``revision`` per subject, so receipts do not outdate openings or closings."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its body, and the attributes that lists and filters use."""

    event_id: str
    event_type: str
    account: str | None
    """None for events about the whole installation."""
    exam_id: str | None
    status: str | None
    """Status name of the submission; None for other events."""
    occurred_at: int
    observed_at: int
    sequence: int | None
    """Orders the events of one submission or one exam; None for other events."""
    previous_id: str | None
    """Id of the previous event of this submission or exam; None for the first."""
    body: bytes = field(repr=False)
    """Exactly the bytes that are sent and signed."""


def submission_event(submission: Submission, transition: Transition) -> Event:
    """Return the event that announces ``transition`` of ``submission``; raises UnwritableInstantError.

    Status, score, pass mark and end are those at the time of the transition; everything else is as last seen.
    """
    attempt = submission.attempt
    data: SubmissionBody = {
        "account": submission.account,
        "exam": {
            "id": submission.exam_id,
            "title": submission.exam_title,
            "url": submission.exam_url,
            "category": submission.exam_category,
        },
        "candidate": {"id": attempt.candidate_id, "name": attempt.candidate_name},
        "submission": _facts(submission, transition),
        "observed_at": instant(transition.observed_at),
    }
    return _event(
        {**data},
        event_id=transition.event_id,
        event_type=transition.event_type,
        account=submission.account,
        exam_id=submission.exam_id,
        subject=path_of("candidates", attempt.candidate_id, "attempts", str(attempt.started_at)),
        status=status_name(transition.status_code),
        occurred_at=transition.occurred_at,
        observed_at=transition.observed_at,
        sequence=transition.sequence,
        previous_id=transition.previous_id,
    )


def exam_event(account: str, exam: Exam, transition: ExamTransition) -> Event:
    """Return the event that announces ``transition`` of an exam; raises UnwritableInstantError."""
    described: ExamBody = {"id": exam.exam_id, "title": exam.title, "url": exam.url, "category": exam.category}
    observed_at = instant(transition.observed_at)
    data: AvailabilityBody | VerifiedBody
    if transition.receipt is None:
        data = {
            "account": account,
            "exam": described,
            "available": bool(transition.available),
            "previously_available": transition.previously_available,
            "observed_at": observed_at,
        }
    else:
        data = {
            "account": account,
            "exam": described,
            "verification": _verification(transition.receipt),
            "observed_at": observed_at,
        }
    return _event(
        {**data},
        event_id=transition.event_id,
        event_type=transition.event_type,
        account=account,
        exam_id=exam.exam_id,
        subject=None if transition.receipt is None else _RECEIPTS,
        occurred_at=transition.observed_at,
        observed_at=transition.observed_at,
        sequence=transition.sequence,
        previous_id=transition.previous_id,
    )


def endpoint_test_event(endpoint_id: str, at: int, salt: str = "") -> Event:
    """Return a test event for one endpoint. Two tests within one second differ by their ``salt``."""
    data: EndpointTestBody = {
        "endpoint_id": endpoint_id,
        "message": "This is a test. If you can read it and its signature is right, the endpoint works.",
    }
    subject = path_of("endpoints", endpoint_id)
    return _installation_event(ENDPOINT_TEST, {**data}, account=None, at=at, subject=subject, salt=salt)


def operations_event(
    event_type: OperationsEventType,
    account: str | None,
    at: int,
    message: str,
    details: Mapping[str, DetailValue],
) -> Event:
    """Return an event for the operators; ``at`` is when it happened, in Unix seconds.

    The id derives from all arguments, so a repeated notice keeps its id. An ``endpoint_id`` in ``details`` becomes the
    subject. ``message`` and ``details`` must not contain account codes, secrets, result links or candidate names.
    """
    endpoint_id = details.get("endpoint_id")
    subject = path_of("endpoints", endpoint_id) if isinstance(endpoint_id, str) else None
    data: OperationsBody = {"account": account, "message": message, "details": dict(details)}
    return _installation_event(event_type.value, {**data}, account=account, at=at, subject=subject)


def _installation_event(  # noqa: PLR0913 - the parts of an event
    event_type: str, data: Mapping[str, object], *, account: str | None, at: int, subject: str | None, salt: str = ""
) -> Event:
    facts = [event_type, account or "", subject or "", str(at), json.dumps(data, sort_keys=True)]
    return _event(
        data,
        event_id=derived_id("evt", *facts, *([salt] if salt else [])),
        event_type=event_type,
        account=account,
        subject=subject,
        occurred_at=at,
        observed_at=at,
    )


def _event(  # noqa: PLR0913 - the parts of an event
    data: Mapping[str, object],
    *,
    event_id: str,
    event_type: str,
    account: str | None,
    subject: str | None,
    occurred_at: int,
    observed_at: int,
    exam_id: str | None = None,
    status: str | None = None,
    sequence: int | None = None,
    previous_id: str | None = None,
) -> Event:
    time = instant(occurred_at)
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "source": _source(account, exam_id),
        "type": event_type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "timestamp": time,
        "revision": sequence,
        "previousid": previous_id,
    }
    stated = {name: value for name, value in attributes.items() if value is not None}
    return Event(
        event_id=event_id,
        event_type=event_type,
        account=account,
        exam_id=exam_id,
        status=status,
        occurred_at=occurred_at,
        observed_at=observed_at,
        sequence=sequence,
        previous_id=previous_id,
        body=compact(stated | {"data": data}),
    )


def _source(account: str | None, exam_id: str | None) -> str:
    if account is None:
        return "/examhook"
    return f"/examhook/{path_of(account) if exam_id is None else path_of(account, 'exams', exam_id)}"


def _facts(submission: Submission, transition: Transition) -> SubmissionFacts:
    attempt, before = submission.attempt, transition.previous_status_code
    # By our clock: a receiver compares the expiry with a correct clock, and the provider's may be wrong.
    link_expires_at = submission.observed_at + RESULT_LINK_LIFETIME_S
    duration_s = None if transition.ended_at is None else transition.ended_at - attempt.started_at
    return {
        "status": status_name(transition.status_code),
        "status_code": transition.status_code,
        "previous_status": None if before is None else status_name(before),
        "score": _json_number(transition.score_points),
        "passed": transition.passed,
        "started_at": instant(attempt.started_at),
        "ended_at": None if transition.ended_at is None else instant(transition.ended_at),
        # The provider sometimes states an end before the start; that is not a duration.
        "duration_s": duration_s if duration_s is not None and duration_s >= 0 else None,
        "result": None
        if attempt.result_url is None
        else {"url": attempt.result_url, "expires_at": instant(link_expires_at)},
    }


def _verification(receipt: Receipt) -> VerificationBody:
    statuses = dict.fromkeys([*STATUS_NAMES.values(), status_name(-1)], 0)
    for status_code, count in receipt.status_counts.items():
        statuses[status_name(status_code)] += count
    return {
        "watermark": instant(receipt.watermark),
        "attempts": sum(receipt.status_counts.values()),
        "statuses": statuses,
        "digest": receipt.digest,
    }


def _json_number(points: Decimal | None) -> int | float | None:
    """Return 30 for 30.00 and 30.5 for 30.50."""
    if points is None:
        return None
    return int(points) if points == points.to_integral_value() else float(points)
