"""The delivery queue: messages that tell Deliver to attempt a delivery now.

::

    DeliveryQueueError    SQS rejected some messages; a retry helps
    BadMessageError       a message has another format; a retry does not help

``send`` also raises botocore's errors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH_SIZE = 10
"""Maximum messages per request to SQS."""


class DeliveryQueueError(Exception):
    """SQS rejected some messages; the others are on the queue."""


class BadMessageError(ValueError):
    """A message body does not have the format of ``body_of``."""


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """An attempt that is due."""

    endpoint_id: str
    event_id: str
    attempt: int
    """Starts at 1."""
    probe: bool = False
    """Whether to make the attempt although the endpoint is down, to check if it has recovered."""
    slot_at: float | None = None
    """Rate slot of the attempt (Unix seconds), if it has one."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that SQS delivers again unless it is deleted."""

    message_id: str
    body: str
    receipt: str


class DeliveryQueue:
    """Sends and receives messages.

    The message group is the endpoint, so that endpoints with many messages do not delay others (SQS developer guide,
    "fair queues").
    """

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Sequence[DeliveryMessage], delay_s: int = 0) -> None:
        """Send messages that can be received after ``delay_s`` (0 to 900)."""
        for start in range(0, len(messages), _BATCH_SIZE):
            response = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": body_of(message),
                        "DelaySeconds": delay_s,
                        "MessageGroupId": message.endpoint_id,
                    }
                    for number, message in enumerate(messages[start : start + _BATCH_SIZE])
                ],
            )
            rejected = response.get("Failed", [])
            if rejected:
                codes = ", ".join(sorted({entry["Code"] for entry in rejected}))
                raise DeliveryQueueError(f"SQS rejected {len(rejected)} of the messages ({codes})")

    def receive(self, max_messages: int, wait_s: int) -> list[ReceivedMessage]:
        """Receive up to ``max_messages`` (1 to 10), and wait up to ``wait_s`` (0 to 20) for the first one."""
        response = self._client.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=max_messages, WaitTimeSeconds=wait_s
        )
        return [
            ReceivedMessage(each["MessageId"], each["Body"], each["ReceiptHandle"])
            for each in response.get("Messages", [])
        ]

    def delete(self, received: Sequence[ReceivedMessage]) -> None:
        """Delete messages. A message that SQS does not delete is received again, which is harmless."""
        for start in range(0, len(received), _BATCH_SIZE):
            self._client.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": each.receipt}
                    for number, each in enumerate(received[start : start + _BATCH_SIZE])
                ],
            )


def body_of(message: DeliveryMessage) -> str:
    """The body of a message (format: ``docs/architecture.md``)."""
    values: dict[str, object] = {
        "endpoint_id": message.endpoint_id,
        "event_id": message.event_id,
        "attempt": message.attempt,
        **({"probe": True} if message.probe else {}),
        **({} if message.slot_at is None else {"place": round(message.slot_at, 3)}),
    }
    return json.dumps(values, separators=(",", ":"))


def parse_body(body: str) -> DeliveryMessage:
    """The message with this body; raises BadMessageError."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise BadMessageError("a message on the delivery queue is not JSON") from None
    match parsed:
        case {"endpoint_id": str(endpoint_id), "event_id": str(event_id), "attempt": int(attempt)} if attempt >= 1:
            place = parsed.get("place")
            slot_at = place if isinstance(place, int | float) else None
            return DeliveryMessage(endpoint_id, event_id, attempt, parsed.get("probe") is True, slot_at)
        case _:
            raise BadMessageError("a message on the delivery queue lacks endpoint_id, event_id or attempt")
