"""One event of each type (docs/events/examples); ``python -m tests.support.events.event_examples`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, Health, Notice
from examhook.delivery.health_policy import (
    BacklogSummary,
    Recovered,
    Warn,
    disabled_notice,
    failing_notice,
    recovered_notice,
)
from examhook.detection.exam_transition import change_of_availability, first_state, with_receipt
from examhook.detection.scan_result import digest_of
from examhook.detection.transition import Observation, change_from, change_from_absence
from examhook.events.build import Event, endpoint_test_event, exam_event, operations_event, submission_event
from examhook.events.catalogue import OperationsEventType
from examhook.model import Attempt, Exam, Receipt, Submission

EXAMPLES = Path(__file__).parents[3] / "docs" / "events" / "examples"

_EXAM = Exam(
    "23812", "Anatomy II", available=True, attempt_count=120, url="https://exams.example/23812", category="Medicine"
)
_STARTED_AT = 1_777_815_120
_ENDPOINT_ID = "ep_0c2a6f0be0ad3b1d8d2c7a53c1b2e4f6"
_OPEN = Attempt("19382", _STARTED_AT, 0, "Mei Chen", result_url="https://exams.example/result?token=example")
_ENDED = replace(_OPEN, ended_at=_STARTED_AT + 1800, score_points=Decimal("86.5"), passed=True)


def _last_event(*rows: Attempt) -> Event:
    """The event that the last of ``rows`` makes, each seen a minute after it ended."""
    submission: Submission | None = None
    for row in rows:
        seen_at = (row.ended_at or row.started_at) + 60 + (3600 if submission and submission.attempt.is_final else 0)
        change = change_from(submission, row, Observation("main", _EXAM, observed_at=seen_at, fence=1))
        if change is None:
            raise AssertionError("an example's rows must differ")
        submission = change.after
    if submission is None:
        raise AssertionError("an example needs a row")
    return submission_event(submission, submission.transitions[-1])


def _removal() -> Event:
    """The event that follows when an attempt is missing in two full scans."""
    removed_at = _STARTED_AT + 90_000
    seen = change_from(None, replace(_ENDED, status_code=1), Observation("main", _EXAM, _STARTED_AT + 1860, fence=1))
    if seen is None:
        raise AssertionError("a first row is always a change")
    submission = seen.after
    for fence, at in ((2, removed_at - 3600), (3, removed_at)):
        change = change_from_absence(submission, Observation("main", _EXAM, observed_at=at, fence=fence))
        if change is None:
            raise AssertionError("an absence is a change twice")
        submission = change.after
    return submission_event(submission, submission.transitions[-1])


def _exam_events() -> list[Event]:
    """An exam is new, closes an hour later, and is then scanned completely."""
    opened = first_state("main", _EXAM, observed_at=_STARTED_AT, predates_watch=False, announce=True)
    closed = change_of_availability(opened, replace(_EXAM, available=False), observed_at=_STARTED_AT + 3600)
    if closed is None:
        raise AssertionError("another availability is a change")
    rows = (replace(_ENDED, status_code=1), replace(_ENDED, candidate_id="19383", status_code=2, passed=False))
    verified = with_receipt(closed, Receipt(_STARTED_AT + 3601, {1: 1, 2: 1}, f"{digest_of(rows):016x}"))
    return [exam_event("main", state.exam, state.transitions[-1]) for state in (opened, closed, verified)]


def _endpoint_notices() -> list[Notice]:
    """Notices to operators: an endpoint fails, is disabled and recovers."""
    health = Health(failing_since=_STARTED_AT, last_error="answered 503 Service Unavailable")
    endpoint = Endpoint(_ENDPOINT_ID, "", b"", EndpointOrigin.CLI, _STARTED_AT, health=health)
    day_s = 86_400
    warning, recovered = Warn(_STARTED_AT, _STARTED_AT + 5 * day_s), Recovered(_STARTED_AT, _STARTED_AT + day_s)
    return [
        failing_notice(endpoint, warning, BacklogSummary(12, _STARTED_AT + 3900), _STARTED_AT + 3600),
        disabled_notice(
            _ENDPOINT_ID, "it answered 410 Gone", BacklogSummary(12, _STARTED_AT + 3900), _STARTED_AT + 3600
        ),
        recovered_notice(_ENDPOINT_ID, recovered, BacklogSummary(0, None)),
    ]


def examples() -> Mapping[str, Event]:
    """An event of every type, by type."""
    submitted = replace(_ENDED, status_code=1)
    made = [
        _last_event(_OPEN),
        _last_event(_OPEN, submitted),
        _last_event(_OPEN, replace(_ENDED, status_code=2, score_points=Decimal(41), passed=False)),
        _last_event(_OPEN, replace(_ENDED, status_code=3, score_points=Decimal(12), passed=False)),
        _last_event(_OPEN, replace(_ENDED, status_code=4, score_points=Decimal(0), passed=False)),
        _last_event(_OPEN, submitted, replace(submitted, score_points=Decimal(91))),
        _last_event(_OPEN, submitted, _OPEN),
        _removal(),
        _last_event(_OPEN, replace(_ENDED, status_code=7, score_points=None, passed=None)),
        *_exam_events(),
        operations_event(
            OperationsEventType.PROVIDER_REFUSED,
            "main",
            _STARTED_AT,
            "The provider refuses the account code. Put the right one into the account-code secret.",
            {},
        ),
        *(
            operations_event(notice.event_type, None, notice.at, notice.message, notice.details)
            for notice in _endpoint_notices()
        ),
        endpoint_test_event(_ENDPOINT_ID, _STARTED_AT),
    ]
    return {event.event_type: event for event in made}


if __name__ == "__main__":
    for event_type, event in examples().items():
        (EXAMPLES / f"{event_type}.json").write_bytes(event.body + b"\n")
