"""SNS topics: events as JSON for programs, and as text for e-mail and SMS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from examhook.destinations.publishing import NO_ANSWER, UnpublishedEvent, publish_batches, split_batches
from examhook.events.message import email_for

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

    from examhook.events.build import Event

MAX_BATCH_MESSAGES = 10
MAX_BATCH_BYTES = 256 * 1024
"""Maximum size of a request: messages, attributes and subjects (SNS, ``PublishBatch``)."""

_REJECTED_CODES = frozenset({"BatchRequestTooLong", "InvalidParameter", "InvalidParameterValue"})


class TopicPublisher:
    """Publishes events to topics.

    Each subscription gets a format that suits its protocol: text with details for e-mail, one line for SMS, and the
    event's JSON for all others. Filter policies can use the message attributes ``type``, ``account``, ``exam_id`` and
    ``status``; an event without one of these values lacks the attribute.
    """

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def publish_submission_events(self, topic_arn: str, events: Sequence[Event]) -> None:
        """Publish ``events`` in order; raises NotPublishedError (see ``publish_batches``)."""
        publish_batches(
            "SNS",
            split_batches(
                [(event, _entry(event)) for event in events], _size_bytes, MAX_BATCH_MESSAGES, MAX_BATCH_BYTES
            ),
            lambda batch: self._publish_batch(topic_arn, batch),
            _REJECTED_CODES,
        )

    def publish_operations(self, topic_arn: str, event: Event) -> None:
        """Publish one event for the operators; raises NotPublishedError."""
        self.publish_submission_events(topic_arn, [event])

    def _publish_batch(
        self, topic_arn: str, batch: Sequence[tuple[Event, PublishBatchRequestEntryTypeDef]]
    ) -> list[UnpublishedEvent]:
        response = self._client.publish_batch(
            TopicArn=topic_arn, PublishBatchRequestEntries=[entry for _, entry in batch]
        )
        published = {each.get("Id") for each in response.get("Successful", [])}
        failed = {each["Id"]: (each["Code"], each["SenderFault"]) for each in response.get("Failed", [])}
        return [
            UnpublishedEvent(event.event_id, *failed.get(event.event_id, (NO_ANSWER, False)))
            for event, _ in batch
            if event.event_id not in published
        ]


def _entry(event: Event) -> PublishBatchRequestEntryTypeDef:
    email = email_for(event)
    # SNS uses the default for protocols without a text of their own (SQS, Lambda, HTTP, Firehose).
    texts = {"default": event.body.decode(), "email": email.text, "sms": email.subject}
    values = {"type": event.event_type, "account": event.account, "exam_id": event.exam_id, "status": event.status}
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in values.items() if value
    }
    return {
        "Id": event.event_id,
        "Message": json.dumps(texts, ensure_ascii=False, separators=(",", ":")),
        "MessageStructure": "json",
        "Subject": email.subject,
        "MessageAttributes": attributes,
    }


def _size_bytes(entry: PublishBatchRequestEntryTypeDef) -> int:
    attributes = entry.get("MessageAttributes", {})
    texts = [entry["Message"], entry.get("Subject", "")]
    texts += [text for name, value in attributes.items() for text in (name, "String", value.get("StringValue", ""))]
    return sum(len(text.encode()) for text in texts)
