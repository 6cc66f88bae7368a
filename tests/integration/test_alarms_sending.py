"""Each alarm on Dispatch, Deliver and Retry fires when the code causes its condition, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

import boto3
import pytest
from moto import mock_aws

from examhook.delivery.schedule import REQUEUE_AFTER_S
from examhook.destinations.delivery_queue import body_of
from examhook.destinations.webhook import WebhookSender, guarded_client
from examhook.handlers import deliver as deliver_entry
from examhook.handlers import retry as retry_entry
from examhook.settings import SettingsError
from examhook.storage.deliveries import DeliveriesTable
from tests.support.aws.cloudwatch import CloudWatch, watching
from tests.support.delivery.delivery_stack import World, delivery_world
from tests.support.delivery.scripted_server import answer, scripted_server
from tests.support.dispatch.dispatch_stack import deployed, invoke, sample_batch
from tests.support.dispatch.redrive_stack import failure
from tests.support.template.translated_template import STACK, StackTemplate

TEMPLATE = StackTemplate({"AccountCode": "a-code"})
ALARMS = TEMPLATE.of_type("AWS::CloudWatch::Alarm")
QUARTER_MIN = 15
FUNCTIONS = [name.removesuffix("Function") for name in TEMPLATE.of_type("AWS::Lambda::Function")]
SETTINGS = ("ACCOUNT_NAME", "SUBMISSIONS_TABLE", "EVENTS_TABLE", "DELIVERIES_TABLE")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> CloudWatch:
    return watching(monkeypatch)


@pytest.fixture
def world(watch: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    del watch
    with delivery_world() as made:
        monkeypatch.setattr(retry_entry, "_workflow", made.retrying)
        session = guarded_client(allow_private=True)
        sender = WebhookSender(session, allow_http=True, allow_private=True)
        monkeypatch.setattr(deliver_entry, "_workflow", lambda: made.deliver_by(sender))
        yield made
        session.close()


@dataclass
class Delivering:
    """Retry's ticks and Deliver's batches over one world, a minute at a time."""

    world: World
    watch: CloudWatch
    capsys: pytest.CaptureFixture[str]

    def tick(self, minutes: int = 1, *, dead: bool = False) -> None:
        for _ in range(minutes):
            self.watch.minute += 1
            self.world.clock.at += 60
            if not dead:
                retry_entry.handler({"trigger": "schedule"}, None)
            self.read()

    def deliver(self, *bodies: str) -> None:
        records: list[deliver_entry.QueueRecord] = [{"messageId": body, "body": body} for body in bodies]
        deliver_entry.handler({"Records": records}, None)
        self.read()

    def read(self) -> None:
        self.watch.read(self.capsys.readouterr().out)

    def fires(self, alarm: str) -> bool:
        return self.watch.fires(ALARMS[alarm])


@pytest.fixture
def delivering(world: World, watch: CloudWatch, capsys: pytest.CaptureFixture[str]) -> Delivering:
    delivering = Delivering(world, watch, capsys)
    delivering.tick(QUARTER_MIN)
    assert not delivering.fires("DeliveriesOverdueAlarm")
    return delivering


def test_deliveries_that_are_due_and_not_tried_for_a_quarter_of_an_hour_fire(
    delivering: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = delivering.world.endpoint("http://127.0.0.1:9/hook")
    delivering.world.delivery(endpoint)
    # Whatever keeps Retry from taking them: they stay due.
    monkeypatch.setattr(DeliveriesTable, "postpone", lambda *_: None)
    delivering.tick(REQUEUE_AFTER_S // 60 + QUARTER_MIN)
    assert not delivering.fires("DeliveriesOverdueAlarm")
    delivering.tick(QUARTER_MIN)
    assert delivering.fires("DeliveriesOverdueAlarm")


def test_a_retry_that_does_not_run_fires(delivering: Delivering) -> None:
    delivering.tick(QUARTER_MIN - 1, dead=True)
    assert not delivering.fires("DeliveriesOverdueAlarm")
    delivering.tick(dead=True)
    assert delivering.fires("DeliveriesOverdueAlarm")


def test_what_waits_for_a_receiver_that_is_down_is_not_overdue(delivering: Delivering) -> None:
    with scripted_server(answer("", "500 Internal Server Error")) as receiver:
        endpoint, _ = delivering.world.endpoint(receiver.url)
        messages = [delivering.world.delivery(endpoint, nth) for nth in (1, 2, 3, 4)]
        for message in messages:
            delivering.deliver(body_of(message))
        assert delivering.watch.points["Examhook", "WebhooksFailed", (("stack", STACK),)]
        delivering.tick(4 * QUARTER_MIN)
    assert delivering.world.known(endpoint).health.is_down
    assert not delivering.fires("DeliveriesOverdueAlarm")


def test_an_endpoint_that_is_turned_off_fires(delivering: Delivering) -> None:
    with scripted_server(answer("", "410 Gone")) as receiver:
        endpoint, _ = delivering.world.endpoint(receiver.url)
        delivering.deliver(body_of(delivering.world.delivery(endpoint)))
    assert not delivering.fires("EndpointDisabledAlarm")
    delivering.tick()
    assert delivering.fires("EndpointDisabledAlarm")
    # Said once: it ends by itself.
    delivering.tick(60)
    assert not delivering.fires("EndpointDisabledAlarm")


def test_an_endpoint_that_a_person_turns_off_does_not_fire(delivering: Delivering) -> None:
    endpoint, _ = delivering.world.endpoint("http://127.0.0.1:9/hook")
    delivering.world.endpoints.disable(endpoint.endpoint_id, "by hand", int(delivering.world.clock.at))
    delivering.tick()
    assert not delivering.fires("EndpointDisabledAlarm")


def sqs(watch: CloudWatch, queue: str, url: str) -> None:
    """Put the metrics that SQS sends to CloudWatch each minute."""
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    visible, in_flight = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
    watch.put("AWS/SQS", visible, int(attributes["ApproximateNumberOfMessages"]), QueueName=queue)
    watch.put("AWS/SQS", in_flight, int(attributes["ApproximateNumberOfMessagesNotVisible"]), QueueName=queue)


def test_a_batch_that_the_stream_gave_up_fires_while_it_is_repaired_and_until_it_is(
    watch: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(monkeypatch) as stack:
        sqs(watch, "DispatchFailureQueue", stack.failure_url)
        assert not watch.fires(ALARMS["GivenUpAlarm"])
        stack.sqs.send_message(QueueUrl=stack.failure_url, MessageBody="{}")
        taken = stack.sqs.receive_message(QueueUrl=stack.failure_url)["Messages"]
        sqs(watch, "DispatchFailureQueue", stack.failure_url)
        assert watch.fires(ALARMS["GivenUpAlarm"])
        assert invoke(failure("{}")) == {"batchItemFailures": []}
        stack.sqs.delete_message(QueueUrl=stack.failure_url, ReceiptHandle=taken[0]["ReceiptHandle"])
        watch.minute += 5
        sqs(watch, "DispatchFailureQueue", stack.failure_url)
        assert not watch.fires(ALARMS["GivenUpAlarm"])


def test_a_message_that_is_put_aside_fires(watch: CloudWatch) -> None:
    with mock_aws():
        queues = boto3.client("sqs")
        url = queues.create_queue(QueueName="dead")["QueueUrl"]
        sqs(watch, "DeliveryDeadLetterQueue", url)
        assert not watch.fires(ALARMS["DeadLetterAlarm"])
        queues.send_message(QueueUrl=url, MessageBody="not ours")
        sqs(watch, "DeliveryDeadLetterQueue", url)
        assert watch.fires(ALARMS["DeadLetterAlarm"])


def test_a_stream_that_is_held_up_fires(
    watch: CloudWatch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What Dispatch hands back is what Lambda measures the iterator's age by."""
    batch = sample_batch()
    batch["Records"][0]["dynamodb"]["NewImage"]["v"] = {"N": "99"}
    with deployed(monkeypatch):
        for age_s in range(0, 901, 60):
            watch.minute += 1
            held_up = invoke(batch)["batchItemFailures"] != []
            watch.put("AWS/Lambda", "IteratorAge", age_s * 1000 if held_up else 0, FunctionName="DispatchFunction")
            watch.read(capsys.readouterr().out)
            assert watch.fires(ALARMS["StreamDelayAlarm"]) == (age_s >= 600 + 240)
    assert ("Examhook", "EventsFailed", (("stack", STACK),)) in watch.points


