"""What an endpoint misses while it is disabled follows when it is enabled, and leaves with it when it is removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import ENDPOINT_REMOVED, DeliveryStatus, new_delivery
from examhook.delivery.schedule import MAX_ATTEMPTS
from examhook.destinations.delivery_queue import DeliveryMessage
from examhook.destinations.sns import TopicPublisher
from examhook.workflows.administration.endpoint_changes import (
    EndpointChanges,
    enable_endpoint,
    remove_endpoint,
    update_endpoint,
)
from examhook.workflows.administration.endpoints import ensure_configured_endpoints, send_endpoint_test
from examhook.workflows.dispatching.batch import Batch, OutgoingEvent
from examhook.workflows.dispatching.dispatch import Dispatch
from examhook.workflows.retrying.backlog import BATCH_PER_ENDPOINT
from tests.support.delivery.delivery_stack import DAY_S, MONTH_S, REGION, World, delivery_world
from tests.support.delivery.scripted_server import ScriptedServer, answer, scripted_server

SUBMITTED = "submission.submitted"
GONE = answer("", "410 Gone")
BROKEN = answer("", "500 Broken")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with delivery_world() as made:
        yield made


def dispatch(world: World, *numbers: int) -> None:
    """These events happen, a second apart, and Dispatch sends them."""
    topic = boto3.client("sns").create_topic(Name="submissions")["TopicArn"]
    dispatching = Dispatch(
        events=world.events,
        deliveries=world.deliveries,
        queue=world.queue,
        publisher=TopicPublisher(boto3.client("sns")),
        topic_arn=topic,
        endpoints=lambda: ensure_configured_endpoints((), world.endpoints, world.key, world.clock.now),
        retention_days=30,
        now=world.clock.now,
    )
    for number in numbers:
        world.clock.at += 1
        event = world.event(number)
        dispatching.send(Batch([OutgoingEvent(0, event.event_id, event)]))


def work(world: World) -> None:
    """Deliver works on everything that is on the queue, until nothing is."""
    while messages := world.enqueued():
        for message, delay_s in messages:
            world.clock.at += delay_s
            world.deliver(message)


def enable(world: World, endpoint: Endpoint) -> None:
    assert enable_endpoint(world.known(endpoint), world.endpoints, world.deliveries)


def waiting(world: World, endpoint: Endpoint, number: int) -> None:
    """A delivery that Dispatch made while the endpoint was disabled; its event is of no matter."""
    world.clock.at += 1
    now = int(world.clock.at)
    made = new_delivery(endpoint.endpoint_id, f"evt_{number:032x}", SUBMITTED, now=now, expires_at=now + MONTH_S)
    world.deliveries.create(replace(made, status=DeliveryStatus.WAITING, next_attempt_at=now))


def number_of(event_id: str) -> int:
    return int(event_id.removeprefix("evt_"), 16)


def received(server: ScriptedServer) -> list[int]:
    return [number_of(request.headers["webhook-id"]) for request in server.requests]


def statuses(world: World, endpoint: Endpoint) -> set[DeliveryStatus]:
    return {delivery.status for delivery in world.deliveries.every(endpoint.endpoint_id)}


def test_what_came_while_it_was_disabled_by_command_follows(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        dispatch(world, 1)
        work(world)
        world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
        dispatch(world, 2, 3, 4)
        world.retry()
        work(world)
        assert received(receiver) == [1]
        enable(world, endpoint)
        dispatch(world, 5)
        world.retry()
        work(world)
        assert sorted(received(receiver)) == [1, 2, 3, 4, 5]
        assert received(receiver)[-3:] == [2, 3, 4], "what waited, oldest first"
    assert statuses(world, endpoint) == {DeliveryStatus.DELIVERED}


def test_what_came_after_a_410_follows_with_the_event_that_it_answered(world: World) -> None:
    with scripted_server(GONE, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        dispatch(world, 1)
        work(world)
        assert not world.known(endpoint).is_enabled
        dispatch(world, 2, 3)
        enable(world, endpoint)
        world.retry()
        work(world)
        assert received(receiver) == [1, 1, 2, 3]
    assert statuses(world, endpoint) == {DeliveryStatus.DELIVERED}


def test_what_came_during_five_days_of_failures_and_after_them_follows(world: World) -> None:
    """Also what used up its attempts in that time: it was the receiver that failed, not the event."""
    with scripted_server(BROKEN) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        number = 0
        while world.known(endpoint).is_enabled:
            dispatch(world, number := number + 1)
            for _ in range(24):
                work(world)
                world.clock.at += 3600
                world.retry()
        work(world)
        assert {DeliveryStatus.FAILED, DeliveryStatus.WAITING} == statuses(world, endpoint)
        world.clock.at += DAY_S
        dispatch(world, number := number + 1)
        receiver.steps[:] = [answer()]
        before = len(receiver.requests)
        enable(world, endpoint)
        world.retry()
        work(world)
        assert received(receiver)[before:] == list(range(1, number + 1))
    assert statuses(world, endpoint) == {DeliveryStatus.DELIVERED}


def test_what_failed_before_the_receiver_did_stays_failed(world: World) -> None:
    """An event that a working receiver does not take is not sent again by enabling, and neither is a test."""
    with scripted_server(BROKEN) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        refused = world.delivery(endpoint, 1)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            report = world.deliver(DeliveryMessage(refused.endpoint_id, refused.event_id, attempt))
            world.clock.at = float(report.next_attempt_at or world.clock.at)
        receiver.steps[:] = [answer()]
        world.clock.at += 3600
        world.deliver(world.delivery(endpoint, 2))
        receiver.steps[:] = [BROKEN]
        world.clock.at += 3600
        test = send_endpoint_test(
            world.known(endpoint),
            events=world.events,
            deliveries=world.deliveries,
            queue=world.queue,
            now=world.clock.now,
            retention_days=30,
        )
        world.deliver(DeliveryMessage(endpoint.endpoint_id, test.event_id, 1))
        world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
        enable(world, endpoint)
    failed = world.deliveries.list_for(endpoint.endpoint_id, DeliveryStatus.FAILED)
    assert {each.event_id for each in failed} == {refused.event_id, test.event_id}


def test_a_large_backlog_follows_whole_and_oldest_first(world: World) -> None:
    """More than one batch."""
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
    count = BATCH_PER_ENDPOINT + 10
    for number in range(1, count + 1):
        waiting(world, endpoint, number)
    enable(world, endpoint)
    world.retry()
    queued = [number_of(message.event_id) for message, _ in world.enqueued()]
    assert queued == list(range(1, count + 1))


def test_it_follows_at_the_endpoints_rate(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    update_endpoint(endpoint, EndpointChanges(rate_per_second=0.1), world.endpoints, world.key, allow_http=True)
    world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
    dispatch(world, *range(1, 10))
    enable(world, endpoint)
    world.retry()
    assert [number_of(message.event_id) for message, _ in world.enqueued()] == [1, 2, 3, 4, 5, 6]


def test_nothing_missed_is_nothing_sent(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
    enable(world, endpoint)
    world.retry()
    assert world.enqueued() == []


def test_what_is_kept_for_it_expires_with_the_event(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
    dispatch(world, 1)
    (waiting,) = world.deliveries.every(endpoint.endpoint_id)
    assert waiting.expires_at == int(world.clock.at) + 30 * DAY_S


def test_removing_an_endpoint_cancels_what_waits_for_it_and_says_why(world: World) -> None:
    with scripted_server(BROKEN) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        other, _ = world.endpoint("http://127.0.0.1:9/")
        dispatch(world, *range(1, 6))
        work(world)
        world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
        dispatch(world, *range(6, 9))
        found = world.known(endpoint)
        assert remove_endpoint(found, world.endpoints, world.deliveries, now=world.clock.now) == 8
    assert world.endpoints.get(endpoint.endpoint_id) is None
    cancelled = list(world.deliveries.every(endpoint.endpoint_id))
    assert {(each.status, each.cancelled_reason) for each in cancelled} == {
        (DeliveryStatus.CANCELLED, ENDPOINT_REMOVED)
    }
    assert world.deliveries.waiting(endpoint.endpoint_id, 10) == []
    assert DeliveryStatus.CANCELLED not in statuses(world, other)


def test_more_than_a_page_is_cancelled(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    for number in range(1, 512):
        waiting(world, endpoint, number)
    assert remove_endpoint(endpoint, world.endpoints, world.deliveries, now=world.clock.now) == 511
    assert statuses(world, endpoint) == {DeliveryStatus.CANCELLED}


def test_what_was_delivered_stays_delivered_when_the_endpoint_is_removed(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        dispatch(world, 1)
        work(world)
    assert remove_endpoint(endpoint, world.endpoints, world.deliveries, now=world.clock.now) == 0
    assert statuses(world, endpoint) == {DeliveryStatus.DELIVERED}


def test_a_removal_that_was_interrupted_goes_on(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    dispatch(world, 1, 2)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.endpoints, "remove", dies)
        with pytest.raises(KeyboardInterrupt):
            remove_endpoint(endpoint, world.endpoints, world.deliveries, now=world.clock.now)
    dispatch(world, 3)
    found = world.known(endpoint)
    assert not found.is_enabled
    assert remove_endpoint(found, world.endpoints, world.deliveries, now=world.clock.now) == 1
    assert statuses(world, endpoint) == {DeliveryStatus.CANCELLED}
