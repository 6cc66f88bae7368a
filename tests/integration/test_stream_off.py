"""Dispatch is cut off from its stream longer than the stream's retention: every event is still sent once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.support.dispatch.redrive_stack import work_off
from tests.support.dispatch.watched_stack import WatchedStack, watched_stack
from tests.support.storage.tables import EXAMS

DAY_S = 24 * 3600


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedStack]:
    with watched_stack(monkeypatch) as found:
        yield found


def a_day_passes(watched: WatchedStack) -> None:
    """Let the awaited events age by a day."""
    watched.dynamodb.update_item(
        TableName=EXAMS,
        Key={"account": {"S": "main"}, "sk": {"S": "account"}},
        UpdateExpression="ADD awaited_since :day",
        ConditionExpression="attribute_exists(awaited_since)",
        ExpressionAttributeValues={":day": {"N": str(-DAY_S)}},
    )


def ordered(watched: WatchedStack) -> list[str]:
    """The orders on the failure queue."""
    return [json.dumps(order) for order in watched.stack.received(watched.stack.failure_url)]


def test_expired_stream_records_are_still_sent_once(watched: WatchedStack) -> None:
    watched.world.advance(int(time.time() - watched.world.now()))
    exam_id = watched.world.create_exam()
    refs = [watched.world.start(exam_id) for _ in range(3)]
    watched.poll()
    assert len(watched.published()) == 3
    for ref in refs:
        watched.world.submit(ref)
        watched.world.advance(5)
        assert watched.poll_alone()["complete"] is True
    assert watched.published() == []
    assert ordered(watched) == [], "the stream may still bring it"

    a_day_passes(watched)
    assert watched.poll_alone()["complete"] is True
    messages = ordered(watched)
    assert len(messages) == 1
    assert work_off(watched.stack, *messages) == []
    sent = watched.published()
    assert [each["type"].rpartition(".")[2] for each in sent] == ["submitted"] * 3

    # The stream is on again, and still remembers some of it.
    watched.dispatch()
    assert watched.poll_alone()["complete"] is True
    assert watched.published() == []
    assert ordered(watched) == []
    assert "evt_" not in messages[0], "an order says since when, no more"
