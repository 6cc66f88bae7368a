"""However long the provider's texts are, an event fits through every door, and the page says how big it gets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from examhook.delivery.custom_headers import MAX_HEADERS_BYTES
from examhook.delivery.endpoint import BodyFormat, Endpoint, EndpointOrigin, Privacy
from examhook.delivery.payload import payload_for
from examhook.delivery.record import EXCERPT_BYTES, KEPT_ATTEMPTS, AttemptRecord, Delivery, SendOutcome
from examhook.delivery.signature import fresh_secret, signed_headers
from examhook.destinations.delivery_queue import DeliveryMessage, body_of
from examhook.destinations.event_bus import MAX_REQUEST_BYTES, BusPublisher
from examhook.destinations.sns import MAX_BATCH_BYTES, TopicPublisher
from examhook.destinations.webhook import MAX_RESPONSE_BYTES
from examhook.detection.transition import KEPT_TRANSITIONS, Observation, change_from
from examhook.events.build import Event, submission_event
from examhook.model import Submission
from examhook.provider.fields import MAX_LINK_CHARACTERS, MAX_TEXT_CHARACTERS
from examhook.provider.legacy import parse_exams, parse_results
from examhook.storage.deliveries import ATTEMPT_LOG
from examhook.storage.submissions import item_from_submission

PAGE = (Path(__file__).parents[2] / "docs" / "events" / "README.md").read_text()
ITEM_BYTES = 400 * 1024
"""DynamoDB's limit for an item."""
ROOMY = 200_000
LONG = ["\x00" * ROOMY, "\N{GRINNING FACE}" * ROOMY, '"\\' * ROOMY, "&" * ROOMY, "\ufffd\u2028" * ROOMY]
ACCOUNT = "a" * 32


def at_its_longest(filler: str) -> Submission:
    """A submission with as many changes as are kept, all texts as long as the provider's door lets them be."""
    identity = "\N{GRINNING FACE}" * 128
    link = "https://provider.test/" + filler[: MAX_LINK_CHARACTERS - 22]
    exam_row = {"eid": identity, "title": filler, "url": link, "category": filler, "available": 1, "times": 1}
    [exam] = parse_exams(json.dumps([exam_row]).encode()).rows
    stored: Submission | None = None
    for nth in range(KEPT_TRANSITIONS + 1):
        row = {"sid": identity, "startTime": 1_777_815_120, "endTime": 1_777_816_920 + nth, "status": 1 + nth % 4}
        row |= {"name": filler, "score": f"{10**8 + nth}.1234567891", "passed": 1, "viewResult": link}
        [attempt] = parse_results(json.dumps([row]).encode()).rows
        change = change_from(stored, attempt, Observation(ACCOUNT, exam, observed_at=1_777_816_980 + nth, fence=1))
        assert change is not None
        stored = change.after
    assert stored is not None
    return stored


def event_of(submission: Submission) -> Event:
    return submission_event(submission, submission.transitions[-1])


class Taking:
    """A client of SNS and EventBridge that keeps what it was given."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, Any]]] = []

    def publish_batch(self, *, PublishBatchRequestEntries: list[dict[str, Any]], **_: str) -> dict[str, Any]:  # noqa: N803
        self.requests.append(PublishBatchRequestEntries)
        return {"Successful": [{"Id": entry["Id"]} for entry in PublishBatchRequestEntries]}

    def describe_event_bus(self, *, Name: str) -> None:  # noqa: N803 - as boto3 has it
        """It is there."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.requests.append(Entries)
        return {"Entries": [{"EventId": "1"} for _ in Entries]}


