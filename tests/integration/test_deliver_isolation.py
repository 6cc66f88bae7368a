"""No endpoint delays another: hanging receivers, rates, slowing down, and what waits for an endpoint that is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import boto3
import pytest

from examhook.delivery.endpoint import DOWN_AFTER_FAILURES, Endpoint
from examhook.delivery.rate_limit import ENDPOINT_CONCURRENCY, MAX_POSTPONE_S, SLOWDOWN_BURST, SLOWDOWN_S
from examhook.delivery.record import DeliveryStatus
from examhook.delivery.schedule import PROBE_INTERVAL_S, REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import DeliveryMessage, body_of, parse_body
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.storage.batch_loader import NOTHING_LOADED, LoadedBatch
from examhook.workflows.administration.endpoint_changes import EndpointChanges, update_endpoint
from examhook.workflows.delivering.batch_runner import (
    MAX_ATTEMPTS_AT_ONCE,
    RETURN_DELAY_S,
    BatchRunner,
    OnDone,
    QueuedMessage,
)
from examhook.workflows.delivering.deliver import DeliverWebhooks
from examhook.workflows.delivering.report import DeliverReport, MessageOutcome
from tests.support.delivery.delivery_stack import REGION, World
from tests.support.delivery.scripted_server import Peer, answer, scripted_server

BUSY = answer("", "503 Service Unavailable")


def with_rate(world: World, endpoint: Endpoint, rate: float) -> Endpoint:
    changes = EndpointChanges(rate_per_second=rate)
    return update_endpoint(endpoint, changes, world.endpoints, world.key, allow_http=True, allow_private=True)


def at_once(world: World, messages: list[DeliveryMessage]) -> list[MessageOutcome]:
    """What becomes of each where all come at the same instant; one that sleeps keeps none of the others waiting."""
    outcomes, at = [], world.clock.at
    for message in messages:
        outcomes.append(world.deliver(message).outcome)
        world.clock.at = at
    return outcomes


@dataclass
class Played:
    """Attempts as a test makes them up; nothing is looked up for them."""

    attempt: Callable[[DeliveryMessage], DeliverReport]

    def load_batch(self, _messages: Sequence[DeliveryMessage]) -> LoadedBatch:
        return NOTHING_LOADED

    def process(self, message: DeliveryMessage, known: LoadedBatch) -> DeliverReport:
        assert known is NOTHING_LOADED
        return self.attempt(message)


def run_round(world: World, worker: Played | DeliverWebhooks, batch: Sequence[QueuedMessage], done: OnDone) -> None:
    """One invocation."""
    with ThreadPoolExecutor(MAX_ATTEMPTS_AT_ONCE + 1) as pool:
        BatchRunner(cast("DeliverWebhooks", worker), world.queue, time.monotonic, done, pool).run(batch)


def a_round(
    world: World, process: Callable[[DeliveryMessage], DeliverReport], batch: list[DeliveryMessage]
) -> list[tuple[QueuedMessage, DeliverReport | BaseException]]:
    """The messages and reports of one invocation, in the order of completion."""
    told: list[tuple[QueuedMessage, DeliverReport | BaseException]] = []
    messages = [QueuedMessage(f"m{number}", body_of(message)) for number, message in enumerate(batch)]
    run_round(world, Played(process), messages, lambda *each: told.append(each))
    return told


def test_while_a_receiver_hangs_the_same_worker_serves_the_others(world: World) -> None:
    """All of a batch hangs; what is on the queue is sent before it gives up, and removed from the queue."""
    released = threading.Event()

    def hang(peer: Peer) -> None:
        released.wait(20)
        peer.reset()

    with scripted_server(hang) as hanging, scripted_server(answer()) as quick:
        dead, _ = world.endpoint(hanging.url)
        well, _ = world.endpoint(quick.url)
        batch = [world.delivery(dead, nth) for nth in (1, 2)]
        others = [world.delivery(well, nth) for nth in range(3, 15)]
        world.queue.send(others)
        session = guarded_client(allow_private=True)
        sender = WebhookSender(session, allow_http=True, allow_private=True)
        told: list[MessageOutcome] = []

        def done(_message: QueuedMessage, outcome: DeliverReport | BaseException) -> None:
            assert isinstance(outcome, DeliverReport)
            told.append(outcome.outcome)
            if len(told) == len(others):
                released.set()

        messages = [QueuedMessage(each.event_id, body_of(each)) for each in batch]
        run_round(world, world.deliver_by(sender, deadline_s=20), messages, done)
        session.close()
    assert told == [MessageOutcome.DELIVERED] * len(others) + [MessageOutcome.RETRY_LATER] * 2
    assert {message.event_id for message in others} == {each.headers["webhook-id"] for each in quick.requests}
    attributes = boto3.client("sqs", region_name=REGION).get_queue_attributes(
        QueueUrl=world.queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0", "what was taken and sent is removed"


def test_a_process_makes_only_so_many_attempts_at_one_endpoint_at_once(world: World) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def process(message: DeliveryMessage) -> DeliverReport:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return DeliverReport(message, MessageOutcome.DELIVERED, "")

    told = a_round(world, process, [DeliveryMessage("ep_1", f"evt_{nth}", 1) for nth in range(10)])
    assert len(told) == 10
    assert most == ENDPOINT_CONCURRENCY


def test_what_waits_for_slow_attempts_at_its_endpoint_goes_back_to_the_queue(world: World) -> None:
    released = threading.Event()

    def process(message: DeliveryMessage) -> DeliverReport:
        released.wait(20)
        return DeliverReport(message, MessageOutcome.RETRY_LATER, "")

    told: list[MessageOutcome] = []

    def done(_message: QueuedMessage, outcome: DeliverReport | BaseException) -> None:
        assert isinstance(outcome, DeliverReport)
        told.append(outcome.outcome)
        if told.count(MessageOutcome.PUT_OFF) == 2:
            released.set()

    batch = [DeliveryMessage("ep_1", f"evt_{nth}", 1) for nth in range(ENDPOINT_CONCURRENCY + 2)]
    messages = [QueuedMessage(each.event_id, body_of(each)) for each in batch]
    run_round(world, Played(process), messages, done)
    assert told == [MessageOutcome.PUT_OFF] * 2 + [MessageOutcome.RETRY_LATER] * ENDPOINT_CONCURRENCY
    assert world.enqueued() == [(each, RETURN_DELAY_S) for each in batch[ENDPOINT_CONCURRENCY:]]


def test_a_message_that_is_none_of_ours_fails_alone(world: World) -> None:
    told: list[tuple[QueuedMessage, DeliverReport | BaseException]] = []
    good = DeliveryMessage("ep_1", "evt_1", 1)

    def process(message: DeliveryMessage) -> DeliverReport:
        return DeliverReport(message, MessageOutcome.DELIVERED, "")

    batch = [QueuedMessage("bad", "{}"), QueuedMessage("good", body_of(good))]
    run_round(world, Played(process), batch, lambda *each: told.append(each))
    assert [(message.message_id, type(outcome).__name__) for message, outcome in told] == [
        ("bad", "BadMessageError"),
        ("good", "DeliverReport"),
    ]


def test_messages_carry_their_endpoint_as_group_so_that_sqs_can_be_fair(world: World) -> None:
    world.queue.send([DeliveryMessage("ep_1", "evt_1", 1), DeliveryMessage("ep_2", "evt_2", 1)])
    received = boto3.client("sqs", region_name=REGION).receive_message(
        QueueUrl=world.queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    groups = {parse_body(each["Body"]).endpoint_id: each["Attributes"]["MessageGroupId"] for each in received}
    assert groups == {"ep_1": "ep_1", "ep_2": "ep_2"}


def test_attempts_keep_to_the_rate_and_none_is_used_up_by_waiting(world: World) -> None:
    """Ten at 2 a second: the first goes at once, two more within a second's sleep, the others come again in turn."""
    with scripted_server(answer()) as receiver:
        endpoint = with_rate(world, world.endpoint(receiver.url)[0], 2)
        messages = [world.delivery(endpoint, nth) for nth in range(1, 11)]
        waiting = [(message, 0.0) for message in messages]
        sent_at: list[float] = []
        began_at = world.clock.at
        while waiting:
            waiting.sort(key=lambda each: each[1])
            message, due_at = waiting.pop(0)
            world.clock.at = max(world.clock.at, due_at)
            came_at = world.clock.at
            report = world.deliver(message)
            if report.outcome is MessageOutcome.DELIVERED:
                sent_at.append(world.clock.at - began_at)
            # While one sleeps, others are worked on.
            world.clock.at = came_at
            waiting += [(put_off, came_at + delay_s) for put_off, delay_s in world.enqueued()]
    assert sorted(sent_at) == pytest.approx([nth * 0.5 for nth in range(10)], abs=0.01)
    assert all(world.stored(message).attempts == 1 for message in messages)


