"""Retry looks after endpoints that fail: the operators hear of it before, at and after, and no notice is lost."""

from __future__ import annotations

from examhook.delivery.endpoint import Endpoint, EndpointStatus
from examhook.delivery.health_policy import WARN_AFTER_S, disabled_notice
from examhook.delivery.schedule import PROBE_INTERVAL_S
from examhook.workflows.delivering.report import MessageOutcome
from tests.support.delivery.delivery_stack import DAY_S, World
from tests.support.delivery.scripted_server import answer, scripted_server

BUSY = answer("", "503 Service Unavailable")


def fail(world: World, endpoint: Endpoint, times: int = 3) -> None:
    """Record ``times`` failed attempts now."""
    for _ in range(times):
        world.endpoints.record_outcome(endpoint.endpoint_id, int(world.clock.at), "answered 503 Service Unavailable")


def told(world: World) -> list[str]:
    return [notice.event_type for notice in world.operators.notices]


def test_operators_are_warned_before_then_told_and_the_endpoint_keeps_what_waits(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    world.delivery(endpoint)
    fail(world, endpoint)
    world.retry()
    assert told(world) == []
    for hours in (1, 23, 24, 24, 24, 24):
        world.clock.at += hours * 3600
        fail(world, endpoint, 1)
        world.retry()
        world.retry()
    assert told(world) == ["endpoint.failing"] * 4 + ["endpoint.disabled"]
    stored = world.known(endpoint)
    assert stored.status is EndpointStatus.DISABLED
    assert stored.disabled_at == world.clock.at
    assert "all attempts failed for 5 days" in (stored.disabled_reason or "")
    assert world.deliveries.backlog_summary(endpoint.endpoint_id).waiting == 1
    assert b'"waiting":1' in world.operators.notices[-1].body


def test_a_success_meanwhile_wins_over_the_tick_that_would_disable(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    fail(world, endpoint)
    seen = world.known(endpoint).health.failing_since
    world.endpoints.record_outcome(endpoint.endpoint_id, int(world.clock.at), None)
    assert world.endpoints.disable(endpoint.endpoint_id, "too long", 1, only_if_failing_since=seen) is None
    assert world.known(endpoint).is_enabled


def test_a_recovery_is_told_once_and_only_where_there_was_a_warning(world: World) -> None:
    warned, _ = world.endpoint("http://127.0.0.1:9/")
    unnoticed, _ = world.endpoint("http://127.0.0.1:9/")
    fail(world, warned)
    world.clock.at += WARN_AFTER_S
    fail(world, warned, 1)
    fail(world, unnoticed)
    world.retry()
    world.clock.at += 60
    for endpoint in (warned, unnoticed):
        world.endpoints.record_outcome(endpoint.endpoint_id, int(world.clock.at), None)
    world.retry()
    world.retry()
    assert told(world) == ["endpoint.failing", "endpoint.recovered"]
    assert warned.endpoint_id.encode() in world.operators.notices[-1].body


def test_a_notice_that_could_not_be_published_goes_out_at_a_later_tick_under_the_same_id(world: World) -> None:
    with scripted_server(answer("", "410 Gone")) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        world.deliver(world.delivery(endpoint))
    world.operators.unreachable = True
    assert world.retry().errors == ("NotPublishedError",)
    assert world.retry().errors == ("NotPublishedError",)
    (kept,) = world.known(endpoint).notices
    world.operators.unreachable = False
    world.clock.at += 120
    assert world.retry().errors == ()
    world.retry()
    (notice,) = world.operators.notices
    assert (notice.event_type, notice.occurred_at) == ("endpoint.disabled", kept.at)
    assert world.known(endpoint).notices == ()


def test_operators_who_cannot_be_told_keep_no_event_waiting(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    fail(world, endpoint)
    world.clock.at += WARN_AFTER_S
    fail(world, endpoint, 1)
    world.delivery(endpoint)
    world.clock.at += 1000
    world.operators.unreachable = True
    report = world.retry()
    assert (report.enqueued, report.errors) == (1, ("NotPublishedError",))


def test_taking_published_notices_away_leaves_those_that_came_meanwhile(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    first, second = (
        disabled_notice(
            endpoint.endpoint_id, f"reason {nth}", world.deliveries.backlog_summary(endpoint.endpoint_id), nth
        )
        for nth in (1, 2)
    )
    world.endpoints.disable(endpoint.endpoint_id, "1", 1, first)
    world.endpoints.enable(endpoint.endpoint_id)
    world.endpoints.disable(endpoint.endpoint_id, "2", 2, second)
    world.endpoints.drop_notices(endpoint.endpoint_id, (first,))
    world.endpoints.drop_notices(endpoint.endpoint_id, (first,))
    assert world.known(endpoint).notices == (second,)


def test_while_it_is_down_what_comes_waits_and_one_attempt_at_a_time_finds_out(world: World) -> None:
    with scripted_server(BUSY, answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        fail(world, endpoint)
        messages = [world.delivery(endpoint, nth) for nth in range(1, 6)]
        outcomes = [world.deliver(message).outcome for message in messages]
        assert outcomes == [MessageOutcome.RETRY_LATER] + [MessageOutcome.HELD] * 4
        assert len(receiver.requests) == 1
        assert [world.stored(message).attempts for message in messages] == [1, 0, 0, 0, 0]
        world.enqueued()
        assert world.retry().enqueued == 0, "the first message was the probe"
        world.clock.at += PROBE_INTERVAL_S
        assert world.retry().enqueued == 1
        ((probe, _),) = world.enqueued()
        assert probe.probe
        assert world.deliver(probe).outcome is MessageOutcome.DELIVERED
        # All that waited follows at once, the one that had failed too.
        assert len(world.enqueued()) == 4


def test_an_endpoints_last_success_moves_with_each_later_one(world: World) -> None:
    with scripted_server(answer()) as receiver:
        endpoint, _ = world.endpoint(receiver.url)
        for nth in (1, 2, 3):
            world.clock.at += 1
            world.deliver(world.delivery(endpoint, nth))
            assert world.known(endpoint).health.last_success_at == world.clock.at


def test_the_limit_is_the_stacks_parameter(world: World) -> None:
    endpoint, _ = world.endpoint("http://127.0.0.1:9/")
    fail(world, endpoint)
    world.clock.at += 5 * DAY_S - 60
    fail(world, endpoint, 1)
    world.retry()
    assert world.known(endpoint).is_enabled
