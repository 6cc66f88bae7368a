"""Names and types of stored attributes equal those of every earlier version, so that older items stay readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.delivery.record import AttemptRecord, Delivery, SendOutcome
from examhook.detection.exam_state import ExamState, ScanCursor
from examhook.detection.exam_transition import ExamChange
from examhook.detection.transition import Change
from examhook.events.build import submission_event
from examhook.model import AttemptKey, ExamTransition, Receipt
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventsTable
from examhook.storage.exams import AccountRecord, AwaitedEvent, CodeRejection, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from tests.support.events.model_values import attempt, exam, submission, transition


class Recorder:
    """A client that keeps the item of each put."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.items.append(request["Item"])
        return {}


def stored(write: Callable[[Any], object]) -> dict[str, Any]:
    """The types of the item that ``write`` puts, by name; a list has the shape of its first element."""
    client = Recorder()
    write(cast("Any", client))
    (item,) = client.items
    return {name: shape(value) for name, value in item.items()}


def shape(value: dict[str, Any]) -> Any:
    ((type_, content),) = value.items()
    if type_ == "M":
        return {name: shape(each) for name, each in content.items()}
    return [shape(content[0])] if type_ == "L" else type_


FULL = replace(transition(), previous_id="evt_0", previous_status_code=0, recalled_at=1)
SUBMISSION = replace(submission(transitions=(FULL,)), attempt=attempt(record_id="r"), missing_since=1, removed=True)
SUBMISSION_SHAPE = {
    "account": "S",
    "again": ["N"],
    "announce": "BOOL",
    "candidate_id": "S",
    "candidate_name": "S",
    "ended_at": "N",
    "exam_category": "S",
    "exam_id": "S",
    "exam_title": "S",
    "exam_url": "S",
    "fence": "N",
    "missing_since": "N",
    "observed_at": "N",
    "passed": "BOOL",
    "pk": "S",
    "recalled_at": "N",
    "record_id": "S",
    "removed": "BOOL",
    "result_url": "S",
    "score_points": "N",
    "sequence": "N",
    "sk": "S",
    "started_at": "N",
    "status_code": "N",
    "transitions": [
        {
            "ended_at": "N",
            "event_id": "S",
            "event_type": "S",
            "observed_at": "N",
            "occurred_at": "N",
            "passed": "BOOL",
            "previous_id": "S",
            "previous_status_code": "N",
            "recalled_at": "N",
            "score_points": "N",
            "sequence": "N",
            "status_code": "N",
        }
    ],
    "type_counts": {"submission.submitted": "N"},
    "v": "N",
    "version": "N",
}
EXAM_SHAPE = {
    "account": "S",
    "announce": "BOOL",
    "attempt_count": "N",
    "available": "BOOL",
    "changed_at": "N",
    "cursor": {"began_at": "N", "last": "S", "start": "N"},
    "digest": "N",
    "exam_category": "S",
    "exam_id": "S",
    "exam_title": "S",
    "exam_url": "S",
    "failed_since": "N",
    "fence": "N",
    "kind": "S",
    "observed_at": "N",
    "pk": "S",
    "predates_watch": "BOOL",
    "read_at": "N",
    "row_count": "N",
    "row_order": "S",
    "running": ["S"],
    "running_count": "N",
    "running_depth": "N",
    "scanned_at": "N",
    "sequence": "N",
    "sk": "S",
    "skipped": {"no start": "N"},
    "transitions": [
        {
            "available": "BOOL",
            "event_id": "S",
            "event_type": "S",
            "observed_at": "N",
            "previous_id": "S",
            "previously_available": "BOOL",
            "receipt": {"digest": "S", "status_counts": {"1": "N"}, "watermark": "N"},
            "sequence": "N",
        }
    ],
    "v": "N",
    "version": "N",
}
ACCOUNT_SHAPE = {
    "account": "S",
    "awaited": "S",
    "awaited_at": "N",
    "awaited_since": "N",
    "completed_at": "N",
    "failing_since": "N",
    "fence": "N",
    "left_alone_until": "N",
    "list_proven_at": "N",
    "listed_count": "N",
    "listed_whole": "BOOL",
    "refused_asked_at": "N",
    "refused_plainly": "BOOL",
    "refused_secret": "S",
    "refused_since": "N",
    "rows_ahead_s": "N",
    "sk": "S",
    "v": "N",
    "watch_started_at": "N",
}
EVENT_SHAPE = {
    "account": "S",
    "body": "S",
    "day": "S",
    "event_id": "S",
    "event_type": "S",
    "exam_id": "S",
    "expires_at": "N",
    "listed_at": "S",
    "observed_at": "N",
    "occurred_at": "N",
    "previous_id": "S",
    "sequence": "N",
    "status": "S",
    "v": "N",
}
DELIVERY_SHAPE = {
    "attempt_log": [
        {
            "answer_excerpt": "S",
            "at": "N",
            "attempt": "N",
            "http_status": "N",
            "latency_ms": "N",
            "next_attempt_at": "N",
            "outcome": "S",
            "reason": "S",
        }
    ],
    "attempts": "N",
    "attempts_before": "N",
    "cancelled_reason": "S",
    "created_at": "N",
    "endpoint_id": "S",
    "event_id": "S",
    "event_type": "S",
    "expires_at": "N",
    "next_attempt_at": "N",
    "not_before": "N",
    "status": "S",
    "v": "N",
    "waiting_endpoint_id": "S",
}
ENDPOINT_SHAPE = {
    "accounts": ["S"],
    "content_type": "S",
    "created_at": "N",
    "description": "S",
    "disabled_reason": "S",
    "endpoint_id": "S",
    "exam_ids": ["S"],
    "format": "S",
    "header_names": ["S"],
    "origin": "S",
    "privacy": "S",
    "rate_per_second": "N",
    "sealed_headers": "B",
    "sealed_pseudonym_key": "B",
    "sealed_secret": "B",
    "status": "S",
    "types": ["S"],
    "url": "S",
    "v": "N",
}