def test_what_finds_no_place_within_a_minute_waits_in_the_table_and_retry_brings_a_minutes_worth(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint = with_rate(world, world.endpoint(receiver.url)[0], 0.1)
        messages = [world.delivery(endpoint, nth) for nth in range(1, 13)]
        outcomes = at_once(world, messages)
    # One at once, and six more, one every ten seconds, within the minute that may be taken in advance.
    assert outcomes == [MessageOutcome.DELIVERED] + [MessageOutcome.PUT_OFF] * 6 + [MessageOutcome.HELD] * 5
    assert world.stored(messages[-1]).status is DeliveryStatus.WAITING
    world.enqueued()
    world.clock.at += MAX_POSTPONE_S
    assert world.retry().enqueued == 5
    for message in [world.delivery(endpoint, nth) for nth in range(20, 40)]:
        world.deliveries.hold(message.endpoint_id, message.event_id, 1)
    assert world.retry().enqueued == 6, "no more than its rate lets through in a minute"


def test_a_place_that_is_long_past_is_taken_anew(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint = with_rate(world, world.endpoint(receiver.url)[0], 1)
        late = [world.delivery(endpoint, nth) for nth in (1, 2, 3, 4)]
        at = world.clock.at
        outcomes = at_once(
            world, [DeliveryMessage(each.endpoint_id, each.event_id, 1, slot_at=at - 30) for each in late]
        )
    # One at once and one after a second's sleep: a delay does not become a burst.
    assert outcomes == [MessageOutcome.DELIVERED] * 2 + [MessageOutcome.PUT_OFF] * 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_endpoint_that_has_too_much_to_do_is_served_slowly_for_a_while(world: World, status: int) -> None:
    with scripted_server(answer("", f"{status} Busy"), answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        world.deliver(world.delivery(endpoint, 1))
        outcomes = at_once(world, [world.delivery(endpoint, nth) for nth in range(2, 12)])
        assert outcomes.count(MessageOutcome.DELIVERED) == SLOWDOWN_BURST + 1
        assert outcomes.count(MessageOutcome.PUT_OFF) == 10 - SLOWDOWN_BURST - 1
        world.clock.at += SLOWDOWN_S
        assert world.deliver(world.delivery(endpoint, 20)).outcome is MessageOutcome.DELIVERED


@pytest.mark.parametrize("status", [400, 404, 500])
def test_other_failures_slow_nothing_down(world: World, status: int) -> None:
    with scripted_server(answer("", f"{status} No"), answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        world.deliver(world.delivery(endpoint, 1))
        outcomes = {world.deliver(world.delivery(endpoint, nth)).outcome for nth in range(2, 12)}
    assert outcomes == {MessageOutcome.DELIVERED}


def test_while_a_probe_is_under_way_a_message_for_an_endpoint_that_is_down_costs_no_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_server(BUSY) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        for nth in range(1, DOWN_AFTER_FAILURES + 2):
            world.deliver(world.delivery(endpoint, nth))
        monkeypatch.setattr(world.endpoints, "claim_probe", None)
        monkeypatch.setattr(world.events, "get", None)
        held = world.delivery(endpoint, 9)
        assert world.deliver(held).outcome is MessageOutcome.HELD
    assert world.stored(held).next_attempt_at == world.stored(held).created_at


def test_after_days_of_outage_all_comes_oldest_first_and_once(world: World) -> None:
    """Time is passed in: three days down, one event an hour, one probe at a time, then the receiver is back."""
    with scripted_server(BUSY) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = []
        for nth in range(1, 73):
            messages.append(world.delivery(endpoint, nth))
            world.deliver(messages[-1])
            world.clock.at += 3600
            world.retry()
            for message, _ in world.enqueued():
                world.deliver(message)
        tried = len(receiver.requests)
        receiver.steps[:] = [answer()]
        came: list[str] = []
        for _ in range(30):
            world.clock.at += max(PROBE_INTERVAL_S, REQUEUE_AFTER_S)
            world.retry()
            while batch := world.enqueued():
                for message, _ in batch:
                    world.deliver(message)
        came = [request.headers["webhook-id"] for request in receiver.requests[tried:]]
    assert len(came) == len(set(came)), "each arrives once"
    failed = [message for message in messages if world.stored(message).status is DeliveryStatus.FAILED]
    assert {message.event_id for message in messages} == {*came, *(message.event_id for message in failed)}
    assert tried < 3 * len(messages), "no more than a probe an hour and what was new"
    # The probe that found it well comes first; what waited follows in the order in which it was made.
    assert came[1:] == sorted(came[1:])
