"""Dispatch (moto) with an EventBridge bus: everything goes there too, and a bus that is broken delays nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from examhook.destinations.event_bus import CHECK_INTERVAL_S
from examhook.destinations.publishing import NotPublishedError
from examhook.events.build import submission_event
from examhook.handlers import dispatch as entry
from examhook.storage.events import EventsTable
from examhook.wiring.dispatch import build_dispatch
from tests.support.dispatch.dispatch_stack import (
    FORCED,
    SUBMITTED,
    Dying,
    Killed,
    Stack,
    deployed,
    ids_of,
    run,
    sample_batch,
)
from tests.support.events.model_values import submission, transition
from tests.support.storage.tables import EVENTS


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with deployed(monkeypatch, bus="exams") as stack:
        yield stack


@pytest.fixture
def batch() -> Any:
    return sample_batch()


def on_the_bus(stack: Stack) -> list[dict[str, Any]]:
    """The CloudEvents that a rule for our source brought to its queue."""
    return [each["detail"] for each in stack.received(stack.bus_url)]


def test_an_event_is_put_on_the_bus_word_for_word(stack: Stack, batch: Any) -> None:
    assert run(batch) == []
    entries = stack.received(stack.bus_url)
    assert [each["detail-type"] for each in entries] == [SUBMITTED, FORCED]
    assert [each["detail"] for each in entries] == stack.received(stack.everything_url)
    assert [each["time"] for each in entries] == [each["detail"]["time"] for each in entries]


def test_the_same_batch_again_puts_nothing_on_the_bus(stack: Stack, batch: Any) -> None:
    run(batch)
    on_the_bus(stack)
    assert run(batch) == []
    assert on_the_bus(stack) == []


def test_without_a_bus_nothing_is_put_on_any(monkeypatch: pytest.MonkeyPatch, batch: Any) -> None:
    with deployed(monkeypatch):
        assert build_dispatch(os.environ).dispatch.bus is None
        assert run(batch) == []


def test_what_the_bus_refuses_reaches_everyone_else_once_and_the_bus_when_it_is_back(stack: Stack, batch: Any) -> None:
    ids = ids_of(batch)
    dispatch = entry._function().dispatch  # noqa: SLF001 - to reach its client
    events = dispatch.bus._client.meta.events  # type: ignore[union-attr] # noqa: SLF001
    events.register_first("after-call.events.PutEvents", _refuse_the_first, unique_id="refuse")
    first = batch["Records"][0]["dynamodb"]["SequenceNumber"]
    # moto took it, so what the bus brings is looked at only from the moment when it is told to take it.
    assert [run(batch), run(batch)] == [[first], [first]]
    assert {each["id"] for each in stack.received(stack.everything_url)} == set(ids.values())
    assert len(stack.deliveries) == 4
    kept = EventsTable(stack.dynamodb, EVENTS)
    assert not kept.is_dispatched(ids[SUBMITTED])
    assert kept.is_dispatched(ids[FORCED])
    on_the_bus(stack)
    events.unregister("after-call.events.PutEvents", _refuse_the_first, unique_id="refuse")
    assert run(batch) == []
    assert [each["id"] for each in on_the_bus(stack)] == [ids[SUBMITTED]]
    assert stack.received(stack.everything_url) == []
    assert kept.is_dispatched(ids[SUBMITTED])


@pytest.mark.usefixtures("stack")
def test_the_bus_is_looked_for_by_the_wall_clock() -> None:
    """No time passes for the process, as while Lambda freezes it."""
    at = [1_777_818_720.0]
    bus = build_dispatch(os.environ, lambda: at[0]).dispatch.bus
    assert bus is not None
    bus.publish([submission_event(submission(), transition())])
    buses = boto3.client("events")
    buses.remove_targets(Rule="all", EventBusName="exams", Ids=["queue"])
    buses.delete_rule(Name="all", EventBusName="exams")
    buses.delete_event_bus(Name="exams")
    at[0] += CHECK_INTERVAL_S
    with pytest.raises(NotPublishedError, match="ResourceNotFoundException"):
        bus.publish([submission_event(submission(), transition())])


def test_a_bus_that_is_gone_keeps_nothing_from_anyone_else_and_is_told_in_the_log(
    stack: Stack, batch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dispatch = entry._function().dispatch  # noqa: SLF001 - to reach its client
    events = dispatch.bus._client.meta.events  # type: ignore[union-attr] # noqa: SLF001
    events.register_first("before-parameter-build.events.PutEvents", _gone, unique_id="gone")
    assert run(batch) == [batch["Records"][0]["dynamodb"]["SequenceNumber"]]
    fields = vars(caplog.records[-1])["examhook"]
    assert (fields["outcome"], fields["failed"], fields["reason"]) == ("retry", 2, "ResourceNotFoundException")
    assert len(stack.received(stack.everything_url)) == 2
    assert len(stack.received(stack.queue_url)) == 4
    events.unregister("before-parameter-build.events.PutEvents", _gone, unique_id="gone")
    assert run(batch) == []
    assert {each["id"] for each in on_the_bus(stack)} == set(ids_of(batch).values())
    assert stack.received(stack.everything_url) == []


def test_a_bus_that_was_deleted_gets_what_it_missed_when_it_is_made_anew(stack: Stack, batch: Any) -> None:
    """Nothing about it is counted as sent, though EventBridge itself would take it."""
    buses = boto3.client("events")
    (target,) = buses.list_targets_by_rule(Rule="all", EventBusName="exams")["Targets"]
    buses.remove_targets(Rule="all", EventBusName="exams", Ids=[target["Id"]])
    buses.delete_rule(Name="all", EventBusName="exams")
    buses.delete_event_bus(Name="exams")
    assert run(batch) == [batch["Records"][0]["dynamodb"]["SequenceNumber"]]
    assert len(stack.received(stack.everything_url)) == 2
    buses.create_event_bus(Name="exams")
    buses.put_rule(Name="all", EventBusName="exams", EventPattern='{"source": ["examhook"]}')
    buses.put_targets(Rule="all", EventBusName="exams", Targets=[target])
    assert run(batch) == []
    assert {each["id"] for each in on_the_bus(stack)} == set(ids_of(batch).values())


def test_a_stack_that_gives_its_bus_up_tells_nobody_twice(stack: Stack, batch: Any) -> None:
    dispatch = entry._function().dispatch  # noqa: SLF001 - to reach its client
    events = dispatch.bus._client.meta.events  # type: ignore[union-attr] # noqa: SLF001
    events.register_first("before-parameter-build.events.PutEvents", _gone, unique_id="gone")
    run(batch)
    assert len(stack.received(stack.everything_url)) == 2
    assert replace(dispatch, bus=None).run(batch["Records"]).retry_from is None
    assert stack.received(stack.everything_url) == []
    kept = EventsTable(stack.dynamodb, EVENTS)
    assert all(kept.is_dispatched(event_id) for event_id in ids_of(batch).values())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("part", "method"),
    [("bus", "publish"), ("publisher", "publish_submission_events"), ("events", "mark_dispatched")],
)
def test_a_crash_around_the_bus_loses_nothing_and_invents_nothing(
    stack: Stack,
    batch: Any,
    part: str,
    method: str,
    after: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    dispatch = build_dispatch(os.environ).dispatch
    dying = replace(dispatch, **{part: Dying(getattr(dispatch, part), method, after=after)})  # type: ignore[arg-type] # a stand-in
    with pytest.raises(Killed):
        dying.run(batch["Records"])
    assert run(batch) == []
    ids = set(ids_of(batch).values())
    assert {each["id"] for each in on_the_bus(stack)} == ids
    assert {each["id"] for each in stack.received(stack.everything_url)} == ids
    assert run(batch) == []
    assert on_the_bus(stack) == []


def _refuse_the_first(parsed: dict[str, Any], **_: object) -> None:
    parsed["Entries"][0] = {"ErrorCode": "ThrottlingException", "ErrorMessage": ""}
    parsed["FailedEntryCount"] = 1


def _gone(**_: object) -> None:
    raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "PutEvents")
