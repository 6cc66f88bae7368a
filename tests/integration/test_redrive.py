"""Redrive (moto): what the stream never brought goes out once, by itself and when a person asks for it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from examhook.destinations.redrive_queue import LOOK_BACK_S, parse_redrive
from examhook.detection.exam_transition import ExamChange, change_of_availability, first_state
from examhook.detection.reannounce import reannouncement
from examhook.handlers import dispatch as dispatch_entry
from examhook.handlers import redrive as entry
from examhook.handlers.redrive import RedriveIncompleteError
from examhook.storage.events import EventsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from examhook.wiring.dispatch import build_dispatch
from tests.support.dispatch.dispatch_stack import SUBMITTED, Dying, Killed, Stack, deployed, invoke
from tests.support.dispatch.redrive_stack import DAY_S, HOUR_S, failure, published, redrive, store, write
from tests.support.events.model_values import attempt, exam, submission, transition
from tests.support.storage.tables import EVENTS, SUBMISSIONS


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with deployed(monkeypatch) as stack:
        yield stack


def test_what_was_never_dispatched_goes_to_every_destination_once(stack: Stack) -> None:
    ids = [store(stack, nth) for nth in (1, 2, 3)]
    answer = redrive(int(time.time()) - 2 * HOUR_S)
    assert (answer["scanned"], answer["missing"], answer["dispatched"], answer["next_place"]) == (3, 3, 3, None)
    assert published(stack) == ids
    expected = {(endpoint, event) for endpoint in stack.endpoint_ids().values() for event in ids}
    assert stack.deliveries == expected
    assert {(each["endpoint_id"], each["event_id"]) for each in stack.received(stack.queue_url)} == expected
    again = redrive(int(time.time()) - 2 * HOUR_S)
    assert (again["missing"], again["dispatched"]) == (0, 0)
    assert published(stack) == []


def test_only_what_was_noticed_since_and_is_still_kept_is_looked_at(stack: Stack) -> None:
    store(stack, 1, ago_s=3 * HOUR_S)
    store(stack, 2, ago_s=40 * DAY_S)
    assert redrive(int(time.time()) - 2 * HOUR_S)["missing"] == 0
    # Events are kept for 30 days: of older ones nothing tells whether they were sent.
    assert redrive(0)["missing"] == 1


def test_silent_submissions_are_not_announced(stack: Stack) -> None:
    write(stack, submission(transitions=(), observed_at=int(time.time())))
    assert redrive(0)["missing"] == 0


def test_a_dry_run_counts_and_sends_nothing(stack: Stack) -> None:
    store(stack, 1)
    answer = redrive(0, dry_run=True)
    assert (answer["missing"], answer["dispatched"]) == (1, 0)
    assert published(stack) == []
    assert stack.dynamodb.scan(TableName=EVENTS)["Count"] == 0


def test_what_the_stream_gave_up_is_repaired_by_itself(stack: Stack) -> None:
    event_id = store(stack, 1, ago_s=30 * HOUR_S)
    assert invoke(failure()) == {"batchItemFailures": []}
    assert published(stack) == [event_id]
    assert invoke(failure()) == {"batchItemFailures": []}
    assert published(stack) == []


def test_many_messages_are_one_look_through_the_table(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    function = build_dispatch(os.environ)
    scan = function.redrive.scan.announced_since

    class Counting:
        def announced_since(self, since: int, *bounds: Any) -> Any:
            looks.append(since)
            return scan(since, *bounds)

    counting = replace(function.redrive, scan=Counting())  # type: ignore[arg-type] # a stand-in
    monkeypatch.setattr(dispatch_entry, "_function", cache(lambda: replace(function, redrive=counting)))
    event_id = store(stack, 1)
    now = time.time()
    invoke(failure("{}", "not ours", "[]", sent_at=now))
    assert looks == [int(now) - LOOK_BACK_S]
    assert published(stack) == [event_id]


def test_what_cannot_be_sent_yet_brings_the_message_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = store(stack, 1)
    environment_topic = "arn:aws:sns:eu-central-1:123456789012:gone"
    monkeypatch.setenv("SUBMISSIONS_TOPIC_ARN", environment_topic)
    with pytest.raises(RedriveIncompleteError, match="1 submission"):
        invoke(failure())
    assert not EventsTable(stack.dynamodb, EVENTS).is_dispatched(event_id)
    monkeypatch.setenv("SUBMISSIONS_TOPIC_ARN", stack.topic_arn)
    dispatch_entry._function.cache_clear()  # noqa: SLF001 - the next process
    invoke(failure())
    assert published(stack) == [event_id]


def test_when_time_is_up_it_goes_on_by_a_message_of_its_own(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [store(stack, nth) for nth in range(1, 6)]
    monkeypatch.setattr("examhook.storage.submission_outbox._SCAN_PAGE_ITEMS", 2)
    monkeypatch.setattr(entry, "BUDGET_S", 0.0)
    invoke(failure())
    goes = 1
    while waiting := stack.received(stack.failure_url):
        assert goes < 10
        invoke(failure(*map(json.dumps, waiting)))
        goes += 1
    assert goes >= 3
    assert published(stack) == ids


def test_a_person_is_told_where_to_go_on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for nth in range(1, 6):
        store(stack, nth)
    monkeypatch.setattr("examhook.storage.submission_outbox._SCAN_PAGE_ITEMS", 2)
    monkeypatch.setattr(entry, "BUDGET_S", 0.0)
    answers = [redrive(0)]
    while answers[-1]["next_place"]:
        answers.append(redrive(0, place=answers[-1]["next_place"]))
    assert sum(each["dispatched"] for each in answers) == 5
    assert len(answers) >= 3


def test_an_item_that_cannot_be_read_is_counted_and_keeps_no_other_back(stack: Stack) -> None:
    event_id = store(stack, 1)
    store(stack, 2)
    keys = [
        {name: item[name] for name in ("pk", "sk")}
        for item in stack.dynamodb.scan(TableName=SUBMISSIONS)["Items"]
        if item["candidate_id"] == {"S": "2"}
    ]
    stack.dynamodb.update_item(
        TableName=SUBMISSIONS,
        Key=keys[0],
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"N": "99"}},
    )
    answer = redrive(0)
    assert (answer["dispatched"], answer["unreadable"], answer["failed"]) == (1, 1, 0)
    assert published(stack) == [event_id]
    invoke(failure())


@pytest.mark.parametrize("method", ["add", "mark_dispatched"])
def test_a_crash_in_a_redrive_loses_nothing_and_invents_nothing(stack: Stack, method: str) -> None:
    event_id = store(stack, 1)
    redriver = build_dispatch(os.environ).redrive
    dying = replace(redriver.dispatch, events=Dying(redriver.dispatch.events, method))  # type: ignore[arg-type] # a stand-in
    with pytest.raises(Killed):
        replace(redriver, dispatch=dying).run(0, None, stop_at=0.0)
    assert redrive(0)["dispatched"] == 1
    assert set(published(stack)) == {event_id}
    assert len(stack.deliveries) == 2


def test_all_events_of_one_submission_go_out_in_their_order(stack: Stack) -> None:
    now = int(time.time())
    first = transition(event_id="evt_" + "1" * 32, observed_at=now - 60)
    second = transition(event_id="evt_" + "2" * 32, sequence=2, previous_id=first.event_id, observed_at=now - 30)
    write(stack, submission(transitions=(first, second), observed_at=now))
    assert redrive(0)["dispatched"] == 2
    received = stack.received(stack.everything_url)
    assert [(each["type"], each["revision"]) for each in received] == [
        (SUBMITTED, 1),
        (SUBMITTED, 2),
    ]


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '{"redrive":{"since":"x"}}', '{"redrive":{"since":1,"place":{}}}', "{}"]
)
def test_any_message_that_is_none_of_ours_asks_for_all_around_its_time(body: str) -> None:
    order = parse_redrive(body, 10 * DAY_S)
    assert (order.since, order.start_key) == (10 * DAY_S - LOOK_BACK_S, None)


def test_what_a_backfill_announced_is_redriven_where_dispatch_gave_up_on_it(stack: Stack) -> None:
    """Seen three weeks ago, recalled just now: the look-back of the failure queue goes by the latter."""
    now = int(time.time())
    seen_at = now - 21 * DAY_S
    older = transition(event_id="evt_" + "1" * 32, occurred_at=seen_at - DAY_S, observed_at=seen_at)
    newer = transition(event_id="evt_" + "2" * 32, sequence=2, occurred_at=seen_at, observed_at=seen_at)
    silent = submission(
        attempt=attempt(candidate_id="9", ended_at=seen_at), observed_at=seen_at, transitions=(), sequence=0
    )
    kept = submission(transitions=(older, newer), observed_at=seen_at, sequence=2)
    table = SubmissionsTable(stack.dynamodb, SUBMISSIONS)
    for stored in (silent, kept):
        write(stack, stored)
        found = reannouncement(stored, seen_at)
        change = found.change(found.event_ids, confirmed_at=now - 60, now=now, fence=stored.fence + 1)
        assert change is not None
        assert table.write([change]) == []
    silent_again, kept_again = reannouncement(silent, seen_at), reannouncement(kept, seen_at)
    assert older.event_id not in kept_again.event_ids
    assert invoke(failure()) == {"batchItemFailures": []}
    assert published(stack) == sorted([*silent_again.event_ids, *kept_again.event_ids])


def test_an_exams_events_are_redriven_too(stack: Stack) -> None:
    at = int(time.time()) - HOUR_S
    shown = exam()
    opened = first_state("main", shown, observed_at=at, predates_watch=False, announce=True)
    closed = change_of_availability(opened, replace(shown, available=False), observed_at=at + 60)
    assert closed is not None
    closed = replace(closed, version=2)
    table = ExamStates(stack.dynamodb, SUBMISSIONS)
    assert table.write([ExamChange(None, opened)]) + table.write([ExamChange(opened, closed)]) == []
    submitted = store(stack, 1)
    answer = redrive(at - 1)
    assert (answer["missing"], answer["dispatched"], answer["unreadable"]) == (3, 3, 0)
    events = [each.event_id for each in closed.transitions]
    assert published(stack) == sorted([submitted, *events])
    by_default = {event_id for _, event_id in stack.deliveries}
    assert by_default == {submitted, *events}
    assert redrive(at - 1)["missing"] == 0
