"""Shape of an event's ``data``, as published in ``docs/events/``.

Every key is always present; a value that the provider does not state is null. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

DetailValue = str | int | bool | None
"""Value of one detail of an operations event."""


class ExamBody(TypedDict):
    """The exam, as the provider last listed it."""

    id: str
    title: str
    url: str | None
    category: str | None


class CandidateBody(TypedDict):
    """The candidate who takes the exam."""

    id: str
    name: str | None


class ResultBody(TypedDict):
    """Link to the result. Anyone who has the link can open it until it expires."""

    url: str | None
    """None if the link expired before the event was sent and a fresh link could not be fetched."""
    expires_at: str


class SubmissionFacts(TypedDict):
    """State of the attempt at the time of the event."""

    status: str
    status_code: int
    previous_status: str | None
    score: int | float | None
    passed: bool | None
    started_at: str
    ended_at: str | None
    duration_s: int | None
    result: ResultBody | None


class SubmissionBody(TypedDict):
    """``data`` of every ``submission.*`` event."""

    account: str
    exam: ExamBody
    candidate: CandidateBody
    submission: SubmissionFacts
    observed_at: str


class AvailabilityBody(TypedDict):
    """``data`` of ``exam.opened`` and ``exam.closed``."""

    account: str
    exam: ExamBody
    available: bool
    previously_available: bool | None
    observed_at: str


class VerificationBody(TypedDict):
    """Result of a full scan."""

    watermark: str
    attempts: int
    statuses: Mapping[str, int]
    """Number of attempts by status name; includes statuses with no attempts."""
    digest: str


class VerifiedBody(TypedDict):
    """``data`` of ``exam.verified``."""

    account: str
    exam: ExamBody
    verification: VerificationBody
    observed_at: str


class IdOnly(TypedDict):
    """An exam or a candidate, reduced to its id."""

    id: str


class ThinSubmission(TypedDict):
    """An attempt, reduced to its start. The start distinguishes the attempts of one candidate."""

    started_at: str


class ThinBody(TypedDict):
    """``data`` of ``submission.*`` events for endpoints with the privacy profile ``thin``."""

    account: str
    exam: IdOnly
    candidate: IdOnly
    submission: ThinSubmission
    observed_at: str


class OperationsBody(TypedDict):
    """``data`` of every operations event."""

    account: str | None
    message: str
    details: Mapping[str, DetailValue]


class EndpointTestBody(TypedDict):
    """``data`` of ``endpoint.test``."""

    endpoint_id: str
    message: str