def bytes_in(value: object) -> int:
    """Bytes of all texts within a request's entry, names of fields too: never less than what AWS counts."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(bytes_in(name) + bytes_in(each) for name, each in value.items())
    return sum(map(bytes_in, value)) if isinstance(value, list) else 20


def kilobytes(what: str) -> int:
    """What the page says that ``what`` takes at most, in bytes."""
    row = re.search(rf"^\| {re.escape(what)} \| at most (\d+) KB", PAGE, re.MULTILINE)
    assert row is not None, what
    return int(row[1]) * 1000


@pytest.mark.parametrize("filler", LONG, ids=["control", "emoji", "quotes", "ampersands", "separators"])
def test_an_event_is_no_bigger_than_the_page_says_and_fits_wherever_it_goes(filler: str) -> None:
    event = event_of(at_its_longest(filler))
    assert len(event.body) <= kilobytes("event body")
    topic, bus = Taking(), Taking()
    TopicPublisher(topic).publish_submission_events("topic", [event] * 10)  # type: ignore[arg-type] # a stand-in
    BusPublisher(bus, "default", lambda: 0.0).publish([event] * 10)  # type: ignore[arg-type] # a stand-in
    for requests, most in ((topic.requests, MAX_BATCH_BYTES), (bus.requests, MAX_REQUEST_BYTES)):
        assert sum(map(len, requests)) == 10
        assert all(bytes_in(entry) <= most for request in requests for entry in request)
    assert bytes_in(topic.requests[0][0]) <= kilobytes("SNS message, including the e-mail")


@pytest.mark.parametrize("filler", LONG, ids=["control", "emoji", "quotes", "ampersands", "separators"])
@pytest.mark.parametrize("body_format", list(BodyFormat))
def test_no_request_to_a_webhook_is_bigger_than_an_event(filler: str, body_format: BodyFormat) -> None:
    endpoint = Endpoint("ep_1", "https://x.test", b"", EndpointOrigin.CLI, 0, body_format=body_format)
    for privacy in Privacy:
        told = Endpoint(**{**vars_of(endpoint), "privacy": privacy})
        assert len(payload_for(event_of(at_its_longest(filler)), told, "key").body) <= kilobytes("event body")


@pytest.mark.parametrize("filler", LONG, ids=["control", "emoji", "quotes", "ampersands", "separators"])
def test_what_is_stored_of_a_submission_is_far_from_the_limit_of_an_item(filler: str) -> None:
    assert bytes_in(item_from_submission(at_its_longest(filler))) <= ITEM_BYTES // 4


def test_a_deliverys_log_is_far_from_the_limit_of_an_item() -> None:
    record = AttemptRecord(10**6, 2**40, SendOutcome.ANSWERED, "r" * 1000, 599, 10**6, "\N{GRINNING FACE}" * 256, 2**33)
    assert len(record.answer_excerpt.encode()) == EXCERPT_BYTES
    assert bytes_in(ATTEMPT_LOG.value((record,) * KEPT_ATTEMPTS)) <= ITEM_BYTES // 4


def test_the_headers_of_a_request_and_the_messages_of_the_queue_stay_small() -> None:
    secrets = [fresh_secret(lambda count: b"x" * count)] * 2
    headers = signed_headers(f"evt_{'0' * 32}", b"{}", secrets, 2**33)
    assert sum(len(name) + len(value) for name, value in headers.items()) <= 400
    assert len(body_of(DeliveryMessage(f"ep_{'0' * 32}", f"evt_{'0' * 32}", 10**6, probe=True))) <= 200
    assert Delivery("ep", "evt", "t", 0, 0).attempt_log == ()


def test_what_is_too_long_is_cut_and_says_so_and_a_link_that_is_too_long_is_left_out() -> None:
    long = at_its_longest("x" * ROOMY)
    assert long.exam_title == "x" * (MAX_TEXT_CHARACTERS - 1) + "…"
    assert long.attempt.result_url is not None
    assert len(long.attempt.result_url) == MAX_LINK_CHARACTERS
    row = {
        "sid": 1,
        "startTime": 1_777_815_120,
        "status": 1,
        "viewResult": "https://x.test/" + "x" * MAX_LINK_CHARACTERS,
    }
    [attempt] = parse_results(json.dumps([row]).encode()).rows
    assert attempt.result_url is None


def test_the_page_says_where_texts_are_cut() -> None:
    assert f"after {MAX_TEXT_CHARACTERS} characters" in PAGE
    assert f"longer than {MAX_LINK_CHARACTERS} characters" in PAGE
    assert f"the newest {KEPT_ATTEMPTS} attempts" in PAGE
    assert f"{MAX_RESPONSE_BYTES // 1024} KiB after decompression; {EXCERPT_BYTES // 1024} KiB of it is kept" in PAGE
    assert f"up to {MAX_HEADERS_BYTES // 1000} KB of the endpoint's own" in PAGE


def vars_of(endpoint: Endpoint) -> dict[str, Any]:
    """Fields of an endpoint by name."""
    return {name: getattr(endpoint, name) for name in endpoint.__slots__}
