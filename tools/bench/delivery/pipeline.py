"""The three functions' process and the AWS that it works on, from outside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from examhook_simulator.wire import Fields
from tools.bench.json_process import Child
from tools.bench.cloud import ENDPOINTS, EVENTS, SUBMISSIONS, Cloud, running_cloud

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef

DELIVERIES = "Deliveries"


@dataclass(frozen=True, slots=True)
class Used:
    """What was asked of AWS."""

    requests: Mapping[str, int]
    """By ``service.Operation``."""
    invocations: Mapping[str, int]
    """By function."""
    read_units: float
    write_units: float
    messages: int
    """Received from the delivery queue."""

    @classmethod
    def of(cls, answer: Fields) -> Used:
        """From the process's answer."""
        return cls(
            counted(answer, "requests"),
            counted(answer, "invocations"),
            answer.number("read_units"),
            answer.number("write_units"),
            answer.whole("messages"),
        )

    def of_service(self, name: str) -> int:
        """All requests to one service."""
        return sum(count for operation, count in self.requests.items() if operation.startswith(f"{name}."))

    def since(self, before: Used) -> Used:
        """What was used between ``before`` and this."""
        requests, earlier = Counter(self.requests), Counter(before.requests)
        invoked, invoked_before = Counter(self.invocations), Counter(before.invocations)
        requests.subtract(earlier)
        invoked.subtract(invoked_before)
        return Used(
            requests,
            invoked,
            self.read_units - before.read_units,
            self.write_units - before.write_units,
            self.messages - before.messages,
        )


def counted(answer: Fields, name: str) -> Counter[str]:
    """Counts by name in an answer."""
    return Counter({each.text("name"): each.whole("count") for each in answer.objects(name)})


class Pipeline(Child):
    """The functions in one process, on ``cloud`` or else in memory; ``at`` is the time that they see, Unix seconds."""

    def __init__(self, cloud: Cloud | None, webhook_urls: Sequence[str]) -> None:
        in_memory = webhook_urls if cloud is None else ()
        environ = {} if cloud is None else _furnished(cloud, webhook_urls)
        super().__init__(["tools.bench.delivery.pipeline_process", *in_memory], environ)
        self.at = float(int(time.time()))

    def do(self, what: str, **given: object) -> Fields:
        """One act at ``at``; raises ChildError."""
        return self.ask(do=what, at=self.at, **given)

    def dispatch(self, first: int, count: int) -> tuple[str, ...]:
        """Dispatch so many submissions; the ids of their events."""
        return self.do("dispatch", first=first, count=count).texts("ids")

    def deliver(self) -> Counter[str]:
        """Work on the queue until it is empty; what became of the messages."""
        return counted(self.do("deliver"), "outcomes")

    def tick(self) -> int:
        """Retry's tick; how many it put on the queue."""
        return self.do("tick").whole("enqueued")

    def used(self) -> Used:
        """What was asked of AWS so far."""
        return Used.of(self.do("used"))


@contextmanager
def running_pipeline(webhook_urls: Sequence[str]) -> Iterator[Pipeline]:
    """An emulated AWS of its own, and the functions on it."""
    with running_cloud("none") as cloud, Pipeline(cloud, webhook_urls) as pipeline:
        yield pipeline


def _furnished(cloud: Cloud, webhook_urls: Sequence[str]) -> Mapping[str, str]:
    session = boto3.Session(
        aws_access_key_id=cloud.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud.environ["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud.environ["AWS_REGION"],
    )
    url = cloud.environ["AWS_ENDPOINT_URL"]
    # That of the cloud is for polls, which look up ids in it and nothing else.
    cloud.dynamodb.delete_table(TableName=EVENTS)
    for table in _tables():
        cloud.dynamodb.create_table(**table)
    sqs, kms = session.client("sqs", endpoint_url=url), session.client("kms", endpoint_url=url)
    sns = session.client("sns", endpoint_url=url)
    return {
        **cloud.environ,
        "SUBMISSIONS_TABLE": SUBMISSIONS,
        "EVENTS_TABLE": EVENTS,
        "DELIVERIES_TABLE": DELIVERIES,
        "ENDPOINTS_TABLE": ENDPOINTS,
        "SUBMISSIONS_TOPIC_ARN": sns.create_topic(Name="submissions")["TopicArn"],
        "FAILURE_QUEUE_URL": sqs.create_queue(QueueName="failures")["QueueUrl"],
        "DELIVERY_QUEUE_URL": sqs.create_queue(QueueName="deliveries")["QueueUrl"],
        "SECRETS_KEY_ARN": kms.create_key()["KeyMetadata"]["Arn"],
        "WEBHOOK_URLS": ",".join(webhook_urls),
        "RETENTION_DAYS": "30",
        "ATTEMPT_DEADLINE_SECONDS": "15",
        "DISABLE_AFTER_DAYS": "5",
        "ALLOW_HTTP_ENDPOINTS": "true",
        "ALLOW_PRIVATE_ENDPOINTS": "true",
    }


def _tables() -> list[CreateTableInputTypeDef]:
    """Those that the cloud does not have, as template.yaml has them."""
    return [
        {
            "TableName": EVENTS,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("event_id", "day", "listed_at")
            ],
            "KeySchema": [{"AttributeName": "event_id", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by_day",
                    "KeySchema": [
                        {"AttributeName": "day", "KeyType": "HASH"},
                        {"AttributeName": "listed_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        },
        {
            "TableName": DELIVERIES,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "endpoint_id", "AttributeType": "S"},
                {"AttributeName": "event_id", "AttributeType": "S"},
                {"AttributeName": "waiting_endpoint_id", "AttributeType": "S"},
                {"AttributeName": "next_attempt_at", "AttributeType": "N"},
            ],
            "KeySchema": [
                {"AttributeName": "endpoint_id", "KeyType": "HASH"},
                {"AttributeName": "event_id", "KeyType": "RANGE"},
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "waiting",
                    "KeySchema": [
                        {"AttributeName": "waiting_endpoint_id", "KeyType": "HASH"},
                        {"AttributeName": "next_attempt_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        },
    ]