def test_a_submission() -> None:
    change = Change(None, SUBMISSION, again=(1,))
    assert stored(lambda client: SubmissionsTable(client, "t").write([change])) == SUBMISSION_SHAPE


def test_an_exams_state() -> None:
    opened = ExamTransition("e", "exam.opened", 1, "d", 1, True, False, Receipt(1, {1: 2}, "d"))  # noqa: FBT003
    key = AttemptKey(1, "9")
    state = ExamState(
        "main",
        exam(),
        running=(key,),
        digest=1,
        scanned_at=1,
        failed_since=1,
        skipped={"no start": 1},
        cursor=ScanCursor(1, key, 1),
        transitions=(opened,),
    )
    assert stored(lambda client: ExamStates(client, "t").write([ExamChange(None, state)])) == EXAM_SHAPE


def test_an_accounts_record() -> None:
    record = AccountRecord(1, True, 1, 1, 1, CodeRejection("v", 1, 1), 1, 1, 1, AwaitedEvent("e", 1, 1))  # noqa: FBT003
    assert stored(lambda client: ExamsTable(client, "t").write("main", record, 1)) == ACCOUNT_SHAPE


def test_an_event() -> None:
    event = submission_event(SUBMISSION, FULL)
    assert stored(lambda client: EventsTable(client, "t").add(event, 1)) == EVENT_SHAPE


def test_a_delivery() -> None:
    record = AttemptRecord(1, 1, SendOutcome.ANSWERED, "answered 500", 500, 1, "no", 1)
    delivery = Delivery("ep", "evt", "submission.submitted", 1, 1, attempts_before=1, attempt_log=(record,))
    delivery = replace(delivery, next_attempt_at=1, not_before=1, cancelled_reason="gone")
    assert stored(lambda client: DeliveriesTable(client, "t").create(delivery)) == DELIVERY_SHAPE


def test_an_endpoint() -> None:
    endpoint = Endpoint("ep", "https://x.test", b"s", EndpointOrigin.CLI, 1, ("*",), ("7",), ("main",), "text")
    endpoint = replace(
        endpoint,
        disabled_reason="by hand",
        sealed_pseudonym_key=b"k",
        header_names=("a",),
        sealed_headers=b"h",
        rate_per_second=0.5,
    )
    assert stored(lambda client: EndpointsTable(client, "t").add(endpoint)) == ENDPOINT_SHAPE
