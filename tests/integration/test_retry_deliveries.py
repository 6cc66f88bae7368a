"""Retry enqueues due deliveries once, oldest first; a dead endpoint gets one at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import boto3
import pytest

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES
from examhook.delivery.record import DeliveryStatus
from examhook.delivery.schedule import PROBE_INTERVAL_S, REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import DeliveryMessage, DeliveryQueueError, parse_body
from examhook.workflows.delivering.report import MessageOutcome
from examhook.workflows.retrying.backlog import Backlog
from examhook.workflows.retrying.retry import TICK_S
from tests.support.delivery.delivery_stack import REGION, World
from tests.support.delivery.scripted_server import answer, scripted_server

BUSY = answer("", "503 Service Unavailable")


def event_numbers(sent: list[tuple[DeliveryMessage, int]]) -> list[int]:
    return [int(message.event_id.removeprefix("evt_"), 16) for message, _ in sent]


def test_a_lost_message_is_enqueued_again(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    message = world.delivery(endpoint)
    world.clock.at += REQUEUE_AFTER_S - 1
    assert world.retry().enqueued == 0
    world.clock.at += 1
    assert world.retry().enqueued == 1
    assert world.enqueued() == [(message, 0)]


def test_the_message_is_really_on_the_queue(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    message = world.delivery(endpoint)
    world.clock.at += REQUEUE_AFTER_S
    world.retry()
    sqs = boto3.client("sqs", region_name=REGION)
    (received,) = sqs.receive_message(QueueUrl=world.queue_url, MaxNumberOfMessages=10)["Messages"]
    assert parse_body(received["Body"]) == message


def test_a_delivery_queued_while_its_endpoint_was_disabled_is_sent_once_enabled(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    message = world.delivery(endpoint)
    world.endpoints.disable(endpoint.endpoint_id, "by hand", int(world.clock.at))
    assert world.deliver(message).outcome is MessageOutcome.HELD
    assert world.stored(message).status is DeliveryStatus.WAITING
    world.endpoints.enable(endpoint.endpoint_id)
    assert world.retry().enqueued == 1
    assert world.enqueued() == [(message, 0)]


def test_a_second_tick_does_not_enqueue_again(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.delivery(endpoint)
    world.clock.at += REQUEUE_AFTER_S
    assert [world.retry().enqueued, world.retry().enqueued] == [1, 0]


def test_of_two_simultaneous_ticks_only_one_enqueues(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.delivery(endpoint)
    now = int(world.clock.at) + REQUEUE_AFTER_S
    (seen,) = world.deliveries.due(endpoint.endpoint_id, now, 10)
    assert world.deliveries.postpone(seen, now + REQUEUE_AFTER_S) is not None
    assert world.deliveries.postpone(seen, now + REQUEUE_AFTER_S) is None


def test_due_deliveries_are_enqueued_oldest_first_up_to_the_limit(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    for nth in range(1, 31):
        world.delivery(endpoint, nth)
        world.clock.at += 1
    world.clock.at += REQUEUE_AFTER_S
    backlog = Backlog(world.deliveries, world.queue, world.clock.now)
    first = backlog.enqueue_due(endpoint.endpoint_id, limit=25)
    assert (first.count, first.overdue_s) == (25, 30)
    assert event_numbers(world.enqueued()) == list(range(1, 26))
    rest = backlog.enqueue_due(endpoint.endpoint_id, limit=25, after=first.last)
    assert (rest.count, rest.last) == (5, None)
    assert event_numbers(world.enqueued()) == list(range(26, 31))


def test_a_delivery_that_ended_is_not_due(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        world.deliver(world.delivery(endpoint))
    world.clock.at += 10 * REQUEUE_AFTER_S
    assert world.retry().enqueued == 0


def test_an_endpoint_that_is_down_gets_one_delivery_at_a_time(world: World) -> None:
    with scripted_server(BUSY) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = [world.delivery(endpoint, nth) for nth in range(1, 6)]
        for message in messages[:DOWN_AFTER_FAILURES]:
            world.deliver(message)
    world.enqueued()
    world.clock.at += REQUEUE_AFTER_S
    assert world.retry().enqueued == 1
    assert world.retry().enqueued == 0, "a second tick at the same time is no second probe"
    world.clock.at += PROBE_INTERVAL_S
    assert world.retry().enqueued == 1


def test_after_a_recovery_all_waiting_deliveries_follow_oldest_first(world: World) -> None:
    with scripted_server(*[BUSY] * 5, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        for nth in range(1, 6):
            world.deliver(world.delivery(endpoint, nth))
            world.clock.at += PROBE_INTERVAL_S
        world.enqueued()
        assert world.known(endpoint).health.is_down
        # They wait for their second attempt, and one new event finds the receiver well again.
        assert world.deliver(world.delivery(endpoint, 6)).outcome is MessageOutcome.DELIVERED
        waiting = world.enqueued()
        assert event_numbers(waiting) == [1, 2, 3, 4, 5]
        assert all(world.deliver(message).outcome is MessageOutcome.DELIVERED for message, _ in waiting)
    assert not world.known(endpoint).health.draining
    assert world.deliveries.waiting(endpoint.endpoint_id, 10) == []


def test_a_recovery_keeps_requested_pauses(world: World) -> None:
    later = answer("", "429 Too Many Requests", Retry_After="3600")
    with scripted_server(later, *[BUSY] * 2, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        asked = world.delivery(endpoint, 1)
        for message in (asked, world.delivery(endpoint, 2), world.delivery(endpoint, 3)):
            world.deliver(message)
        world.enqueued()
        world.deliver(world.delivery(endpoint, 4))
    assert event_numbers(world.enqueued()) == [2, 3]
    assert world.stored(asked).next_attempt_at == world.clock.at + 3600


def test_a_recovery_does_not_repeat_attempts_in_progress(world: World) -> None:
    with scripted_server(*[BUSY] * 3, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        under_way = world.delivery(endpoint, 9)
        world.deliveries.claim(under_way.endpoint_id, under_way.event_id, 1, until=int(world.clock.at) + 120)
        for nth in (1, 2, 3):
            world.deliver(world.delivery(endpoint, nth))
        world.enqueued()
        world.deliver(world.delivery(endpoint, 4))
    assert event_numbers(world.enqueued()) == [1, 2, 3]


def test_later_ticks_send_what_one_recovery_could_not(world: World) -> None:
    with scripted_server(BUSY) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        world.endpoints.set_draining(endpoint.endpoint_id, draining=True)
        waiting = world.delivery(endpoint)
        world.deliver(waiting)
    world.enqueued()
    assert world.retry().enqueued == 1
    assert event_numbers(world.enqueued()) == [1]
    assert not world.known(endpoint).health.draining
    assert world.stored(waiting).status is DeliveryStatus.PENDING


def test_an_endpoint_with_an_error_does_not_delay_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = world.endpoint("http://127.0.0.1:9/")
    second, _ = world.endpoint("http://127.0.0.1:9/")
    for endpoint in (first, second):
        world.delivery(endpoint)
    world.clock.at += REQUEUE_AFTER_S
    ordinary = world.queue.send
    refused = world.endpoints.list_all()[0].endpoint_id

    def send(messages: list[DeliveryMessage], delay_s: int = 0) -> None:
        if messages[0].endpoint_id == refused:
            raise DeliveryQueueError("SQS rejected 1 of the messages (Throttled)")
        ordinary(messages, delay_s)

    monkeypatch.setattr(world.queue, "send", send)
    report = world.retry()
    assert (report.enqueued, report.errors) == (1, ("DeliveryQueueError",))


def test_ticks_out_of_time_serve_every_endpoint_in_turn(world: World) -> None:
    """Each tick has time for one of three endpoints; within three minutes each is served."""
    endpoints = [world.endpoint("http://127.0.0.1:9/")[0] for _ in range(3)]
    for endpoint in endpoints:
        world.delivery(endpoint)
    world.clock.at += REQUEUE_AFTER_S
    for _ in endpoints:
        seconds = count(step=int(TICK_S // 2 + 1))
        report = replace(world.retrying(), monotonic=lambda: float(next(seconds))).run()  # noqa: B023 - called here
        assert (report.enqueued, report.errors) == (1, ("OutOfTime",) * 2)
        world.clock.at += 60
    assert {message.endpoint_id for message, _ in world.enqueued()} == {each.endpoint_id for each in endpoints}


def test_disabled_endpoints_get_nothing(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.delivery(endpoint)
    world.endpoints.disable(endpoint.endpoint_id, "by hand", at=1)
    world.clock.at += REQUEUE_AFTER_S
    assert world.retry().enqueued == 0
