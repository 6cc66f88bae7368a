"""A complete installation in moto for ``examhook doctor``, healthy until a test breaks a part."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from examhook.storage.exams import ExamsTable
from tests.support.cli.command_line import Finished, examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS, EXAMS, SUBMISSIONS

FUNCTIONS = ("Poll", "Dispatch", "Deliver", "Retry")
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@dataclass
class Clinic:
    """The installation."""

    stack: InstalledStack
    environment: Mapping[str, str]
    exit_code: int | None = None
    """Of the last examination."""

    def output(self, key: str) -> str:
        return self.stack.front.outputs[key]

    @property
    def exams(self) -> ExamsTable:
        return ExamsTable(boto3.client("dynamodb"), EXAMS)

    def polled(self, ago_s: int = 30, account: str = "main") -> None:
        """Record a complete poll that ended ``ago_s`` before now."""
        now = int(time.time())
        self.record(account, watch_started_at=now - 86_400, completed_at=now - ago_s)

    def record(self, account: str = "main", **facts: Any) -> None:
        """Change what the last poll of an account stored."""
        record = self.exams.read(account).record
        assert self.exams.write(account, replace(record, **facts), fence=1)

    def configure(self, function: str, **changes: str | None) -> None:
        """Change variables of a function; None removes one."""
        merged = {**self.environment, **changes}
        variables = {name: value for name, value in merged.items() if value is not None}
        boto3.client("lambda").update_function_configuration(
            FunctionName=self.output(f"{function}FunctionName"), Environment={"Variables": variables}
        )

    def run(self, *args: str) -> Finished:
        return examhook("doctor", *args)

    def findings(self, *args: str) -> dict[str, list[dict[str, str]]]:
        """The doctor's findings, by check."""
        found: dict[str, list[dict[str, str]]] = {}
        finished = self.run("--json", *args)
        self.exit_code = finished.exit_code
        printed = finished.json()
        assert isinstance(printed, list)
        for each in printed:
            found.setdefault(each["check"], []).append(each)
        return found

    def verdicts(self, check: str) -> list[str]:
        return [each["verdict"] for each in self.findings().get(check, [])]


@contextmanager
def clinic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """A healthy installation."""
    with installed_stack(monkeypatch) as stack:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        outputs, environment = _deploy(stack)
        stack.front.outputs |= outputs
        made = Clinic(stack, environment)
        _functions(made)
        made.polled()
        yield made


def _deploy(stack: InstalledStack) -> tuple[dict[str, str], dict[str, str]]:
    dynamodb, sqs, sns = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("sns")
    for name in (SUBMISSIONS, EXAMS, ENDPOINTS, EVENTS, DELIVERIES):
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    for name in (EVENTS, DELIVERIES):
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True}
        )
    topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("submissions", "operations")}
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead-letters", "failures")}
    listening = sqs.create_queue(QueueName="listening")["QueueUrl"]
    for topic in topics.values():
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_arn(listening))
    secret_arn = boto3.client("secretsmanager").create_secret(Name="code", SecretString="made-up-code")["ARN"]
    outputs = {
        "AccountCodeSecretArn": secret_arn,
        "DeliverFunctionName": "examhook-deliver",
        "DeliveryDeadLetterQueueUrl": queues["dead-letters"],
        "DispatchFailureQueueUrl": queues["failures"],
        "ExamsTableName": EXAMS,
        "OperationsTopicArn": topics["operations"],
        "PollScheduleName": "poll-tick",
        "RetryFunctionName": "examhook-retry",
        "RetryScheduleName": "retry-tick",
        "SubmissionsTableName": SUBMISSIONS,
        "SubmissionsTopicArn": topics["submissions"],
    }
    environment = {
        "ACCOUNT_NAME": "main",
        "PROVIDER_BASE_URL": "https://exams.example",
        "PROVIDER_DIALECT": "legacy",
        "ACCOUNT_CODE_SECRET_ARN": secret_arn,
        "REQUESTS_PER_SECOND": "5",
        "POLL_SECONDS": "15",
        "TICK_QUEUE_URL": sqs.create_queue(QueueName="ticks")["QueueUrl"],
        "INITIAL_SYNC": "silent",
        "FULL_PASS_MINUTES": "60",
        "SUBMISSIONS_TABLE": SUBMISSIONS,
        "EXAMS_TABLE": EXAMS,
        "EVENTS_TABLE": EVENTS,
        "DELIVERIES_TABLE": DELIVERIES,
        "ENDPOINTS_TABLE": ENDPOINTS,
        "OPERATIONS_TOPIC_ARN": topics["operations"],
        "SUBMISSIONS_TOPIC_ARN": topics["submissions"],
        "FAILURE_QUEUE_URL": queues["failures"],
        "DELIVERY_QUEUE_URL": stack.world.queue_url,
        "SECRETS_KEY_ARN": stack.world.key_arn,
        "WEBHOOK_URLS": "https://hooks.example/made-up-token",
        "RETENTION_DAYS": "30",
        "ATTEMPT_DEADLINE_SECONDS": "15",
        "ALLOW_HTTP_ENDPOINTS": "false",
        "ALLOW_PRIVATE_ENDPOINTS": "false",
        "DISABLE_AFTER_DAYS": "5",
        "EVENT_BUS": boto3.client("events").create_event_bus(Name="exams")["EventBusArn"].rsplit("/", 1)[-1],
    }
    return outputs, environment


def _functions(made: Clinic) -> None:
    functions, logs = boto3.client("lambda"), boto3.client("logs")
    role = boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    for name in FUNCTIONS:
        group = f"/examhook/examhook/{name.lower()}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        functions.create_function(
            FunctionName=made.output(f"{name}FunctionName"),
            Runtime="python3.13",
            Role=role,
            Handler="examhook.handlers.handler",
            Code={"ZipFile": _package()},
            Environment={"Variables": dict(made.environment)},
        )
    functions.create_event_source_mapping(
        FunctionName=made.output("DispatchFunctionName"),
        EventSourceArn=boto3.client("dynamodb").describe_table(TableName=SUBMISSIONS)["Table"]["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        Enabled=True,
    )
    queues = (
        ("Poll", made.environment["TICK_QUEUE_URL"]),
        ("Dispatch", made.output("DispatchFailureQueueUrl")),
        ("Deliver", made.output("DeliveryQueueUrl")),
    )
    for name, queue_url in queues:
        functions.create_event_source_mapping(
            FunctionName=made.output(f"{name}FunctionName"), EventSourceArn=_arn(queue_url), Enabled=True
        )
    for name in ("Poll", "Retry"):
        boto3.client("scheduler").create_schedule(
            Name=made.output(f"{name}ScheduleName"),
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            State="ENABLED",
            Target={"Arn": f"arn:aws:lambda:eu-central-1:123456789012:function:{name}", "RoleArn": role},
        )


def _arn(queue_url: str) -> str:
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return attributes["Attributes"]["QueueArn"]


def _package() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", "")
    return packed.getvalue()
