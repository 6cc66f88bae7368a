"""Dispatch and its surrounding resources in moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from moto import mock_aws

from examhook.destinations.secrets import SecretsKey
from examhook.handlers import dispatch as entry
from examhook.storage.deliveries import DeliveriesTable
from examhook.storage.endpoints import EndpointsTable
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS, SUBMISSIONS, create_tables

if TYPE_CHECKING:
    import pytest
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

SAMPLE = Path(__file__).parents[3] / "events" / "dispatch.json"
SUBMITTED, FORCED = "submission.submitted", "submission.forced"


@dataclass
class Stack:
    """The resources around Dispatch, with read access to them."""

    dynamodb: DynamoDBClient
    sns: SNSClient
    sqs: SQSClient
    key: SecretsKey
    topic_arn: str
    queue_url: str
    everything_url: str
    failure_url: str = ""
    bus_url: str = ""
    """A queue that gets what a rule of the stack's bus finds; empty where the stack names no bus."""

    def subscribe(self, name: str, **attributes: str) -> str:
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """Take every message off a queue."""
        bodies: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
            bodies += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    @property
    def deliveries(self) -> set[tuple[str, str]]:
        found = DeliveriesTable(self.dynamodb, DELIVERIES).list_for()
        assert all(delivery.next_attempt_at and delivery.attempts == 0 for delivery in found)
        return {(delivery.endpoint_id, delivery.event_id) for delivery in found}

    def endpoint_ids(self) -> dict[str, str]:
        return {each.url: each.endpoint_id for each in EndpointsTable(self.dynamodb, ENDPOINTS).list_all()}


@contextmanager
def deployed(monkeypatch: pytest.MonkeyPatch, bus: str = "") -> Iterator[Stack]:
    """The stack, with its environment set and a new process of Dispatch."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        dynamodb, sns = boto3.client("dynamodb"), boto3.client("sns")
        sqs, kms = boto3.client("sqs"), boto3.client("kms")
        create_tables(dynamodb)
        key_arn = kms.create_key()["KeyMetadata"]["Arn"]
        made = Stack(
            dynamodb,
            sns,
            sqs,
            SecretsKey(kms, key_arn),
            topic_arn=sns.create_topic(Name="submissions")["TopicArn"],
            queue_url=sqs.create_queue(QueueName="deliveries")["QueueUrl"],
            everything_url="",
        )
        made.failure_url = sqs.create_queue(QueueName="failures")["QueueUrl"]
        made.everything_url = made.subscribe("everything", RawMessageDelivery="true")
        environment = {
            "SUBMISSIONS_TABLE": SUBMISSIONS,
            "FAILURE_QUEUE_URL": made.failure_url,
            "EVENTS_TABLE": EVENTS,
            "DELIVERIES_TABLE": DELIVERIES,
            "ENDPOINTS_TABLE": ENDPOINTS,
            "SUBMISSIONS_TOPIC_ARN": made.topic_arn,
            "DELIVERY_QUEUE_URL": made.queue_url,
            "SECRETS_KEY_ARN": key_arn,
            "WEBHOOK_URLS": "https://one.test/hook,https://two.test/hook",
            "RETENTION_DAYS": "30",
            "EVENT_BUS": bus,
        }
        if bus:
            made.bus_url = _rule_to_queue(bus, sqs)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        forget_functions()
        yield made
        forget_functions()


def _rule_to_queue(bus: str, sqs: SQSClient) -> str:
    url = sqs.create_queue(QueueName="from-the-bus")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events = boto3.client("events")
    events.create_event_bus(Name=bus)
    events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["examhook"]}))
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def forget_functions() -> None:
    """Discard built functions, so that each test is a new process."""
    entry._function.cache_clear()  # noqa: SLF001


def sample_batch() -> Any:
    """A batch as AWS sends it: a new submission, a changed one, a removed one."""
    return json.loads(SAMPLE.read_text())


def run(batch: Any) -> list[str]:
    """Sequence numbers from which the stream repeats the batch."""
    answer = invoke(batch)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def invoke(event: Any) -> Any:
    """Dispatch's answer to any event."""
    return entry.handler(event, None)  # type: ignore[arg-type] # no context is needed


def ids_of(batch: Any) -> dict[str, str]:
    """Id of the event that each type in the sample is announced by."""
    images = [record["dynamodb"].get("NewImage") for record in batch["Records"]]
    newest = [image["transitions"]["L"][-1]["M"] for image in images if image]
    return {each["event_type"]["S"]: each["event_id"]["S"] for each in newest}


class Killed(BaseException):
    """The process was killed."""


class Dying:
    """Wraps an adapter; the process dies at the first call of one method, before or after it."""

    def __init__(self, adapter: object, method: str, *, after: bool = False) -> None:
        self._adapter, self._method, self._after = adapter, method, after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._adapter, name)
        return self._dies(call) if name == self._method else call

    def _dies(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*args: object) -> None:
            if self._after:
                call(*args)
            raise Killed

        return dying
