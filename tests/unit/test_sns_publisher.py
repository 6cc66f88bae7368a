"""Messages for SNS: texts by protocol, attributes, batches, and failed messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from examhook.destinations.publishing import NotPublishedError
from examhook.destinations.sns import MAX_BATCH_BYTES, TopicPublisher
from examhook.events.build import Event, operations_event, submission_event
from examhook.events.catalogue import OperationsEventType
from tests.support.events.model_values import OBSERVED_AT, submission, transition

TOPIC = "arn:aws:sns:eu-central-1:123456789012:submissions"


class Topic:
    """Records requests, and accepts every message except those that it must reject, ignore or fail at."""

    def __init__(self, *answers: Sequence[dict[str, Any]] | Exception, ignores: str | None = None) -> None:
        self._ignores = ignores
        self.requests: list[list[dict[str, Any]]] = []
        self._answers = list(answers)

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        assert TopicArn == TOPIC
        self.requests.append(PublishBatchRequestEntries)
        failed = self._answers.pop(0) if self._answers else []
        if isinstance(failed, Exception):
            raise failed
        unwanted = {self._ignores, *(each["Id"] for each in failed)}
        taken = [{"Id": entry["Id"]} for entry in PublishBatchRequestEntries if entry["Id"] not in unwanted]
        return {"Successful": taken, "Failed": failed}


def publish(topic: Topic, events: Sequence[Event]) -> None:
    TopicPublisher(topic).publish_submission_events(TOPIC, events)  # type: ignore[arg-type] # a stand-in


def event(event_id: str = "evt_1", **of: Any) -> Event:
    return submission_event(submission(**of), transition(event_id=event_id))


def refused_by(topic: Topic, events: Sequence[Event]) -> list[tuple[str, str, bool]]:
    with pytest.raises(NotPublishedError) as error:
        publish(topic, events)
    assert "Mei Chen" not in str(error.value)
    return [(each.event_id, each.code, each.sender_fault) for each in error.value.unpublished]


def test_programs_get_the_bytes_of_the_body_and_people_a_sentence() -> None:
    topic = Topic()
    publish(topic, [event()])
    [[entry]] = topic.requests
    texts = json.loads(entry["Message"])
    assert entry["MessageStructure"] == "json"
    assert texts["default"].encode() == event().body
    assert texts["email"].startswith("Mei Chen submitted “Anatomy II” on 3 May 2026")
    assert texts["sms"] == entry["Subject"] == "Mei Chen submitted “Anatomy II”, score 87, passed"


def test_attributes_serve_filter_policies() -> None:
    topic = Topic()
    publish(topic, [event()])
    attributes = topic.requests[0][0]["MessageAttributes"]
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "type": "submission.submitted",
        "account": "main",
        "exam_id": "23812",
        "status": "submitted",
    }
    assert {value["DataType"] for value in attributes.values()} == {"String"}


def test_an_attribute_without_a_value_is_left_out_because_sns_rejects_it() -> None:
    topic = Topic()
    notice = operations_event(OperationsEventType.ENDPOINT_DISABLED, None, OBSERVED_AT, "It answered 410.", {})
    TopicPublisher(topic).publish_operations(TOPIC, notice)  # type: ignore[arg-type] # a stand-in
    assert set(topic.requests[0][0]["MessageAttributes"]) == {"type"}


def test_events_are_sent_in_order_in_batches_of_ten() -> None:
    topic = Topic()
    publish(topic, [event(f"evt_{number}") for number in range(23)])
    assert [len(request) for request in topic.requests] == [10, 10, 3]
    assert [entry["Id"] for request in topic.requests for entry in request] == [f"evt_{n}" for n in range(23)]


def test_no_request_exceeds_the_size_limit_of_sns() -> None:
    """SNS counts bodies, subjects and attributes, in bytes of UTF-8."""
    topic = Topic()
    publish(topic, [event(f"evt_{number}", exam_title="解" * 12_000) for number in range(7)])
    assert len(topic.requests) > 1
    assert sum(map(len, topic.requests)) == 7
    for request in topic.requests:
        size = sum(
            len((entry["Message"] + entry["Subject"]).encode())
            + sum(
                len((name + value["DataType"] + value["StringValue"]).encode())
                for name, value in entry["MessageAttributes"].items()
            )
            for entry in request
        )
        assert size <= MAX_BATCH_BYTES


def test_without_events_no_request_is_sent() -> None:
    topic = Topic()
    publish(topic, [])
    assert topic.requests == []


def test_a_failed_message_is_named_and_the_others_are_sent() -> None:
    refusal = {"Id": "evt_3", "Code": "InvalidParameter", "Message": "Mei Chen …", "SenderFault": True}
    topic = Topic([refusal])
    assert refused_by(topic, [event(f"evt_{number}") for number in range(12)]) == [("evt_3", "InvalidParameter", True)]
    assert len(topic.requests) == 2


def test_a_message_missing_in_the_answer_counts_as_failed() -> None:
    topic = Topic(ignores="evt_1")
    assert refused_by(topic, [event(f"evt_{number}") for number in range(3)]) == [("evt_1", "NoAnswer", False)]


def test_an_outage_stops_the_requests_and_fails_all_remaining_messages() -> None:
    topic = Topic([], ConnectTimeoutError(endpoint_url="https://sns.test"))
    refused = refused_by(topic, [event(f"evt_{number}") for number in range(25)])
    assert refused == [(f"evt_{number}", "ConnectTimeoutError", False) for number in range(10, 25)]
    assert len(topic.requests) == 2


def test_throttling_stops_the_requests_and_can_be_retried() -> None:
    throttled = ClientError({"Error": {"Code": "Throttling", "Message": ""}}, "PublishBatch")
    refused = refused_by(Topic(throttled), [event(f"evt_{number}") for number in range(11)])
    assert {(code, sender_fault) for _, code, sender_fault in refused} == {("Throttling", False)}
    assert len(refused) == 11


def test_a_batch_rejected_for_its_content_does_not_stop_the_next() -> None:
    too_long = ClientError({"Error": {"Code": "BatchRequestTooLong", "Message": ""}}, "PublishBatch")
    topic = Topic(too_long)
    refused = refused_by(topic, [event(f"evt_{number}") for number in range(11)])
    assert refused == [(f"evt_{number}", "BatchRequestTooLong", True) for number in range(10)]
    assert len(topic.requests) == 2


def test_the_same_event_makes_the_same_message() -> None:
    first, second = Topic(), Topic()
    publish(first, [event()])
    publish(second, [replace(event())])
    assert first.requests == second.requests
