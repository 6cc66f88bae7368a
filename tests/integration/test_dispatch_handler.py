"""Dispatch whole (moto): from a stream's batch to SNS, deliveries and the queue."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES
from examhook.delivery.record import DeliveryStatus
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventsTable
from examhook.workflows.administration.endpoint_changes import EndpointChanges
from examhook.workflows.administration.endpoints import add_endpoint
from tests.support.dispatch.dispatch_stack import (
    FORCED,
    SUBMITTED,
    Stack,
    deployed,
    forget_functions,
    ids_of,
    run,
    sample_batch,
)
from tests.support.events.model_values import OBSERVED_AT
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with deployed(monkeypatch) as stack:
        yield stack


@pytest.fixture
def batch() -> Any:
    return sample_batch()


def test_a_batch_reaches_every_destination(stack: Stack, batch: Any) -> None:
    assert run(batch) == []
    ids = ids_of(batch)
    published = stack.received(stack.everything_url)
    assert [(each["type"], each["id"]) for each in published] == [(SUBMITTED, ids[SUBMITTED]), (FORCED, ids[FORCED])]
    expected = {(endpoint, event) for endpoint in stack.endpoint_ids().values() for event in ids.values()}
    assert len(expected) == 4
    assert stack.deliveries == expected
    queued = stack.received(stack.queue_url)
    assert {(each["endpoint_id"], each["event_id"]) for each in queued} == expected
    assert {each["attempt"] for each in queued} == {1}
    events = EventsTable(stack.dynamodb, EVENTS)
    for event_id in ids.values():
        kept = events.get(event_id)
        assert kept is not None
        assert json.loads(kept.body) in published
        assert events.is_dispatched(event_id)


def test_the_same_batch_again_sends_nothing_and_makes_no_second_id(stack: Stack, batch: Any) -> None:
    run(batch)
    stack.received(stack.everything_url)
    stack.received(stack.queue_url)
    assert run(batch) == []
    assert stack.received(stack.everything_url) == []
    assert stack.received(stack.queue_url) == []
    assert len(stack.deliveries) == 4
    assert stack.dynamodb.scan(TableName=EVENTS)["Count"] == 2


def test_a_filter_policy_lets_through_only_what_was_asked_for(stack: Stack, batch: Any) -> None:
    forced = stack.subscribe(
        "forced", RawMessageDelivery="true", FilterPolicy=json.dumps({"type": [FORCED], "exam_id": ["23812"]})
    )
    elsewhere = stack.subscribe(
        "elsewhere", RawMessageDelivery="true", FilterPolicy=json.dumps({"account": ["another"]})
    )
    run(batch)
    assert [each["type"] for each in stack.received(forced)] == [FORCED]
    assert stack.received(elsewhere) == []


def test_a_plain_subscription_gets_the_body_and_a_subject(stack: Stack, batch: Any) -> None:
    plain = stack.subscribe("plain")
    run(batch)
    first = stack.received(plain)[0]
    assert json.loads(first["Message"])["type"] == SUBMITTED
    assert first["Subject"] == "Mei Chen submitted “Anatomy II”, score 87, passed"
    assert first["MessageAttributes"]["status"] == {"Type": "String", "Value": "submitted"}


def test_an_endpoint_gets_only_what_its_filters_ask_for(stack: Stack, batch: Any) -> None:
    table = EndpointsTable(stack.dynamodb, ENDPOINTS)
    for name, changes in {
        "forced": EndpointChanges(types=(FORCED,)),
        "other": EndpointChanges(exam_ids=("other",)),
    }.items():
        add_endpoint(f"https://{name}.test/", table, stack.key, lambda: float(OBSERVED_AT), changes=changes)
    run(batch)
    by_url = stack.endpoint_ids()
    forced = {event for endpoint, event in stack.deliveries if endpoint == by_url["https://forced.test/"]}
    assert forced == {ids_of(batch)[FORCED]}
    assert by_url["https://other.test/"] not in {endpoint for endpoint, _ in stack.deliveries}


def test_what_is_to_go_to_an_endpoint_that_is_down_waits_in_the_table_and_costs_no_message(
    stack: Stack, batch: Any
) -> None:
    table = EndpointsTable(stack.dynamodb, ENDPOINTS)
    down, _ = add_endpoint("https://down.test/", table, stack.key, lambda: float(OBSERVED_AT))
    for _ in range(DOWN_AFTER_FAILURES):
        table.record_outcome(down.endpoint_id, OBSERVED_AT, "answered 500 Internal Server Error")
    run(batch)
    queued = {each["endpoint_id"] for each in stack.received(stack.queue_url)}
    assert queued == {id_ for url, id_ in stack.endpoint_ids().items() if url != "https://down.test/"}
    waiting = DeliveriesTable(stack.dynamodb, DELIVERIES).list_for(down.endpoint_id)
    assert {each.event_id for each in waiting} == set(ids_of(batch).values())
    assert all((each.status, each.next_attempt_at) == (DeliveryStatus.WAITING, each.created_at) for each in waiting)


@pytest.mark.parametrize("failing", [False, True], ids=["well", "down"])
def test_what_is_to_go_to_a_disabled_endpoint_waits_in_the_table_and_costs_no_message(
    stack: Stack, batch: Any, *, failing: bool
) -> None:
    table = EndpointsTable(stack.dynamodb, ENDPOINTS)
    disabled, _ = add_endpoint("https://off.test/", table, stack.key, lambda: float(OBSERVED_AT))
    for _ in range(DOWN_AFTER_FAILURES if failing else 0):
        table.record_outcome(disabled.endpoint_id, OBSERVED_AT, "answered 500 Internal Server Error")
    table.disable(disabled.endpoint_id, "by hand", OBSERVED_AT)
    run(batch)
    assert disabled.endpoint_id not in {each["endpoint_id"] for each in stack.received(stack.queue_url)}
    waiting = DeliveriesTable(stack.dynamodb, DELIVERIES).list_for(disabled.endpoint_id)
    assert {each.event_id for each in waiting} == set(ids_of(batch).values())
    assert all((each.status, each.next_attempt_at) == (DeliveryStatus.WAITING, each.created_at) for each in waiting)


@pytest.mark.parametrize("by_hand_before", [False, True])
def test_nothing_is_kept_for_an_endpoint_whose_url_left_the_parameter(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, batch: Any, *, by_hand_before: bool
) -> None:
    first, second = copy.deepcopy(batch), copy.deepcopy(batch)
    first["Records"], second["Records"] = batch["Records"][:1], batch["Records"][1:]
    run(first)
    before = stack.deliveries
    left = stack.endpoint_ids()["https://two.test/hook"]
    if by_hand_before:
        EndpointsTable(stack.dynamodb, ENDPOINTS).disable(left, "by hand", OBSERVED_AT)
    monkeypatch.setenv("WEBHOOK_URLS", "https://one.test/hook")
    forget_functions()
    run(second)
    assert {endpoint for endpoint, _ in stack.deliveries - before} == {stack.endpoint_ids()["https://one.test/hook"]}


def test_an_endpoint_added_between_two_batches_misses_nothing(stack: Stack, batch: Any) -> None:
    first, second = copy.deepcopy(batch), copy.deepcopy(batch)
    first["Records"], second["Records"] = batch["Records"][:1], batch["Records"][1:]
    run(first)
    table = EndpointsTable(stack.dynamodb, ENDPOINTS)
    endpoint, _ = add_endpoint("https://late.test/", table, stack.key, lambda: float(OBSERVED_AT))
    run(second)
    assert (endpoint.endpoint_id, ids_of(batch)[FORCED]) in stack.deliveries


def test_an_unreadable_record_is_reported_and_the_others_are_sent(stack: Stack, batch: Any) -> None:
    poisoned = batch["Records"][0]["dynamodb"]
    poisoned["NewImage"]["v"] = {"N": "99"}
    assert run(batch) == [poisoned["SequenceNumber"]]
    assert [each["type"] for each in stack.received(stack.everything_url)] == [FORCED]
    assert run(batch) == [poisoned["SequenceNumber"]]
    assert stack.received(stack.everything_url) == []


def test_a_time_that_nobody_can_write_is_reported_and_the_others_are_sent(stack: Stack, batch: Any) -> None:
    strange = batch["Records"][1]["dynamodb"]
    strange["NewImage"]["transitions"]["L"][-1]["M"]["occurred_at"] = {"N": "1777815120000"}
    assert run(batch) == [strange["SequenceNumber"]]
    assert [each["type"] for each in stack.received(stack.everything_url)] == [SUBMITTED]
