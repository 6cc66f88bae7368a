"""Control of the process with Dispatch, Deliver and Retry, and of the AWS resources that they use."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from examhook_simulator.json_fields import Fields
from tools.bench.cloud import EVENTS, SESSION, Cloud, Index, create_table, running_cloud
from tools.bench.json_process import JsonProcess

DELIVERIES = "Deliveries"


@dataclass(frozen=True, slots=True)
class Usage:
    """AWS usage of the functions."""

    requests: Counter[str]
    """By ``service.Operation``."""
    invocations: Counter[str]
    """By function."""
    read_units: float
    write_units: float
    messages: int
    """Messages received from the delivery queue."""

    @classmethod
    def of(cls, answer: Fields) -> Usage:
        """Read the answer of the process."""
        return cls(
            _counts(answer, "requests"),
            _counts(answer, "invocations"),
            answer.number("read_units"),
            answer.number("write_units"),
            answer.whole("messages"),
        )

    def of_service(self, name: str) -> int:
        """Return the number of requests to one service."""
        return sum(count for operation, count in self.requests.items() if operation.startswith(f"{name}."))

    def since(self, before: Usage) -> Usage:
        """Return the usage after ``before``."""
        requests, invocations = Counter(self.requests), Counter(self.invocations)
        requests.subtract(before.requests)
        invocations.subtract(before.invocations)
        return Usage(
            requests,
            invocations,
            self.read_units - before.read_units,
            self.write_units - before.write_units,
            self.messages - before.messages,
        )


def _counts(answer: Fields, name: str) -> Counter[str]:
    return Counter({each.text("name"): each.whole("count") for each in answer.objects(name)})


class Pipeline(JsonProcess):
    """The functions in one process, on ``cloud`` or else in memory. ``at`` is their time in Unix seconds."""

    def __init__(self, cloud: Cloud | None, webhook_urls: Sequence[str]) -> None:
        in_memory = webhook_urls if cloud is None else ()
        environ = {} if cloud is None else _with_resources(cloud, webhook_urls)
        super().__init__(["tools.bench.delivery.pipeline_process", *in_memory], environ)
        self.at = float(int(time.time()))

    def dispatch(self, first: int, count: int) -> tuple[str, ...]:
        """Dispatch ``count`` submissions from number ``first`` on; return the ids of their events."""
        return self._do("dispatch", first=first, count=count).texts("ids")

    def deliver(self) -> None:
        """Deliver the messages on the queue until it is empty."""
        self._do("deliver")

    def tick(self) -> None:
        """Run Retry once."""
        self._do("tick")

    def usage(self) -> Usage:
        """Return the usage since the start."""
        return Usage.of(self._do("usage"))

    def _do(self, what: str, **fields: object) -> Fields:
        return self.ask(do=what, at=self.at, **fields)


@contextmanager
def running_pipeline(webhook_urls: Sequence[str]) -> Iterator[Pipeline]:
    """Run the functions on an AWS emulator until the ``with`` block ends."""
    with running_cloud("none") as cloud, Pipeline(cloud, webhook_urls) as pipeline:
        yield pipeline


def _with_resources(cloud: Cloud, webhook_urls: Sequence[str]) -> Mapping[str, str]:
    # The table of the cloud has the index that Poll needs. Dispatch writes to the index by day.
    cloud.dynamodb.delete_table(TableName=EVENTS)
    create_table(
        cloud.dynamodb,
        EVENTS,
        {"event_id": "S", "day": "S", "listed_at": "S"},
        ["event_id"],
        Index("by_day", "day", "listed_at"),
    )
    create_table(
        cloud.dynamodb,
        DELIVERIES,
        {"endpoint_id": "S", "event_id": "S", "waiting_endpoint_id": "S", "next_attempt_at": "N"},
        ["endpoint_id", "event_id"],
        Index("waiting", "waiting_endpoint_id", "next_attempt_at", "KEYS_ONLY"),
    )
    sqs, kms = SESSION.client("sqs", endpoint_url=cloud.url), SESSION.client("kms", endpoint_url=cloud.url)
    sns = SESSION.client("sns", endpoint_url=cloud.url)
    return {
        **cloud.environ,
        "DELIVERIES_TABLE": DELIVERIES,
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
