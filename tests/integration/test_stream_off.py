"""Dispatch is cut off from its stream for longer than the stream remembers: every event still goes out, once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from dispatch_stack import invoke
from tables import EXAMS
from watched_stack import WatchedStack, watched_stack

from examhook.handlers import poll as poll_entry

DAY_S = 24 * 3600


class _Context:
    function_name = "poll"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedStack]:
    with watched_stack(monkeypatch) as found:
        yield found


def poll_without_stream() -> None:
    """A poll whose changes the stream does not bring to Dispatch."""
    assert poll_entry.handler({"trigger": "manual"}, _Context())["complete"] is True  # type: ignore[typeddict-item] # a report


def a_day_passes(watched: WatchedStack) -> None:
    """For what is awaited."""
    watched.dynamodb.update_item(
        TableName=EXAMS,
        Key={"account": {"S": "main"}, "sk": {"S": "lease"}},
        UpdateExpression="ADD awaited_since :day",
        ConditionExpression="attribute_exists(awaited_since)",
        ExpressionAttributeValues={":day": {"N": str(-DAY_S)}},
    )


def ordered(watched: WatchedStack) -> list[dict[str, Any]]:
    """The failure queue's messages, as its event source brings them to Dispatch."""
    stack = watched.stack
    found = stack.sqs.receive_message(
        QueueUrl=stack.failure_url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
    ).get("Messages", [])
    for message in found:
        stack.sqs.delete_message(QueueUrl=stack.failure_url, ReceiptHandle=message["ReceiptHandle"])
    return [
        {
            "eventSource": "aws:sqs",
            "messageId": message["MessageId"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }
        for message in found
    ]


def test_what_the_stream_forgot_goes_out_all_the_same_and_once(watched: WatchedStack) -> None:
    watched.world.advance(int(time.time() - watched.world.now()))
    exam_id = watched.world.create_exam()
    refs = [watched.world.start(exam_id) for _ in range(3)]
    watched.poll()
    assert len(watched.published()) == 3
    for ref in refs:
        watched.world.submit(ref)
        watched.world.advance(5)
        poll_without_stream()
    assert watched.published() == []
    assert ordered(watched) == [], "the stream may still bring it"

    a_day_passes(watched)
    poll_without_stream()
    messages = ordered(watched)
    assert len(messages) == 1
    assert invoke({"Records": messages}) == {"batchItemFailures": []}
    sent = watched.published()
    assert [each["type"].rpartition(".")[2] for each in sent] == ["submitted"] * 3

    # The stream is on again, and still remembers some of it.
    watched.dispatch()
    poll_without_stream()
    assert watched.published() == []
    assert ordered(watched) == []
    assert "evt_" not in json.dumps(messages), "an order says since when, no more"
