"""The benchmarks' tables in memory do what the real ones do: the same cases against both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import boto3
import pytest
from moto import mock_aws

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES, Endpoint, EndpointOrigin
from examhook.delivery.record import AttemptRecord, DeliveryStatus, SendOutcome, new_delivery
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueue, parse_body
from examhook.events.build import submission_event
from examhook.storage.deliveries import DeliveriesTable, DueDelivery
from examhook.storage.endpoints import EndpointsTable
from examhook.storage.events import EventsTable
from tests.support.events.model_values import submission, transition
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS, create_tables
from tools.bench.delivery.tables_in_memory import MemoryDeliveries, MemoryEndpoints, MemoryEvents, MemoryQueue

NOW = 1_777_818_720
ENDPOINT = Endpoint("ep_1", "https://one.test/", b"sealed", EndpointOrigin.CLI, NOW)


@dataclass(frozen=True)
class Tables:
    """Either kind."""

    deliveries: DeliveriesTable
    endpoints: EndpointsTable
    events: EventsTable
    queue: DeliveryQueue


@pytest.fixture(params=["memory", "dynamodb"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    if request.param == "memory":
        yield Tables(
            cast("DeliveriesTable", MemoryDeliveries()),
            cast("EndpointsTable", MemoryEndpoints({ENDPOINT.endpoint_id: ENDPOINT})),
            cast("EventsTable", MemoryEvents()),
            cast("DeliveryQueue", MemoryQueue(lambda: NOW)),
        )
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        sqs = boto3.client("sqs", region_name="eu-central-1")
        create_tables(client)
        endpoints = EndpointsTable(client, ENDPOINTS)
        endpoints.add(ENDPOINT)
        yield Tables(
            DeliveriesTable(client, DELIVERIES),
            endpoints,
            EventsTable(client, EVENTS),
            DeliveryQueue(sqs, sqs.create_queue(QueueName="deliveries")["QueueUrl"]),
        )


def create(tables: Tables, *event_ids: str, at: int = NOW) -> None:
    for event_id in event_ids:
        fresh = new_delivery("ep_1", event_id, "submission.submitted", now=at, expires_at=NOW + 86_400)
        assert tables.deliveries.create(fresh)


def record(attempt: int, next_attempt_at: int | None) -> AttemptRecord:
    return AttemptRecord(attempt, NOW, SendOutcome.ANSWERED, "answered", 500, 7, "no", next_attempt_at)


def test_a_delivery_is_created_once(tables: Tables) -> None:
    create(tables, "evt_1")
    fresh = new_delivery("ep_1", "evt_1", "submission.submitted", now=NOW + 5, expires_at=NOW + 86_400)
    assert not tables.deliveries.create(fresh)
    stored = tables.deliveries.get("ep_1", "evt_1")
    assert stored is not None
    assert stored.created_at == NOW
    assert tables.deliveries.get("ep_1", "evt_2") is None


def test_an_attempt_is_claimed_once_and_in_order(tables: Tables) -> None:
    create(tables, "evt_1")
    assert tables.deliveries.claim("ep_1", "evt_1", 2, NOW + 120) is None
    claimed = tables.deliveries.claim("ep_1", "evt_1", 1, NOW + 120)
    assert claimed is not None
    assert (claimed.attempts, claimed.next_attempt_at, claimed.status) == (1, NOW + 120, DeliveryStatus.PENDING)
    assert tables.deliveries.claim("ep_1", "evt_1", 1, NOW + 130) is None
    assert tables.deliveries.claim("ep_1", "none", 1, NOW + 130) is None


def test_what_came_of_a_claim_is_recorded_unless_another_was_made_since(tables: Tables) -> None:
    create(tables, "evt_1")
    first = tables.deliveries.claim("ep_1", "evt_1", 1, NOW)
    assert first is not None
    second = tables.deliveries.claim("ep_1", "evt_1", 2, NOW)
    assert second is not None
    assert not tables.deliveries.record(first, record(1, None), DeliveryStatus.DELIVERED)
    assert tables.deliveries.record(second, record(2, NOW + 300), DeliveryStatus.WAITING, NOW + 200)
    stored = tables.deliveries.get("ep_1", "evt_1")
    assert stored is not None
    assert (stored.status, stored.next_attempt_at, stored.not_before) == (
        DeliveryStatus.WAITING,
        NOW + 300,
        NOW + 200,
    )
    assert stored.attempt_log == (record(2, NOW + 300),)
    assert tables.deliveries.record(replace(second), record(2, None), DeliveryStatus.DELIVERED)
    assert tables.deliveries.waiting("ep_1", 10) == []
    assert tables.deliveries.claim("ep_1", "evt_1", 3, NOW) is None, "it has ended"


def test_what_is_held_is_due_since_it_was_made(tables: Tables) -> None:
    create(tables, "evt_1", at=NOW - 50)
    assert not tables.deliveries.hold("ep_1", "evt_1", 2)
    assert tables.deliveries.hold("ep_1", "evt_1", 1)
    assert tables.deliveries.due("ep_1", NOW, 10) == [DueDelivery("ep_1", "evt_1", NOW - 50)]


def test_what_is_due_comes_longest_first_and_is_taken_once(tables: Tables) -> None:
    for nth, event_id in enumerate(("evt_3", "evt_1", "evt_2")):
        create(tables, event_id, at=NOW + nth)
    later = NOW + 901
    assert [each.event_id for each in tables.deliveries.due("ep_1", later, 10)] == ["evt_3", "evt_1"]
    assert [each.event_id for each in tables.deliveries.waiting("ep_1", 10)] == ["evt_3", "evt_1", "evt_2"]
    (due,) = tables.deliveries.due("ep_1", later, 1)
    assert [each.event_id for each in tables.deliveries.due("ep_1", later, 10, after=due)] == ["evt_1"]
    assert tables.deliveries.due_within("ep_1", due.next_attempt_at, later, 10) == 2
    assert tables.deliveries.due_within("ep_1", due.next_attempt_at + 1, later, 10) == 1
    assert tables.deliveries.due_within("ep_1", due.next_attempt_at, later, 1) == 1
    assert tables.deliveries.postpone(due, later + 900) is not None
    assert tables.deliveries.postpone(due, later + 900) is None
    assert tables.deliveries.due("ep_2", later, 10) == []


def test_only_what_waits_and_may_come_is_brought_forward(tables: Tables) -> None:
    create(tables, "pending", "asked", "waits")
    for event_id, not_before in (("asked", NOW + 100), ("waits", None)):
        claimed = tables.deliveries.claim("ep_1", event_id, 1, NOW)
        assert claimed is not None
        tables.deliveries.record(claimed, record(1, NOW + 300), DeliveryStatus.WAITING, not_before)
    found = tables.deliveries.waiting("ep_1", 10)
    taken = [each.event_id for each in found if tables.deliveries.bring_forward(each, NOW, NOW + 900)]
    assert taken == ["waits"]


def test_an_endpoints_health_follows_its_attempts(tables: Tables) -> None:
    for nth in range(DOWN_AFTER_FAILURES):
        before = tables.endpoints.record_outcome("ep_1", NOW + nth, "answered 503", NOW + 30 if nth == 0 else None)
        assert before is not None
        assert before.health.consecutive_failures == nth
    down = tables.endpoints.get("ep_1")
    assert down is not None
    assert (down.health.is_down, down.health.failing_since, down.health.slowed_until) == (True, NOW, NOW + 30)
    assert tables.endpoints.claim_probe("ep_1", NOW, NOW + 50)
    assert not tables.endpoints.claim_probe("ep_1", NOW + 49, NOW + 99)
    assert tables.endpoints.claim_probe("ep_1", NOW + 50, NOW + 100)
    tables.endpoints.record_outcome("ep_1", NOW + 60, None)
    tables.endpoints.set_draining("ep_1", draining=True)
    (well,) = tables.endpoints.list_all()
    assert (well.health.is_down, well.health.probe_until, well.health.draining) == (False, None, True)
    tables.endpoints.set_draining("ep_1", draining=False)
    assert not tables.endpoints.list_all()[0].health.draining
    assert tables.endpoints.record_outcome("ep_2", NOW, None) is None


def test_places_follow_each_other_until_as_far_ahead_as_may_be(tables: Tables) -> None:
    def take(now: float) -> float | None:
        seen = tables.endpoints.get("ep_1")
        assert seen is not None
        return tables.endpoints.take_rate_slot(seen, now, 0.5, 1)

    assert [take(NOW) for _ in range(5)] == [NOW, NOW + 0.5, NOW + 1, None, None]
    assert take(NOW + 10.25) == NOW + 10.25


def test_an_event_is_kept_and_marked_once(tables: Tables) -> None:
    event = submission_event(submission(), transition())
    assert tables.events.add(event, NOW + 86_400)
    assert not tables.events.add(submission_event(submission(), transition()), NOW + 86_400)
    assert tables.events.get(event.event_id) == event
    assert not tables.events.is_dispatched(event.event_id)
    tables.events.mark_dispatched(event.event_id, NOW)
    assert tables.events.is_dispatched(event.event_id)


def test_what_was_sent_is_taken(tables: Tables) -> None:
    sent = [DeliveryMessage("ep_1", f"evt_{nth}", 1, slot_at=NOW + 0.5) for nth in range(12)]
    tables.queue.send(sent)
    tables.queue.send([DeliveryMessage("ep_1", "later", 1)], delay_s=900)
    came: list[DeliveryMessage] = []
    while taken := tables.queue.receive(10, 0):
        assert len(taken) <= 10
        came += [parse_body(each.body) for each in taken]
        tables.queue.delete(taken)
    assert sorted(came, key=lambda each: each.event_id) == sorted(sent, key=lambda each: each.event_id)
