"""Poll with real clients: it invokes itself for other accounts, and notifies operators of a refused code."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from examhook.handlers import poll as entry
from examhook_simulator.server import running_simulator
from examhook_simulator.world import World
from tests.support.aws.aws_stand_in import AwsFront, running_aws_front
from tests.support.cli.command_line import CREDENTIALS
from tests.support.storage.tables import create_tables
from tests.support.template.poll_environment import poll_environment

REGION = "us-east-1"
TICK = {"trigger": "schedule"}


class Context:
    """What Lambda tells a function."""

    function_name = "PollFunction"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsFront]:
    with mock_aws(), running_aws_front() as front, running_simulator(World(), code="main-code") as provider:
        for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_LAMBDA": front.url}.items():
            monkeypatch.setenv(name, value)
        create_tables(boto3.client("dynamodb", region_name=REGION))
        secrets = boto3.client("secretsmanager", region_name=REGION)
        others = json.dumps({"north": {"code": "x"}, "south": {"code": "y"}})
        variables = poll_environment(
            provider.base_url,
            secrets.create_secret(Name="code", SecretString="main-code")["ARN"],
            boto3.client("sns", region_name=REGION).create_topic(Name="operations")["TopicArn"],
            secrets.create_secret(Name="accounts", SecretString=others)["ARN"],
        )
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        entry._accounts.cache_clear()  # noqa: SLF001 - a fresh process
        yield front
        entry._accounts.cache_clear()  # noqa: SLF001 - a fresh process


def test_a_tick_starts_a_poll_of_each_other_account(front: AwsFront) -> None:
    entry.handler(TICK, Context())
    assert [(payload["trigger"], payload["account"]) for _, payload in front.invocations] == [
        ("schedule", "north"),
        ("schedule", "south"),
    ]
    assert {path for path, _ in front.invocations} == {"/2015-03-31/functions/PollFunction/invocations"}


def test_a_refused_code_is_told_to_the_operations_topic(front: AwsFront) -> None:
    del front
    sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    (topic,) = sns.list_topics()["Topics"]
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId="code", SecretString="another")
    report = entry.handler(TICK, Context())
    assert report["errors"]
    (message,) = sqs.receive_message(QueueUrl=inbox)["Messages"]
    assert json.loads(message["Body"])["type"] == "provider.refused"
