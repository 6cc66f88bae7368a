"""The delivery queue: messages that say "try this event at this endpoint now", and nothing else.

::

    DeliveryQueueError
    ├── QueueRefusedError      SQS took some messages and not others; trying again helps
    └── BadMessageError        a message is not one of ours; trying again does not help

``send`` also raises botocore's errors when SQS cannot be reached; trying again helps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH = 10


class DeliveryQueueError(Exception):
    """The queue did not do as asked."""


class QueueRefusedError(DeliveryQueueError):
    """SQS refused some of the messages; the others are on the queue."""


class BadMessageError(DeliveryQueueError):
    """A message's body is not what ``send`` writes."""


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """One attempt to be made now."""

    endpoint_id: str
    event_id: str
    attempt: int
    """From 1."""
    probe: bool = False
    """It is to find out whether an endpoint that is down is back, so it is made although others wait."""
    place: float | None = None
    """Its place in the pace of its endpoint, Unix seconds, where it was given one."""


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message that was taken off the queue, and is to be brought again unless ``done`` is told of its receipt."""

    message_id: str
    body: str
    receipt: str


class DeliveryQueue:
    """The queue between those who know that something is due and Deliver.

    Each message belongs to the group of its endpoint: SQS then lets those of endpoints with few messages under way
    come before those of one that has many (fair queues of SQS, developer guide).
    """

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Sequence[DeliveryMessage], delay_s: int = 0) -> None:
        """Put messages on the queue, ten to a request, to be received ``delay_s`` (0 to 900) from now."""
        for start in range(0, len(messages), _BATCH):
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": body_of(message),
                        "DelaySeconds": delay_s,
                        "MessageGroupId": message.endpoint_id,
                    }
                    for number, message in enumerate(messages[start : start + _BATCH])
                ],
            )
            refused = answer.get("Failed", [])
            if refused:
                codes = ", ".join(sorted({entry["Code"] for entry in refused}))
                raise QueueRefusedError(f"SQS refused {len(refused)} of the messages ({codes})")

    def take(self, most: int, wait_s: int) -> list[TakenMessage]:
        """Up to ``most`` (1 to 10) messages, after waiting up to ``wait_s`` (0 to 20) for the first."""
        answer = self._client.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=most, WaitTimeSeconds=wait_s
        )
        return [
            TakenMessage(each["MessageId"], each["Body"], each["ReceiptHandle"]) for each in answer.get("Messages", [])
        ]

    def done(self, taken: Sequence[TakenMessage]) -> None:
        """Remove messages that were taken; one that stays all the same comes again, which changes nothing."""
        for start in range(0, len(taken), _BATCH):
            self._client.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": each.receipt}
                    for number, each in enumerate(taken[start : start + _BATCH])
                ],
            )


def body_of(message: DeliveryMessage) -> str:
    """A message's body, as ``docs/architecture.md`` fixes it."""
    facts: dict[str, object] = {
        "endpoint_id": message.endpoint_id,
        "event_id": message.event_id,
        "attempt": message.attempt,
        **({"probe": True} if message.probe else {}),
        **({} if message.place is None else {"place": round(message.place, 3)}),
    }
    return json.dumps(facts, separators=(",", ":"))


def parse_body(body: str) -> DeliveryMessage:
    """The message in a body; raises BadMessageError."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise BadMessageError("a message on the delivery queue is not JSON") from None
    match parsed:
        case {"endpoint_id": str(endpoint_id), "event_id": str(event_id), "attempt": int(attempt)} if attempt >= 1:
            place = parsed.get("place")
            known = place if isinstance(place, int | float) else None
            return DeliveryMessage(endpoint_id, event_id, attempt, parsed.get("probe") is True, known)
        case _:
            raise BadMessageError("a message on the delivery queue lacks endpoint_id, event_id or attempt")
