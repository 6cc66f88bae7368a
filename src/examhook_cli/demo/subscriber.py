"""An SQS queue that subscribes to a topic, as a downstream system does."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_sqs import SQSClient

_WAIT_S = 1


@dataclass(slots=True)
class QueueSubscriber:
    """A subscribed queue and the message bodies received so far."""

    sqs: SQSClient
    queue_url: str
    bodies: list[bytes] = field(default_factory=list, repr=False)

    def drain(self, count: int, timeout_s: float) -> None:
        """Receive until ``count`` messages in total or ``timeout_s``, then receive once more."""
        give_up_at = time.monotonic() + timeout_s
        while len(self.bodies) < count and time.monotonic() < give_up_at:
            self._receive(_WAIT_S)
        self._receive(_WAIT_S)

    def take_all(self) -> None:
        """Receive all available messages without waiting for more."""
        while self._receive(0):
            pass

    def _receive(self, wait_s: int) -> int:
        response = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s)
        messages = response.get("Messages", [])
        for message in messages:
            self.bodies.append(message["Body"].encode())
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)


def subscribe_queue(
    session: Session, topic_arn: str, name: str, filter_policy: Mapping[str, Sequence[str]] | None = None
) -> QueueSubscriber:
    """Create a queue and subscribe it to the topic, with an optional filter policy."""
    sqs = session.client("sqs")
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
    attributes = {"RawMessageDelivery": "true"}
    if filter_policy is not None:
        attributes["FilterPolicy"] = json.dumps(filter_policy)
    session.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes)
    return QueueSubscriber(sqs, queue_url)
