"""Dispatch whole (moto): exams that opened, closed and were checked, from the stream to SNS and webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from examhook.detection.exam_transition import ExamChange, change_of_availability, first_state, with_receipt
from examhook.model import Receipt
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventsTable
from examhook.storage.submissions import ExamStates
from examhook.workflows.administration.endpoint_changes import EndpointChanges
from examhook.workflows.administration.endpoints import add_endpoint
from tests.support.dispatch.dispatch_stack import SUBMITTED, Stack, deployed, run, sample_batch
from tests.support.events.model_values import OBSERVED_AT, exam
from tests.support.storage.tables import ENDPOINTS, EVENTS, SUBMISSIONS

OPENED, CLOSED, VERIFIED = "exam.opened", "exam.closed", "exam.verified"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with deployed(monkeypatch) as stack:
        yield stack


def story() -> list[ExamChange]:
    """An exam is opened, closed and checked."""
    shown = exam()
    opened = first_state("main", shown, observed_at=OBSERVED_AT, predates_watch=False, announce=True)
    closed = change_of_availability(opened, replace(shown, available=False), observed_at=OBSERVED_AT + 60)
    assert closed is not None
    closed = replace(closed, version=2)
    verified = replace(with_receipt(closed, Receipt(OBSERVED_AT + 61, {1: 120}, "0" * 16)), version=3)
    return [ExamChange(None, opened), ExamChange(opened, closed), ExamChange(closed, verified)]


def batch_of(stack: Stack, changes: list[ExamChange]) -> Any:
    """The stream's batch for these writes, made by writing them."""
    table = ExamStates(stack.dynamodb, SUBMISSIONS)
    batch, records = sample_batch(), []
    old: Any = None
    for number, change in enumerate(changes):
        assert table.write([change]) == []
        (new,) = stack.dynamodb.scan(TableName=SUBMISSIONS)["Items"]
        body = {"SequenceNumber": str(900 + number), "Keys": {"pk": new["pk"], "sk": new["sk"]}, "NewImage": new}
        records.append(
            {
                **batch["Records"][0],
                "eventName": "MODIFY" if old else "INSERT",
                "dynamodb": {**body, **({"OldImage": old} if old else {})},
            }
        )
        old = new
    return {"Records": records}


def add(stack: Stack, name: str, *types: str) -> str:
    table = EndpointsTable(stack.dynamodb, ENDPOINTS)
    changes = EndpointChanges(types=types)
    endpoint, _ = add_endpoint(f"https://{name}.test/", table, stack.key, lambda: float(OBSERVED_AT), changes=changes)
    return endpoint.endpoint_id


def test_each_write_of_an_exam_sends_the_event_that_it_added(stack: Stack) -> None:
    asking, submissions_only = add(stack, "asking", "exam.*"), add(stack, "submissions", "submission.*")
    changes = story()
    batch = batch_of(stack, changes)
    assert run(batch) == []
    published = stack.received(stack.everything_url)
    ids = {each.event_type: each.event_id for each in changes[-1].after.transitions}
    assert [(each["type"], each["id"]) for each in published] == [(each, ids[each]) for each in ids]
    assert [each.get("previousid") for each in published] == [None, ids[OPENED], None]
    got = {(endpoint, event) for endpoint, event in stack.deliveries if endpoint in {asking, submissions_only}}
    assert got == {(asking, event_id) for event_id in ids.values()}
    by_default = {event for endpoint, event in stack.deliveries if endpoint not in {asking, submissions_only}}
    assert by_default == {ids[OPENED], ids[CLOSED]}
    assert run(batch) == []
    assert stack.received(stack.everything_url) == []


def test_they_are_listed_by_type_and_by_exam(stack: Stack) -> None:
    run(batch_of(stack, story()))
    table = EventsTable(stack.dynamodb, EVENTS)
    since, until = OBSERVED_AT - 1, OBSERVED_AT + 100
    listed = table.list_events(since, until, exam_id="23812", types=("exam.*",))
    assert [each.event_type for each in listed] == [VERIFIED, CLOSED, OPENED]
    assert [each.status for each in listed] == [None] * 3
    assert table.list_events(since, until, types=("submission.*",)) == []


def test_a_topics_filter_tells_them_apart(stack: Stack) -> None:
    closings = stack.subscribe(
        "closings", RawMessageDelivery="true", FilterPolicy='{"type":["exam.closed"],"exam_id":["23812"]}'
    )
    run(batch_of(stack, story()))
    assert [each["type"] for each in stack.received(closings)] == [CLOSED]


def test_an_unreadable_exam_is_reported_and_attempts_are_sent(stack: Stack) -> None:
    batch = batch_of(stack, story()[:1])
    broken = batch["Records"][0]["dynamodb"]
    broken["NewImage"]["transitions"] = {"S": "none"}
    batch["Records"] += sample_batch()["Records"][:1]
    assert run(batch) == [broken["SequenceNumber"]]
    assert [each["type"] for each in stack.received(stack.everything_url)] == [SUBMITTED]
