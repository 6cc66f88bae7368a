"""The shape of an event's ``data``, as ``docs/events/`` publishes it.

Every key is always there; what the provider did not say is null. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

DetailValue = str | int | bool | None
"""What an operations event may say about one detail."""


class ExamBody(TypedDict):
    """The exam, as its listing showed it."""

    id: str
    title: str
    url: str | None
    category: str | None


class CandidateBody(TypedDict):
    """The candidate."""

    id: str
    name: str | None


class ResultBody(TypedDict):
    """The provider's page with the result: a link that opens for whoever holds it, until it expires.

    ``url`` is null where the link had expired when the event was sent, and no fresh one was to be had.
    """

    url: str | None
    expires_at: str


class SubmissionFacts(TypedDict):
    """What was true of the attempt when the event happened."""

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
    """What a full scan found."""

    watermark: str
    attempts: int
    statuses: Mapping[str, int]
    """How many attempts have each status; every status is named, also where there are none."""
    digest: str


class VerifiedBody(TypedDict):
    """``data`` of ``exam.verified``."""

    account: str
    exam: ExamBody
    verification: VerificationBody
    observed_at: str


class ThinExam(TypedDict):
    """An exam by its id."""

    id: str


class ThinCandidate(TypedDict):
    """A candidate by id."""

    id: str


class ThinSubmission(TypedDict):
    """An attempt by its start, which tells it from others of the same candidate."""

    started_at: str


class ThinBody(TypedDict):
    """``data`` of every ``submission.*`` event as endpoints of the profile ``thin`` get it."""

    account: str
    exam: ThinExam
    candidate: ThinCandidate
    submission: ThinSubmission
    observed_at: str


class OperationsBody(TypedDict):
    """``data`` of every event for the operators."""

    account: str | None
    message: str
    details: Mapping[str, DetailValue]


class EndpointTestBody(TypedDict):
    """``data`` of ``endpoint.test``."""

    endpoint_id: str
    message: str
