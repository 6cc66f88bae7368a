"""Deliver and Retry as Lambda calls them, wired from the environment and fed from ``events/``."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from examhook.delivery.record import DeliveryStatus
from examhook.delivery.schedule import REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import body_of, parse_body
from examhook.handlers import deliver as deliver_entry
from examhook.handlers import retry as retry_entry
from examhook.settings import SettingsError
from tests.support.delivery.delivery_stack import REGION, World, delivery_world
from tests.support.delivery.scripted_server import Peer, answer, scripted_server
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS

SAMPLES = Path(__file__).parents[2] / "events"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with delivery_world() as made:
        topic_arn = boto3.client("sns", region_name=REGION).create_topic(Name="operations")["TopicArn"]
        variables = {
            "EVENTS_TABLE": EVENTS,
            "DELIVERIES_TABLE": DELIVERIES,
            "ENDPOINTS_TABLE": ENDPOINTS,
            "DELIVERY_QUEUE_URL": made.queue_url,
            "SECRETS_KEY_ARN": made.key_arn,
            "OPERATIONS_TOPIC_ARN": topic_arn,
            "ATTEMPT_DEADLINE_SECONDS": "5",
            "ALLOW_HTTP_ENDPOINTS": "true",
            "ALLOW_PRIVATE_ENDPOINTS": "true",
            "DISABLE_AFTER_DAYS": "5",
            "WEBHOOK_URLS": "https://a.example/hook, https://b.example/hook",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        for entry in (deliver_entry, retry_entry):
            entry._workflow.cache_clear()  # noqa: SLF001 - a fresh process
        yield made
        for entry in (deliver_entry, retry_entry):
            entry._workflow.cache_clear()  # noqa: SLF001 - a fresh process


def sample_batch(*bodies: str) -> deliver_entry.QueueBatch:
    """The sample invocation, with the bodies of a test."""
    batch: deliver_entry.QueueBatch = json.loads((SAMPLES / "deliver.json").read_text())
    for record, body in zip(batch["Records"], bodies, strict=True):
        record["body"] = body
    return batch


def test_the_sample_batch_holds_messages_of_ours() -> None:
    bodies = [record["body"] for record in json.loads((SAMPLES / "deliver.json").read_text())["Records"]]
    assert [body_of(parse_body(body)) for body in bodies] == bodies


def test_deliver_sends_every_message_of_a_batch(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = [world.delivery(endpoint, nth) for nth in (1, 2)]
        outcome = deliver_entry.handler(sample_batch(*map(body_of, messages)), None)
    assert outcome == {"batchItemFailures": []}
    assert {request.headers["webhook-id"] for request in receiver.requests} == {each.event_id for each in messages}


def test_a_slow_receiver_does_not_hold_up_a_fast_one(world: World) -> None:
    """The slow one answers only once the fast one was served: one after the other, that could never happen."""
    served = threading.Event()

    def slow(peer: Peer) -> None:
        if served.wait(5):
            peer.send(answer())

    def fast(peer: Peer) -> None:
        served.set()
        peer.send(answer())

    with scripted_server(slow) as slow_receiver, scripted_server(fast) as fast_receiver:
        messages = [world.delivery(world.endpoint(each.url)[0]) for each in (slow_receiver, fast_receiver)]
        deliver_entry.handler(sample_batch(*map(body_of, messages)), None)
    assert [world.stored(message).status for message in messages] == [DeliveryStatus.DELIVERED] * 2


def test_a_receiver_that_fails_is_no_failure_of_the_batch(world: World) -> None:
    """The table stores the next attempt; a repeated SQS message would cause an extra one."""
    with scripted_server(answer("", "500 Internal Server Error")) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = [world.delivery(endpoint, nth) for nth in (1, 2)]
        assert deliver_entry.handler(sample_batch(*map(body_of, messages)), None) == {"batchItemFailures": []}


@pytest.mark.parametrize("poison", ["", "null", "{}", '{"endpoint_id":"e","event_id":"v","attempt":0}', "[1"])
def test_a_message_that_cannot_be_read_fails_alone(world: World, poison: str) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        batch = sample_batch(poison, body_of(world.delivery(endpoint)))
        outcome = deliver_entry.handler(batch, None)
    assert outcome == {"batchItemFailures": [{"itemIdentifier": batch["Records"][0]["messageId"]}]}
    assert len(receiver.requests) == 1


def test_an_attempts_log_line_names_the_ids_and_nothing_that_must_stay_inside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(deliver_entry.logger.registered_handler, "stream", written)
    with scripted_server(answer("the-answer", "500 Internal Server Error")) as receiver:
        endpoint, secret = world.endpoint(f"{receiver.url}/hook?token=the-token")
        message = world.delivery(endpoint)
        deliver_entry.handler(sample_batch(body_of(message), "poison"), None)
    output = written.getvalue()
    lines = [json.loads(line) for line in output.splitlines()]
    (attempt,) = [line["examhook"] for line in lines if line["message"] == "delivery attempt"]
    assert attempt["endpoint_id"] == endpoint.endpoint_id
    assert attempt["event_id"] == message.event_id
    assert (attempt["outcome"], attempt["http_status"]) == ("retry_later", 500)
    for hidden in ("the-token", "the-answer", secret, "Mei Chen", "made-up-token"):
        assert hidden not in output


def test_410_reaches_the_operations_topic(world: World) -> None:
    sqs, sns = boto3.client("sqs", region_name=REGION), boto3.client("sns", region_name=REGION)
    inbox = sqs.create_queue(QueueName="operators")["QueueUrl"]
    inbox_arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = sns.list_topics()["Topics"]
    sns.subscribe(
        TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=inbox_arn, Attributes={"RawMessageDelivery": "true"}
    )
    with scripted_server(answer("", "410 Gone")) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        messages = [body_of(world.delivery(endpoint, nth)) for nth in (1, 2)]
        deliver_entry.handler(sample_batch(*messages), None)
    retry_entry.handler({"trigger": "schedule"}, None)
    retry_entry.handler({"trigger": "schedule"}, None)
    notices = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)["Messages"]
    (notice,) = [json.loads(each["Body"]) for each in notices]
    assert notice["type"] == "endpoint.disabled"
    assert notice["data"]["details"]["endpoint_id"] == endpoint.endpoint_id


def test_retry_makes_the_configured_endpoints_and_enqueues_what_is_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    message = world.delivery(endpoint)
    later = world.clock.at + REQUEUE_AFTER_S
    monkeypatch.setattr("examhook.wiring.retry.time.time", lambda: later)
    tick: retry_entry.RetryCommand = json.loads((SAMPLES / "retry.json").read_text())
    assert retry_entry.handler(tick, None) == {"endpoints": 3, "enqueued": 1}
    sqs = boto3.client("sqs", region_name=REGION)
    (received,) = sqs.receive_message(QueueUrl=world.queue_url)["Messages"]
    assert parse_body(received["Body"]) == message
    assert len(world.endpoints.list_all()) == 3


def test_a_missing_variable_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DELIVERIES_TABLE")
    monkeypatch.delenv("ENDPOINTS_TABLE")
    with pytest.raises(SettingsError, match=r"DELIVERIES_TABLE.*ENDPOINTS_TABLE"):
        retry_entry.handler({"trigger": "manual"}, None)
    assert world.enqueued() == []
