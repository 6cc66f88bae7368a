"""Retry with a backlog (moto): batch after batch, at the endpoint's speed, while the tick has time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest

from examhook.delivery.endpoint import Endpoint, EndpointOrigin
from examhook.delivery.schedule import REQUEUE_AFTER_S
from examhook.workflows.retrying.backlog import UNPACED_PER_MINUTE, minute_limit
from examhook.workflows.retrying.retry import TICK_S
from tests.support.delivery.delivery_stack import World, delivery_world

BATCH, UNPACED = 5, 30


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """With batches so small that some deliveries are many."""
    monkeypatch.setattr("examhook.workflows.retrying.backlog.BATCH_PER_ENDPOINT", BATCH)
    monkeypatch.setattr("examhook.workflows.retrying.backlog.UNPACED_PER_MINUTE", UNPACED)
    with delivery_world() as made:
        yield made


def endpoint_with_due(world: World, due: int, rate_per_second: float | None = None) -> Endpoint:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.endpoints.write_settings(replace(endpoint, rate_per_second=rate_per_second))
    for nth in range(1, due + 1):
        world.delivery(endpoint, nth)
    return endpoint


def numbers(world: World) -> list[int]:
    return [int(message.event_id.removeprefix("evt_"), 16) for message, _ in world.enqueued()]


def queries(world: World) -> list[str]:
    """Fills with the condition of each query from now on."""
    asked: list[str] = []
    client = world.deliveries._client  # noqa: SLF001 - what it asks is looked at
    client.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: asked.append(params["KeyConditionExpression"])
    )
    return asked


def ticking(step_s: float) -> Callable[[], float]:
    """A clock that each look moves on."""
    seconds = count(step=int(step_s))
    return lambda: float(next(seconds))


@pytest.mark.parametrize(("rate_per_second", "a_minute"), [(0.2, 12), (0.1, 6), (0.05, 3), (None, UNPACED)])
def test_a_tick_enqueues_what_the_rate_allows_per_minute(
    world: World, rate_per_second: float | None, a_minute: int
) -> None:
    endpoint_with_due(world, a_minute + 8, rate_per_second)
    world.clock.at += REQUEUE_AFTER_S
    assert world.retry().enqueued == a_minute
    assert numbers(world) == list(range(1, a_minute + 1))


def test_a_slow_endpoint_gets_at_most_one_more_batch(world: World) -> None:
    """Nothing of the first tick's batch is processed, so the second tick adds one batch at most."""
    endpoint_with_due(world, 2 * UNPACED)
    world.clock.at += REQUEUE_AFTER_S
    assert [world.retry().enqueued, world.retry().enqueued] == [UNPACED, BATCH]


def test_a_backlog_delays_no_other_endpoint(world: World) -> None:
    first, second, third = (endpoint_with_due(world, due) for due in (3 * BATCH, BATCH - 1, 3 * BATCH))
    world.clock.at += REQUEUE_AFTER_S
    assert world.retry().enqueued == 7 * BATCH - 1
    order = [message.endpoint_id for message, _ in world.enqueued()]
    firsts = {first.endpoint_id: BATCH, second.endpoint_id: BATCH - 1, third.endpoint_id: BATCH}
    turns = 3 * BATCH - 1
    assert {each: order[:turns].count(each) for each in firsts} == firsts
    assert set(order[turns : turns + 2 * BATCH]) == {first.endpoint_id, third.endpoint_id}
    assert len(set(order[turns : turns + BATCH])) == 1


def test_no_further_batch_starts_after_the_time_limit(world: World) -> None:
    endpoint_with_due(world, UNPACED)
    world.clock.at += REQUEUE_AFTER_S
    report = replace(world.retrying(), monotonic=ticking(TICK_S // 3)).run()
    assert (report.enqueued, report.errors) == (2 * BATCH, ())
    assert world.retry().enqueued == UNPACED - 2 * BATCH


def test_one_query_suffices_for_at_most_one_batch(world: World) -> None:
    endpoint_with_due(world, BATCH - 1)
    world.clock.at += REQUEUE_AFTER_S
    asked = queries(world)
    assert [world.retry().enqueued, world.retry().enqueued] == [BATCH - 1, 0]
    assert len(asked) == 2


def test_a_high_rate_or_none_allows_several_batches_per_minute() -> None:
    """The page's figures: six hours at 20 events per second are delivered within two and a half hours."""
    endpoint = Endpoint("ep", "https://a.example/", b"", EndpointOrigin.CLI, 0)
    assert minute_limit(replace(endpoint, rate_per_second=100.0), 0) == 6000
    assert minute_limit(endpoint, 0) == UNPACED_PER_MINUTE
    assert 6 * 3600 * 20 / UNPACED_PER_MINUTE <= 150