def test_a_queue_that_nobody_empties_fires(watch: CloudWatch) -> None:
    for age_s in range(0, 1201, 60):
        watch.minute += 1
        watch.put("AWS/SQS", "ApproximateAgeOfOldestMessage", age_s, QueueName="DeliveryQueue")
        assert watch.fires(ALARMS["QueueDelayAlarm"]) == (age_s >= 900 + 240)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_errs_for_a_quarter_of_an_hour_fires(
    function: str, watch: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception out of the handler is what Lambda counts as an error."""
    handler = import_module(f"examhook.handlers.{function.lower()}").handler
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for minute in range(1, QUARTER_MIN + 1):
        watch.minute += 1
        with pytest.raises(SettingsError):
            handler({"trigger": "schedule", "Records": [{}]}, None)
        watch.put("AWS/Lambda", "Errors", 1, FunctionName=f"{function}Function")
        assert watch.fires(ALARMS[f"{function}ErrorsAlarm"]) == (minute > QUARTER_MIN - 5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_may_not_start_for_a_quarter_of_an_hour_fires(function: str) -> None:
    watch = CloudWatch()
    for _ in range(QUARTER_MIN):
        watch.minute += 1
        watch.put("AWS/Lambda", "Throttles", 1, FunctionName=f"{function}Function")
    assert watch.fires(ALARMS[f"{function}ThrottlesAlarm"])
    watch.minute += 5
    assert not watch.fires(ALARMS[f"{function}ThrottlesAlarm"])
