"""``examhook events replay`` and ``examhook deliveries retry``: what goes out again, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from examhook.delivery.endpoint import Endpoint
from examhook.delivery.record import DeliveryStatus
from examhook.delivery.schedule import MAX_ATTEMPTS
from examhook.destinations.delivery_queue import DeliveryMessage, parse_body
from examhook.events.build import Event, submission_event
from examhook.workflows.administration.endpoint_changes import EndpointChanges
from examhook.workflows.administration.endpoints import add_endpoint, send_endpoint_test
from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack
from tests.support.delivery.delivery_stack import DAY_S, MONTH_S, REGION, World
from tests.support.delivery.scripted_server import answer, scripted_server
from tests.support.events.model_values import attempt, submission, transition

FAILING = answer("", "500 Internal Server Error")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with installed_stack(monkeypatch) as stack:
        assert isinstance(stack, InstalledStack)
        yield stack.world


def stored_event(world: World, nth: int) -> Event:
    """The ``nth`` event, noticed ``nth`` minutes ago; without a result link, which would have expired."""
    noticed_at = int(world.clock.at) - 60 * nth
    made = submission_event(
        submission(attempt=attempt(result_url=None)),
        transition(event_id=f"evt_{nth:032x}", sequence=nth, observed_at=noticed_at),
    )
    world.events.add(made, int(world.clock.at) + MONTH_S)
    return made


def sent_again(*args: str) -> dict[str, Any]:
    finished = examhook(*args, "--json")
    assert finished.exit_code == 0, finished.err
    document = finished.json()
    assert isinstance(document, dict)
    return document


def queued(world: World) -> list[DeliveryMessage]:
    """Takes every message off the queue, whoever put it there."""
    sqs = boto3.client("sqs", region_name=REGION)
    found: list[DeliveryMessage] = []
    while messages := sqs.receive_message(QueueUrl=world.queue_url, MaxNumberOfMessages=10).get("Messages", []):
        found += [parse_body(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=world.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def delivered(world: World, endpoint: Endpoint, event: Event) -> None:
    message = DeliveryMessage(endpoint.endpoint_id, event.event_id, 1)
    sent_again("events", "replay", event.event_id, "--endpoint", endpoint.endpoint_id)
    world.deliver(message)


def test_an_event_goes_out_again_under_its_id_to_whoever_wants_it(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        add_endpoint(
            "https://other.example/",
            world.endpoints,
            world.key,
            world.clock.now,
            changes=EndpointChanges(types=("submission.forced",)),
        )
        event = stored_event(world, 1)
        delivered(world, endpoint, event)
        printed = sent_again("events", "replay", event.event_id)
        assert printed == {
            "dry_run": False,
            "events": 1,
            "queued": 1,
            "on_its_way": 0,
            "already_delivered": 0,
            "not_wanted": 1,
        }
        again = queued(world)[-1]
        world.deliver(again)
    assert [request.headers["webhook-id"] for request in receiver.requests] == [event.event_id] * 2
    assert [record.attempt for record in world.stored(again).attempt_log] == [1, 2]


def test_replaying_twice_sends_once_what_is_on_its_way(world: World) -> None:
    world.endpoint("http://127.0.0.1:9/")
    event = stored_event(world, 1)
    assert sent_again("events", "replay", event.event_id)["queued"] == 1
    assert sent_again("events", "replay", event.event_id)["on_its_way"] == 1
    assert len(queued(world)) == 1


def test_all_since_a_time_goes_out_oldest_first_and_nothing_older(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    for nth in (1, 2, 3, 90):
        stored_event(world, nth)
    assert sent_again("events", "replay", "--since", "1h")["queued"] == 3
    sent = [int(message.event_id.removeprefix("evt_"), 16) for message in queued(world)]
    assert sent == [3, 2, 1]
    assert world.deliveries.backlog_summary(endpoint.endpoint_id).waiting == 3


def test_what_a_provider_noticed_whose_clock_is_two_days_ahead_is_listed_and_goes_out(world: World) -> None:
    world.endpoint("http://127.0.0.1:9/")
    event = replace(stored_event(world, 0), event_id=f"evt_{9:032x}", observed_at=int(world.clock.at) + 2 * DAY_S)
    world.events.add(event, int(world.clock.at) + MONTH_S)
    listed = examhook("events", "list", "--since", "1h", "--json").json()
    assert isinstance(listed, list)
    assert [each["id"] for each in listed] == [f"evt_{number:032x}" for number in (9, 0)]
    assert sent_again("events", "replay", "--since", "1h")["queued"] == 2


def test_only_what_never_arrived_is_sent_where_that_is_asked_for(world: World) -> None:
    with scripted_server(answer(), FAILING) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        arrived, failed = stored_event(world, 1), stored_event(world, 2)
        delivered(world, endpoint, arrived)
        delivered(world, endpoint, failed)
        world.deliveries.cancel(endpoint.endpoint_id, failed.event_id, "its event is gone")
        stored_event(world, 3)
    queued(world)
    printed = sent_again("events", "replay", "--since", "1h", "--undelivered")
    assert (printed["queued"], printed["already_delivered"]) == (2, 1)
    assert {message.event_id for message in queued(world)} == {failed.event_id, f"evt_{3:032x}"}


def test_a_dry_run_counts_and_sends_nothing(world: World) -> None:
    world.endpoint("http://127.0.0.1:9/")
    stored_event(world, 1)
    assert sent_again("events", "replay", "--since", "1h", "--dry-run")["queued"] == 1
    assert world.deliveries.list_for() == []
    assert queued(world) == []
    assert examhook("events", "replay", "--since", "1h", "--dry-run").out == "1 delivery would be sent.\n"


def test_there_is_no_cap_and_what_is_beyond_the_first_goes_by_ticks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    at_once, count = 20, 50
    monkeypatch.setattr("examhook.workflows.administration.replay.AT_ONCE_PER_ENDPOINT", at_once)
    for nth in range(count):
        stored_event(world, nth)
    assert sent_again("events", "replay", "--since", "1d")["queued"] == count
    assert len(queued(world)) == at_once
    assert world.deliveries.backlog_summary(endpoint.endpoint_id).waiting == count
    world.clock.at += 30
    assert world.retry().enqueued == count - at_once


def test_an_endpoint_that_is_down_gets_its_replay_when_it_is_back(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        for _ in range(3):
            world.endpoints.record_outcome(endpoint.endpoint_id, 1, "answered 503")
        for nth in (1, 2, 3):
            stored_event(world, nth)
        sent_again("events", "replay", "--since", "1h")
        assert queued(world) == []
        world.clock.at += 30
        assert world.retry().enqueued == 1
        (probe,) = queued(world)
        world.deliver(probe)
        assert len(queued(world)) == 2


def test_a_replayed_delivery_has_the_whole_schedule_before_it(world: World) -> None:
    with scripted_server(FAILING) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        event = stored_event(world, 1)
        message = DeliveryMessage(endpoint.endpoint_id, event.event_id, 1, probe=True)
        sent_again("events", "replay", event.event_id)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            world.deliver(DeliveryMessage(message.endpoint_id, message.event_id, attempt, probe=True))
        assert world.stored(message).status is DeliveryStatus.FAILED
        sent_again("deliveries", "retry", endpoint.endpoint_id, event.event_id)
        world.deliver(DeliveryMessage(message.endpoint_id, message.event_id, MAX_ATTEMPTS + 1, probe=True))
    stored = world.stored(message)
    assert (stored.status, stored.attempts, stored.attempt_in_schedule) == (DeliveryStatus.WAITING, 11, 1)
    assert stored.next_attempt_at == world.clock.at + 5


def test_an_endpoints_test_is_not_replayed(world: World) -> None:
    endpoint, _ = add_endpoint(
        "https://a.example/", world.endpoints, world.key, world.clock.now, changes=EndpointChanges(types=("*",))
    )
    event = send_endpoint_test(
        endpoint,
        events=world.events,
        deliveries=world.deliveries,
        queue=world.queue,
        now=world.clock.now,
        retention_days=30,
    )
    assert sent_again("events", "replay", event.event_id)["not_wanted"] == 1


@pytest.mark.parametrize(
    "args", [[], ["evt_1", "--since", "1h"], ["--since", "soon"], ["--since", "1h", "--type", "y"]]
)
@pytest.mark.usefixtures("world")
def test_a_replay_of_nothing_or_of_too_much_is_wrong_usage(args: list[str]) -> None:
    assert examhook("events", "replay", *args).exit_code == 2


def test_what_is_not_there_or_disabled_is_named(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    unknown = examhook("events", "replay", "evt_none")
    assert (unknown.exit_code, "evt_none" in unknown.err) == (1, True)
    world.endpoints.disable(endpoint.endpoint_id, "by hand", at=1)
    for command in (["events", "replay", "--since", "1h", "--endpoint"], ["deliveries", "retry"]):
        refused = examhook(*command, endpoint.endpoint_id)
        assert (refused.exit_code, "endpoints enable" in refused.err) == (1, True)
    assert examhook("deliveries", "retry", "ep_none").exit_code == 1


def test_a_retry_brings_forward_what_waits_and_begins_anew_what_failed(world: World) -> None:
    with scripted_server(FAILING) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        waits, failed, pending = (world.delivery(endpoint, nth) for nth in (1, 2, 3))
        world.deliver(waits)
        world.deliver(failed)
        claimed = world.deliveries.claim(endpoint.endpoint_id, failed.event_id, 2, until=1)
        assert claimed is not None
        last = replace(claimed.attempt_log[-1], attempt=2, next_attempt_at=None)
        world.deliveries.record(claimed, last, DeliveryStatus.FAILED)
    queued(world)
    assert sent_again("deliveries", "retry", endpoint.endpoint_id, "--dry-run")["queued"] == 2
    assert queued(world) == []
    printed = sent_again("deliveries", "retry", endpoint.endpoint_id)
    assert (printed["queued"], printed["on_its_way"]) == (2, 0)
    sent = {message.event_id: message.attempt for message in queued(world)}
    assert sent == {waits.event_id: 2, failed.event_id: 3}
    assert world.stored(pending).status is DeliveryStatus.PENDING
    assert (world.stored(waits).attempts_before, world.stored(failed).attempts_before) == (0, 2)


def test_a_delivered_one_is_not_retried(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        message = world.delivery(endpoint)
        world.deliver(message)
    printed = sent_again("deliveries", "retry", endpoint.endpoint_id, message.event_id)
    assert (printed["queued"], printed["already_delivered"]) == (0, 1)
    missing = examhook("deliveries", "retry", endpoint.endpoint_id, "evt_none")
    assert missing.exit_code == 1
