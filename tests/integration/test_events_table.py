"""Events in DynamoDB (moto): stored once, byte for byte, and listed newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examhook.events.build import Event, operations_event, submission_event
from examhook.events.catalogue import OperationsEventType
from examhook.events.identity import derived_id
from examhook.storage.events import EventsTable
from examhook.storage.item_codec import UnreadableItemError
from tests.support.events.model_values import OBSERVED_AT, attempt, submission, transition
from tests.support.storage.tables import EVENTS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY = 86_400
EXPIRES_AT = OBSERVED_AT + 30 * DAY


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> EventsTable:
    return EventsTable(dynamodb, EVENTS)


def event(event_id: str = "evt_1", at: int = OBSERVED_AT, **changes: object) -> Event:
    built = submission_event(submission(), transition(event_id=event_id, observed_at=at))
    return replace(built, **changes)  # type: ignore[arg-type] # any field of Event


def test_a_stored_event_is_read_back_byte_for_byte(table: EventsTable) -> None:
    assert table.add(event(), EXPIRES_AT)
    assert table.get("evt_1") == event()


def test_an_event_without_exam_status_or_sequence_is_read_back_too(table: EventsTable) -> None:
    notice = operations_event(OperationsEventType.ENDPOINT_DISABLED, None, OBSERVED_AT, "It answered 410.", {})
    table.add(notice, EXPIRES_AT)
    assert table.get(notice.event_id) == notice


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(), title=st.text())
def test_any_name_is_stored_unchanged(table: EventsTable, name: str, title: str) -> None:
    event_id = derived_id("evt", name, title)
    kept = submission_event(
        submission(attempt=attempt(candidate_name=name), exam_title=title), transition(event_id=event_id)
    )
    table.add(kept, EXPIRES_AT)
    assert table.get(kept.event_id) == kept


def test_the_first_stored_event_of_an_id_is_kept(table: EventsTable) -> None:
    table.add(event(), EXPIRES_AT)
    assert not table.add(event(body=b"{}"), EXPIRES_AT)
    assert table.get("evt_1") == event()


def test_an_event_expires_with_the_retention(table: EventsTable, dynamodb: DynamoDBClient) -> None:
    table.add(event(), EXPIRES_AT)
    item = dynamodb.get_item(TableName=EVENTS, Key={"event_id": {"S": "evt_1"}})["Item"]
    assert item["expires_at"] == {"N": str(EXPIRES_AT)}


def test_the_first_mark_of_dispatch_is_kept(table: EventsTable, dynamodb: DynamoDBClient) -> None:
    table.add(event(), EXPIRES_AT)
    assert not table.is_dispatched("evt_1")
    table.mark_dispatched("evt_1", OBSERVED_AT + 1)
    table.mark_dispatched("evt_1", OBSERVED_AT + 99)
    assert table.is_dispatched("evt_1")
    item = dynamodb.get_item(TableName=EVENTS, Key={"event_id": {"S": "evt_1"}})["Item"]
    assert item["dispatched_at"] == {"N": str(OBSERVED_AT + 1)}
    assert table.get("evt_1") == event()


def test_marking_an_expired_event_creates_no_item(table: EventsTable, dynamodb: DynamoDBClient) -> None:
    table.mark_dispatched("evt_gone", OBSERVED_AT)
    assert dynamodb.scan(TableName=EVENTS)["Count"] == 0
    assert table.get("evt_gone") is None
    assert not table.is_dispatched("evt_gone")


def listed(table: EventsTable, since: int, until: int, **filters: object) -> list[str]:
    return [each.event_id for each in table.list_events(since, until, **filters)]  # type: ignore[arg-type] # filters


def test_a_listing_crosses_days_newest_first_with_both_ends_included(table: EventsTable) -> None:
    for number in range(5):
        table.add(event(f"evt_{number}", OBSERVED_AT + number * DAY), EXPIRES_AT)
    assert listed(table, OBSERVED_AT, OBSERVED_AT + 4 * DAY) == [f"evt_{number}" for number in (4, 3, 2, 1, 0)]
    assert listed(table, OBSERVED_AT + DAY, OBSERVED_AT + 3 * DAY) == ["evt_3", "evt_2", "evt_1"]
    assert listed(table, OBSERVED_AT + DAY + 1, OBSERVED_AT + 3 * DAY - 1) == ["evt_2"]
    assert listed(table, OBSERVED_AT + 5 * DAY, OBSERVED_AT) == []


def test_a_listing_is_by_observation_time(table: EventsTable) -> None:
    """An operator expects today's discoveries today, even of an attempt that ended last month."""
    old = replace(event(), occurred_at=OBSERVED_AT - 30 * DAY)
    table.add(old, EXPIRES_AT)
    assert listed(table, OBSERVED_AT - 60, OBSERVED_AT + 60) == ["evt_1"]


def test_a_listing_reads_all_pages_of_dynamodb(table: EventsTable) -> None:
    for number in range(9):
        table.add(event(f"evt_{number}", OBSERVED_AT + number, body=b"x" * 300_000), EXPIRES_AT)
    assert listed(table, OBSERVED_AT, OBSERVED_AT + 60) == [f"evt_{number}" for number in range(8, -1, -1)]
    assert listed(table, OBSERVED_AT, OBSERVED_AT + 60, limit=7) == [f"evt_{number}" for number in range(8, 1, -1)]


def test_a_listing_filters_by_exam_and_type_before_the_limit(table: EventsTable) -> None:
    for number in range(6):
        table.add(
            event(
                f"evt_{number}",
                OBSERVED_AT + number,
                exam_id="a" if number % 2 else "b",
                event_type="submission.forced" if number < 3 else "provider.refused",
            ),
            EXPIRES_AT,
        )
    window = (OBSERVED_AT, OBSERVED_AT + 60)
    assert listed(table, *window, exam_id="a") == ["evt_5", "evt_3", "evt_1"]
    assert listed(table, *window, types=["submission.*"]) == ["evt_2", "evt_1", "evt_0"]
    assert listed(table, *window, types=["submission.forced", "provider.refused"], limit=2) == ["evt_5", "evt_4"]
    assert listed(table, *window, exam_id="b", types=["submission.forced"], limit=1) == ["evt_2"]


def test_a_listing_stops_at_the_retention(table: EventsTable, dynamodb: DynamoDBClient) -> None:
    queried: list[str] = []
    dynamodb.meta.events.register("before-call.dynamodb.Query", lambda **_: queried.append("a day"))
    table.add(event(at=OBSERVED_AT - 364 * DAY), EXPIRES_AT)
    assert listed(table, 0, OBSERVED_AT) == ["evt_1"]
    assert len(queried) == 366


def test_an_item_of_another_version_is_rejected(table: EventsTable, dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName=EVENTS, Item={"event_id": {"S": "evt_1"}, "v": {"N": "99"}})
    dynamodb.put_item(TableName=EVENTS, Item={"event_id": {"S": "evt_2"}, "v": {"N": "1"}})
    with pytest.raises(UnreadableItemError, match="version 99"):
        table.get("evt_1")
    with pytest.raises(UnreadableItemError, match="lacks"):
        table.get("evt_2")
