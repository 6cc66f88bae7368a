"""Dispatch (moto) when processes die and AWS fails: nothing is lost, nothing is invented."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from examhook.handlers import dispatch as entry
from examhook.wiring.dispatch import build_dispatch
from tests.support.dispatch.dispatch_stack import SUBMITTED, Dying, Killed, Stack, deployed, ids_of, run, sample_batch


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with deployed(monkeypatch) as stack:
        yield stack


@pytest.fixture
def batch() -> Any:
    return sample_batch()


def test_what_was_kept_first_is_what_is_sent(stack: Stack, batch: Any) -> None:
    """A record rebuilt later holds another link; the event under the same id must not change."""
    dispatch = build_dispatch(os.environ).dispatch
    with pytest.raises(Killed):
        replace(dispatch, deliveries=Dying(dispatch.deliveries, "create")).run(batch["Records"])  # type: ignore[arg-type] # a stand-in
    rebuilt = copy.deepcopy(batch)
    rebuilt["Records"][0]["dynamodb"]["NewImage"]["result_url"] = {"S": "https://provider.test/viewresult/later"}
    run(rebuilt)
    [submitted] = [each for each in stack.received(stack.everything_url) if each["type"] == SUBMITTED]
    assert submitted["data"]["submission"]["result"]["url"].endswith("/made-up-token")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("part", "method"),
    [
        ("events", "add"),
        ("deliveries", "create"),
        ("queue", "send"),
        ("publisher", "publish_submission_events"),
        ("events", "mark_dispatched"),
    ],
)
def test_a_crash_at_any_step_loses_nothing_and_invents_nothing(
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
    published = stack.received(stack.everything_url)
    assert {each["id"] for each in published} == ids
    assert len({json.dumps(each) for each in published}) == 2
    expected = {(endpoint, event) for endpoint in stack.endpoint_ids().values() for event in ids}
    assert stack.deliveries == expected
    queued = stack.received(stack.queue_url)
    assert {(each["endpoint_id"], each["event_id"]) for each in queued} == expected
    assert run(batch) == []
    assert stack.received(stack.everything_url) == []


def test_an_event_that_is_repeated_is_read_once(stack: Stack, batch: Any) -> None:
    """Whether it was dispatched, whether SNS has it, and what is to be sent are in one item."""
    dispatch = build_dispatch(os.environ).dispatch
    reads: list[str] = []
    dispatch.events._client.meta.events.register(  # noqa: SLF001 - to count its requests
        "before-parameter-build.dynamodb.GetItem", lambda params, **_: reads.append(params["Key"]["event_id"]["S"])
    )
    dying = replace(dispatch, publisher=Dying(dispatch.publisher, "publish_submission_events", after=False))  # type: ignore[arg-type] # a stand-in
    with pytest.raises(Killed):
        dying.run(batch["Records"])
    assert reads == []
    assert dispatch.run(batch["Records"]).dispatched == 2
    assert sorted(reads) == sorted(ids_of(batch).values())
    assert dispatch.run(batch["Records"]).dispatched == 0
    assert sorted(reads) == sorted([*ids_of(batch).values()] * 2)
    assert len(stack.received(stack.everything_url)) == 2


@pytest.mark.parametrize(
    ("service", "operation"),
    [("sns", "PublishBatch"), ("sqs", "SendMessageBatch"), ("dynamodb", "PutItem"), ("dynamodb", "UpdateItem")],
)
def test_what_aws_refuses_is_tried_again_from_the_first_that_failed(
    stack: Stack,
    batch: Any,
    service: str,
    operation: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    dispatch = entry._function().dispatch  # noqa: SLF001 - to reach its clients
    dispatch.endpoints()
    clients = {"sns": dispatch.publisher._client, "sqs": dispatch.queue._client, "dynamodb": dispatch.events._client}  # noqa: SLF001
    events = clients[service].meta.events
    events.register_first(f"before-parameter-build.{service}.{operation}", _refuse, unique_id="refuse")
    assert run(batch) == [batch["Records"][0]["dynamodb"]["SequenceNumber"]]
    events.unregister(f"before-parameter-build.{service}.{operation}", _refuse, unique_id="refuse")
    fields = vars(caplog.records[-1])["examhook"]
    assert (fields["outcome"], fields["failed"], fields["reason"]) == ("retry", 2, "ConnectTimeoutError")
    assert run(batch) == []
    assert {each["id"] for each in stack.received(stack.everything_url)} == set(ids_of(batch).values())
    assert len(stack.deliveries) == 4


def _refuse(**_: object) -> None:
    raise ConnectTimeoutError(endpoint_url="https://aws.test")
