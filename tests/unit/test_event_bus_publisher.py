"""Entries for an EventBridge bus: their fields, batches, and failed entries."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from examhook.destinations.event_bus import CHECK_INTERVAL_S, MAX_REQUEST_BYTES, BusPublisher
from examhook.destinations.publishing import NotPublishedError
from examhook.events.build import Event, submission_event
from tests.support.events.model_values import submission, transition

BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/exams"


class Bus:
    """Records requests; each returns the next of ``answers`` (error codes by position), or accepts every entry."""

    def __init__(self, *answers: dict[int, str] | Exception, short: bool = False) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.looked_for = 0
        self.unfindable: Exception | None = None
        self._answers = list(answers)
        self._short = short

    def describe_event_bus(self, *, Name: str) -> dict[str, str]:  # noqa: N803 - as boto3 has it
        self.looked_for += 1
        if self.unfindable is not None:
            raise self.unfindable
        return {"Name": Name}

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        self.requests.append(Entries)
        codes = self._answers.pop(0) if self._answers else {}
        if isinstance(codes, Exception):
            raise codes
        results = [
            {"ErrorCode": codes[place], "ErrorMessage": "Mei Chen …"} if place in codes else {"EventId": f"bus-{place}"}
            for place in range(len(Entries))
        ]
        return {"FailedEntryCount": len(codes), "Entries": results[1:] if self._short else results}


def event(event_id: str = "evt_1", **of: Any) -> Event:
    return submission_event(submission(**of), transition(event_id=event_id))


def events(count: int) -> list[Event]:
    return [event(f"evt_{number}") for number in range(count)]


def publisher_of(bus: Bus, now: Callable[[], float] = lambda: 0.0) -> BusPublisher:
    return BusPublisher(bus, BUS, now)  # type: ignore[arg-type] # a stand-in


def publish(bus: Bus, sent: Sequence[Event]) -> None:
    publisher_of(bus).publish(sent)


def refused_by(bus: Bus, sent: Sequence[Event]) -> list[tuple[str, str, bool]]:
    with pytest.raises(NotPublishedError) as error:
        publish(bus, sent)
    assert "Mei Chen" not in str(error.value)
    return [(each.event_id, each.code, each.sender_fault) for each in error.value.unpublished]


def test_an_entry_contains_the_body_and_the_fields_that_rules_match() -> None:
    bus = Bus()
    publish(bus, [event()])
    [[entry]] = bus.requests
    assert entry == {
        "EventBusName": BUS,
        "Source": "examhook",
        "DetailType": "submission.submitted",
        "Detail": event().body.decode(),
        "Time": datetime.fromtimestamp(event().occurred_at, UTC),
        "Resources": [json.loads(event().body)["source"]],
    }


def test_entries_are_sent_in_order_in_batches_of_ten() -> None:
    bus = Bus()
    publish(bus, events(23))
    assert [len(request) for request in bus.requests] == [10, 10, 3]
    sent = [json.loads(entry["Detail"])["id"] for request in bus.requests for entry in request]
    assert sent == [f"evt_{number}" for number in range(23)]


def test_no_request_exceeds_the_size_limit_of_eventbridge() -> None:
    """EventBridge counts bytes of UTF-8."""
    bus = Bus()
    publish(bus, [event(f"evt_{number}", exam_title="解" * 20_000) for number in range(7)])
    assert len(bus.requests) == 2
    assert sum(map(len, bus.requests)) == 7
    for request in bus.requests:
        texts = [text for e in request for text in (e["Source"], e["DetailType"], e["Detail"], *e["Resources"])]
        assert sum(len(text.encode()) for text in texts) + 14 * len(request) <= MAX_REQUEST_BYTES


def test_without_events_no_request_is_sent() -> None:
    bus = Bus()
    publish(bus, [])
    assert bus.requests == []


def test_a_failed_entry_is_named_and_the_others_are_sent() -> None:
    bus = Bus({3: "InternalFailure", 5: "NotAuthorizedForSourceException"})
    assert refused_by(bus, events(12)) == [
        ("evt_3", "InternalFailure", False),
        ("evt_5", "NotAuthorizedForSourceException", True),
    ]
    assert len(bus.requests) == 2


def test_an_answer_that_lacks_entries_counts_as_a_failure() -> None:
    assert refused_by(Bus(short=True), events(2)) == [("evt_0", "NoAnswer", False), ("evt_1", "NoAnswer", False)]


def test_an_outage_stops_the_requests_and_fails_all_remaining_entries() -> None:
    bus = Bus({}, ConnectTimeoutError(endpoint_url="https://events.test"))
    refused = refused_by(bus, events(25))
    assert refused == [(f"evt_{number}", "ConnectTimeoutError", False) for number in range(10, 25)]
    assert len(bus.requests) == 2


def test_a_bus_without_permission_gets_one_request() -> None:
    bus = Bus(ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "PutEvents"))
    assert len(refused_by(bus, events(11))) == 11
    assert len(bus.requests) == 1


def test_a_request_rejected_for_its_content_does_not_stop_the_next() -> None:
    bus = Bus(ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "PutEvents"))
    refused = refused_by(bus, events(11))
    assert refused == [(f"evt_{number}", "ValidationException", True) for number in range(10)]
    assert len(bus.requests) == 2


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "Mei Chen"}}, "DescribeEventBus")


def test_events_for_a_missing_bus_are_not_sent_but_retried() -> None:
    """EventBridge would report success and discard them."""
    bus = Bus()
    bus.unfindable = client_error("ResourceNotFoundException")
    assert refused_by(bus, events(2)) == [
        ("evt_0", "ResourceNotFoundException", False),
        ("evt_1", "ResourceNotFoundException", False),
    ]
    assert bus.requests == []


def test_a_deleted_bus_is_noticed_within_a_minute_and_found_at_once_when_it_returns() -> None:
    bus, now = Bus(), [0.0]
    publisher = publisher_of(bus, lambda: now[0])
    publisher.publish([event()])
    bus.unfindable = client_error("ResourceNotFoundException")
    now[0] = CHECK_INTERVAL_S - 1
    publisher.publish([event()])
    assert bus.looked_for == 1
    now[0] = CHECK_INTERVAL_S
    with pytest.raises(NotPublishedError, match="ResourceNotFoundException"):
        publisher.publish([event()])
    bus.unfindable = None
    publisher.publish([event()])
    assert len(bus.requests) == 3


def test_a_bus_is_checked_again_after_the_clock_was_set_back() -> None:
    bus, now = Bus(), [3600.0]
    publisher = publisher_of(bus, lambda: now[0])
    publisher.publish([event()])
    now[0] = 0.0
    publisher.publish([event()])
    assert bus.looked_for == 2


@pytest.mark.parametrize("error", [client_error("AccessDeniedException"), ConnectTimeoutError(endpoint_url="x")])
def test_a_bus_that_cannot_be_checked_gets_its_events(error: Exception) -> None:
    """A bus of another AWS account may deny the check."""
    bus = Bus()
    bus.unfindable = error
    publish(bus, [event()])
    assert len(bus.requests) == 1


def test_without_events_no_bus_is_checked() -> None:
    bus = Bus()
    publish(bus, [])
    assert (bus.looked_for, bus.requests) == (0, [])
