"""Tables put back as they were, as docs/recovery.md says: what came since comes again under the same ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.dispatch.watched_stack import TABLES, WatchedStack, watched_stack
from tests.support.storage.tables import EVENTS

Copy = Mapping[str, list[dict[str, Any]]]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedStack]:
    with watched_stack(monkeypatch) as made:
        made.world.create_exam()
        made.poll()
        yield made


def copied(stack: WatchedStack) -> Copy:
    """What a point-in-time restore would bring."""
    return {name: stack.dynamodb.scan(TableName=name)["Items"] for name in TABLES}


def put_back(stack: WatchedStack, copy: Copy) -> None:
    """Events first: the writes of submissions go through the stream, and Dispatch then knows what was sent."""
    for name in sorted(TABLES, key=lambda name: name != EVENTS):
        stack.lose(name)
        for item in copy[name]:
            stack.dynamodb.put_item(TableName=name, Item=item)
    stack.dispatch()


def ends(stack: WatchedStack, count: int) -> list[dict[str, Any]]:
    """Start and end ``count`` attempts. Returns the events that subscribers received."""
    world = stack.world
    exam_id = str(world.exams()[0].exam_id)
    for _ in range(count):
        world.advance(5)
        ref = world.start(exam_id)
        world.advance(60)
        world.submit(ref)
    stack.poll()
    return stack.published()


def test_a_restore_tells_nothing_again_of_what_it_knows(stack: WatchedStack) -> None:
    assert len(ends(stack, 3)) == 3
    put_back(stack, copied(stack))
    stack.poll(full=True)
    assert stack.published() == []


def test_what_happened_after_the_time_of_the_restore_comes_again_under_the_same_ids(stack: WatchedStack) -> None:
    ends(stack, 3)
    copy = copied(stack)
    since = ends(stack, 2)
    put_back(stack, copy)
    stack.poll(full=True)
    again = stack.published()
    assert {event["id"] for event in again} == {event["id"] for event in since}
    assert len(again) == len(since) == 2


def test_the_submissions_alone_may_be_restored(stack: WatchedStack) -> None:
    """Then the newer events are known as sent, and nothing comes at all."""
    ends(stack, 3)
    copy = copied(stack)
    ends(stack, 2)
    put_back(stack, {**copied(stack), "Submissions": copy["Submissions"]})
    stack.poll(full=True)
    assert stack.published() == []
