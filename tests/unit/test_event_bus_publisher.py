"""What goes to an EventBridge bus: entries that rules can match, batches, and which entries were refused."""

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
    """Records requests; answers each with one of ``answers`` (error codes by place), else takes every entry."""

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


def test_an_entry_carries_the_bytes_of_the_body_and_what_rules_match() -> None:
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


def test_entries_go_by_tens_in_their_order() -> None:
    bus = Bus()
    publish(bus, events(23))
    assert [len(request) for request in bus.requests] == [10, 10, 3]
    sent = [json.loads(entry["Detail"])["id"] for request in bus.requests for entry in request]
    assert sent == [f"evt_{number}" for number in range(23)]


def test_no_request_holds_more_bytes_than_eventbridge_takes() -> None:
    """Sized as EventBridge sizes it, in bytes of UTF-8."""
    bus = Bus()
    publish(bus, [event(f"evt_{number}", exam_title="解" * 20_000) for number in range(7)])
    assert len(bus.requests) == 2
    assert sum(map(len, bus.requests)) == 7
    for request in bus.requests:
        texts = [text for e in request for text in (e["Source"], e["DetailType"], e["Detail"], *e["Resources"])]
        assert sum(len(text.encode()) for text in texts) + 14 * len(request) <= MAX_REQUEST_BYTES


def test_no_events_make_no_request() -> None:
    bus = Bus()
    publish(bus, [])
    assert bus.requests == []


def test_a_refused_entry_is_named_and_the_others_go_out() -> None:
    bus = Bus({3: "InternalFailure", 5: "NotAuthorizedForSourceException"})
    assert refused_by(bus, events(12)) == [
        ("evt_3", "InternalFailure", False),
        ("evt_5", "NotAuthorizedForSourceException", True),
    ]
    assert len(bus.requests) == 2


def test_an_answer_that_does_not_speak_of_every_entry_counts_as_none() -> None:
    assert refused_by(Bus(short=True), events(2)) == [("evt_0", "NoAnswer", False), ("evt_1", "NoAnswer", False)]


def test_an_outage_ends_the_trying_and_names_everything_after_it() -> None:
    bus = Bus({}, ConnectTimeoutError(endpoint_url="https://events.test"))
    refused = refused_by(bus, events(25))
    assert refused == [(f"evt_{number}", "ConnectTimeoutError", False) for number in range(10, 25)]
    assert len(bus.requests) == 2


def test_a_bus_that_is_closed_to_us_is_asked_once() -> None:
    bus = Bus(ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "PutEvents"))
    assert len(refused_by(bus, events(11))) == 11
    assert len(bus.requests) == 1


def test_a_request_that_is_refused_for_its_content_does_not_stop_the_next() -> None:
    bus = Bus(ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "PutEvents"))
    refused = refused_by(bus, events(11))
    assert refused == [(f"evt_{number}", "ValidationException", True) for number in range(10)]
    assert len(bus.requests) == 2


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "Mei Chen"}}, "DescribeEventBus")


def test_a_bus_that_does_not_exist_is_given_nothing_and_what_was_for_it_is_tried_again() -> None:
    """EventBridge would say that all went well, and drop it."""
    bus = Bus()
    bus.unfindable = client_error("ResourceNotFoundException")
    assert refused_by(bus, events(2)) == [
        ("evt_0", "ResourceNotFoundException", False),
        ("evt_1", "ResourceNotFoundException", False),
    ]
    assert bus.requests == []


def test_a_bus_that_is_deleted_later_is_missed_within_a_minute_and_found_at_once_when_it_is_back() -> None:
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


def test_a_bus_is_looked_for_again_after_the_clock_was_set_back() -> None:
    bus, now = Bus(), [3600.0]
    publisher = publisher_of(bus, lambda: now[0])
    publisher.publish([event()])
    now[0] = 0.0
    publisher.publish([event()])
    assert bus.looked_for == 2


@pytest.mark.parametrize("error", [client_error("AccessDeniedException"), ConnectTimeoutError(endpoint_url="x")])
def test_a_bus_that_may_not_be_looked_at_is_given_its_events(error: Exception) -> None:
    """Another AWS account's need not allow it."""
    bus = Bus()
    bus.unfindable = error
    publish(bus, [event()])
    assert len(bus.requests) == 1


def test_nothing_to_say_looks_for_no_bus() -> None:
    bus = Bus()
    publish(bus, [])
    assert (bus.looked_for, bus.requests) == (0, [])
