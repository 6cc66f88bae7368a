"""SNS topics: events as JSON for programs, as a sentence for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from examhook.destinations.batches import batches
from examhook.destinations.refusal import NO_ANSWER, NotPublishedError, Refusal
from examhook.events.message import email_for

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

    from examhook.events.build import Event

MAX_BATCH_MESSAGES = 10
MAX_BATCH_BYTES = 256 * 1024
"""Of all messages of one request together, attributes and subjects included (SNS, ``PublishBatch``)."""

_REFUSED_EACH_TIME = frozenset({"BatchRequestTooLong", "InvalidParameter", "InvalidParameterValue"})
"""Codes with which a whole request is refused, and would be again."""


class TopicPublisher:
    """Publishes events to topics.

    A subscription gets what suits its protocol: e-mail a sentence with details, SMS one line, every
    other protocol the event's JSON. Message attributes ``type``, ``account``, ``exam_id`` and
    ``status`` serve filter policies; an attribute that an event lacks is absent.
    """

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def publish_submission_events(self, topic_arn: str, events: Sequence[Event]) -> None:
        """Publish ``events`` in their order, in as few requests as may be.

        Raises NotPublishedError after everything was tried, except that a request that fails as a
        whole ends the trying: what follows it counts as refused for the same reason.
        """
        refused: list[Refusal] = []
        broken: str | None = None
        for batch in batches([(event, _entry(event)) for event in events], _size, MAX_BATCH_MESSAGES, MAX_BATCH_BYTES):
            if broken is not None:
                refused += _refusals(batch, broken, sender_fault=False)
                continue
            try:
                refused += self._publish_batch(topic_arn, batch)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                at_fault = code in _REFUSED_EACH_TIME
                refused += _refusals(batch, code, sender_fault=at_fault)
                broken = None if at_fault else code
            except BotoCoreError as error:
                broken = type(error).__name__
                refused += _refusals(batch, broken, sender_fault=False)
        if refused:
            raise NotPublishedError("SNS", refused)

    def publish_operations(self, topic_arn: str, event: Event) -> None:
        """Publish one event for the operators; raises NotPublishedError."""
        self.publish_submission_events(topic_arn, [event])

    def _publish_batch(self, topic_arn: str, batch: _Batch) -> list[Refusal]:
        answer = self._client.publish_batch(
            TopicArn=topic_arn, PublishBatchRequestEntries=[entry for _, entry in batch]
        )
        refused = {failed["Id"]: failed for failed in answer.get("Failed", [])}
        silent = {entry["Id"] for _, entry in batch} - {each.get("Id") for each in answer.get("Successful", [])}
        return [
            Refusal(event.event_id, refused[event.event_id]["Code"], refused[event.event_id]["SenderFault"])
            if event.event_id in refused
            else Refusal(event.event_id, NO_ANSWER, sender_fault=False)
            for event, _ in batch
            if event.event_id in silent
        ]


if TYPE_CHECKING:
    _Batch = list[tuple[Event, PublishBatchRequestEntryTypeDef]]


def _entry(event: Event) -> PublishBatchRequestEntryTypeDef:
    email = email_for(event)
    # Protocols without a text of their own (SQS, Lambda, HTTP, Firehose) get the default.
    texts = {"default": event.body.decode(), "email": email.text, "sms": email.subject}
    facts = {"type": event.event_type, "account": event.account, "exam_id": event.exam_id, "status": event.status}
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in facts.items() if value
    }
    return {
        "Id": event.event_id,
        "Message": json.dumps(texts, ensure_ascii=False, separators=(",", ":")),
        "MessageStructure": "json",
        "Subject": email.subject,
        "MessageAttributes": attributes,
    }


def _size(pair: tuple[Event, PublishBatchRequestEntryTypeDef]) -> int:
    _, entry = pair
    attributes = entry.get("MessageAttributes", {})
    texts = [entry["Message"], entry.get("Subject", "")]
    texts += [text for name, value in attributes.items() for text in (name, "String", value.get("StringValue", ""))]
    return sum(len(text.encode()) for text in texts)


def _refusals(batch: _Batch, code: str, *, sender_fault: bool) -> list[Refusal]:
    return [Refusal(event.event_id, code, sender_fault) for event, _ in batch]
