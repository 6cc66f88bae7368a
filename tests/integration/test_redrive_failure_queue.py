"""The failure queue (moto): a permanent failure delays nothing else, and the number of messages does not grow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from botocore.exceptions import ClientError

from examhook.destinations.redrive_queue import RedriveQueue, RedriveRequest, parse_redrive
from examhook.events.build import Event
from examhook.handlers import redrive as entry
from examhook.storage.events import EventsTable
from tests.support.dispatch.dispatch_stack import Stack, deployed, invoke
from tests.support.dispatch.redrive_stack import failure, published, store, work_off
from tests.support.storage.tables import SUBMISSIONS

ROUNDS = 12
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutItem")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with deployed(monkeypatch) as stack:
        yield stack


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of events that cannot be sent while they are in this set."""
    ids: set[str] = set()
    add = EventsTable.add

    def refusing(table: EventsTable, event: Event, expires_at: int) -> bool:
        if event.event_id in ids:
            raise THROTTLED
        return add(table, event, expires_at)

    monkeypatch.setattr(EventsTable, "add", refusing)
    return ids


@pytest.fixture
def one_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each invocation has time for one page of two items."""
    monkeypatch.setattr("examhook.storage.submission_outbox._SCAN_PAGE_ITEMS", 2)
    monkeypatch.setattr(entry, "BUDGET_S", 0.0)


def in_order_of_the_table(stack: Stack) -> list[str]:
    items = stack.dynamodb.scan(TableName=SUBMISSIONS)["Items"]
    return [each["transitions"]["L"][0]["M"]["event_id"]["S"] for each in items]


def key_of(stack: Stack, place: int) -> Mapping[str, str]:
    item = stack.dynamodb.scan(TableName=SUBMISSIONS)["Items"][place]
    return {name: item[name]["S"] for name in ("pk", "sk")}


@pytest.mark.usefixtures("one_page_at_a_time")
@pytest.mark.parametrize("place", [0, 1, 4, 6])
def test_a_permanently_failing_event_delays_nothing_and_keeps_one_message(
    stack: Stack, refused: set[str], place: int
) -> None:
    ids = [store(stack, nth) for nth in range(1, 8)]
    refused.add(in_order_of_the_table(stack)[place])
    waiting = ["{}"]
    for _ in range(ROUNDS):
        waiting = [left for body in waiting for left in work_off(stack, body)]
    assert set(published(stack)) == set(ids) - refused
    assert len(waiting) == 1
    late = list(refused)
    refused.clear()
    assert work_off(stack, *waiting) == []
    assert published(stack) == late


@pytest.mark.usefixtures("one_page_at_a_time")
def test_if_everything_fails_there_is_one_message_per_part(stack: Stack, refused: set[str]) -> None:
    ids = [store(stack, nth) for nth in range(1, 8)]
    refused |= set(ids)
    waiting = ["{}"]
    for _ in range(ROUNDS):
        waiting = work_off(stack, *waiting)
    assert len(waiting) <= 4
    refused.clear()
    while waiting:
        waiting = work_off(stack, *waiting)
    assert published(stack) == ids


def test_a_part_ends_with_its_last_item_even_if_items_were_added(
    stack: Stack, refused: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("examhook.storage.submission_outbox._SCAN_PAGE_ITEMS", 2)
    for nth in range(10, 17):
        store(stack, nth)
    order = {"redrive": {"since": 1, "until": key_of(stack, 3)}}
    ids = in_order_of_the_table(stack)
    refused.add(ids[2])
    store(stack, 1)
    now = in_order_of_the_table(stack)
    assert work_off(stack, json.dumps(order)) == [json.dumps(order)]
    sent = set(published(stack))
    assert sent == set(now[: now.index(ids[3]) + 1]) - refused


def test_a_part_whose_last_item_was_deleted_ends_with_the_table(stack: Stack) -> None:
    ids = [store(stack, nth) for nth in (1, 2, 3)]
    order = {"redrive": {"since": 1, "until": {"pk": "main#7", "sk": "gone"}}}
    assert work_off(stack, json.dumps(order)) == []
    assert published(stack) == ids


def test_only_failed_messages_of_a_batch_return(stack: Stack, refused: set[str]) -> None:
    for nth in range(1, 5):
        store(stack, nth)
    middle = key_of(stack, 1)
    refused.add(in_order_of_the_table(stack)[3])
    first, second = ({"redrive": {"since": 1, bound: middle}} for bound in ("until", "place"))
    answer = invoke(failure(json.dumps(first), json.dumps(second), json.dumps(first)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert len(published(stack)) == 3


def test_an_unreadable_table_returns_the_messages_to_the_queue(stack: Stack) -> None:
    stack.dynamodb.delete_table(TableName=SUBMISSIONS)
    with pytest.raises(entry.RedriveIncompleteError, match="ResourceNotFoundException"):
        invoke(failure())


@pytest.mark.parametrize("place", [None, {"pk": "a", "sk": "b"}])
def test_a_part_is_read_in_its_given_bounds(stack: Stack, place: Mapping[str, str] | None) -> None:
    order = RedriveRequest(7, place, {"pk": "a", "sk": "c"})
    RedriveQueue(stack.sqs, stack.failure_url).send(order)
    (body,) = stack.received(stack.failure_url)
    assert parse_redrive(json.dumps(body), 0) == order
