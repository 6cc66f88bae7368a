"""Event types, and which of them a subscriber receives by default."""

from __future__ import annotations

from enum import StrEnum

from examhook.model import Status


class EventType(StrEnum):
    """Types of events about submissions."""

    STARTED = "submission.started"
    SUBMITTED = "submission.submitted"
    TIMED_OUT = "submission.timed_out"
    FORCED = "submission.forced"
    SYSTEM_SUBMITTED = "submission.system_submitted"
    RESCORED = "submission.rescored"
    REOPENED = "submission.reopened"
    REMOVED = "submission.removed"
    UNKNOWN_STATUS = "submission.unknown_status"


class ExamEventType(StrEnum):
    """Types of events about exams."""

    OPENED = "exam.opened"
    CLOSED = "exam.closed"
    VERIFIED = "exam.verified"


class OperationsEventType(StrEnum):
    """Types of events on the operations topic."""

    PROVIDER_REFUSED = "provider.refused"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_RECOVERED = "endpoint.recovered"


ENDPOINT_TEST = "endpoint.test"
"""Type of the event that ``examhook endpoints test`` sends to one endpoint."""

WEBHOOK_TYPES: tuple[EventType | ExamEventType, ...] = (*EventType, *ExamEventType)
"""Types that a webhook endpoint can subscribe to."""

OFF_BY_DEFAULT = frozenset({EventType.STARTED, ExamEventType.VERIFIED})
"""Types that webhooks and e-mail receive only on request."""

DEFAULT_TYPES = tuple(sorted(set(WEBHOOK_TYPES) - OFF_BY_DEFAULT))
"""Types that a new webhook endpoint receives if it names none."""

_TYPE_OF_STATUS = {
    Status.IN_TEST: EventType.STARTED,
    Status.SUBMITTED: EventType.SUBMITTED,
    Status.TIMED_OUT: EventType.TIMED_OUT,
    Status.FORCED: EventType.FORCED,
    Status.SYSTEM_SUBMITTED: EventType.SYSTEM_SUBMITTED,
}


def type_of_status(status_code: int) -> EventType:
    """Return the type of the event that announces ``status_code``."""
    try:
        return _TYPE_OF_STATUS[Status(status_code)]
    except ValueError:
        return EventType.UNKNOWN_STATUS
