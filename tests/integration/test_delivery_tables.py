"""Deliveries in DynamoDB (moto): what is written is read back, and lists are newest first."""

from __future__ import annotations

import pytest

from examhook.delivery.health_policy import BacklogSummary
from examhook.delivery.record import (
    KEPT_ATTEMPTS,
    AttemptRecord,
    Delivery,
    DeliveryStatus,
    SendOutcome,
    new_delivery,
)
from examhook.delivery.schedule import REQUEUE_AFTER_S
from tests.support.delivery.delivery_stack import World

NOW = 1_777_818_720


def fresh(endpoint_id: str = "ep_1", event_id: str = "evt_1", now: int = NOW) -> Delivery:
    return new_delivery(endpoint_id, event_id, "submission.submitted", now=now, expires_at=now + 1000)


def failed(attempt: int) -> AttemptRecord:
    return AttemptRecord(attempt, NOW + attempt, SendOutcome.ANSWERED, "answered 500", 500, 12, "oops ☃", NOW + 60)


def test_a_delivery_is_read_back_completely(world: World) -> None:
    assert world.deliveries.create(fresh())
    assert world.deliveries.get("ep_1", "evt_1") == fresh()
    claimed = world.deliveries.claim("ep_1", "evt_1", 1, until=NOW + 120)
    assert claimed is not None
    assert world.deliveries.record(claimed, failed(1), DeliveryStatus.WAITING, not_before=NOW + 50)
    stored = world.deliveries.get("ep_1", "evt_1")
    assert stored is not None
    assert (stored.attempts, stored.next_attempt_at, stored.not_before) == (1, NOW + 60, NOW + 50)
    assert stored.attempt_log == (failed(1),)


def test_a_delivery_is_created_once(world: World) -> None:
    assert world.deliveries.create(fresh())
    world.deliveries.claim("ep_1", "evt_1", 1, until=NOW + 120)
    assert not world.deliveries.create(fresh())
    stored = world.deliveries.get("ep_1", "evt_1")
    assert stored is not None
    assert stored.attempts == 1


def test_the_log_keeps_the_newest_attempts(world: World) -> None:
    world.deliveries.create(fresh())
    for attempt in range(1, KEPT_ATTEMPTS + 4):
        claimed = world.deliveries.claim("ep_1", "evt_1", attempt, until=NOW)
        assert claimed is not None
        world.deliveries.record(claimed, failed(attempt), DeliveryStatus.WAITING)
    stored = world.deliveries.get("ep_1", "evt_1")
    assert stored is not None
    assert [record.attempt for record in stored.attempt_log] == list(range(4, KEPT_ATTEMPTS + 4))


def test_an_outcome_after_the_claim_expired_does_not_overwrite(world: World) -> None:
    world.deliveries.create(fresh())
    slow = world.deliveries.claim("ep_1", "evt_1", 1, until=NOW)
    quick = world.deliveries.claim("ep_1", "evt_1", 2, until=NOW)
    assert slow is not None
    assert quick is not None
    assert not world.deliveries.record(slow, failed(1), DeliveryStatus.WAITING)
    assert world.deliveries.record(quick, failed(2), DeliveryStatus.WAITING)


@pytest.mark.parametrize("attempt", [0, 2, 3])
def test_only_the_next_attempt_can_be_claimed(world: World, attempt: int) -> None:
    world.deliveries.create(fresh())
    assert world.deliveries.claim("ep_1", "evt_1", attempt, until=NOW) is None


def test_an_ended_delivery_is_neither_claimed_nor_cancelled(world: World) -> None:
    world.deliveries.create(fresh())
    claimed = world.deliveries.claim("ep_1", "evt_1", 1, until=NOW)
    assert claimed is not None
    delivered = AttemptRecord(1, NOW, SendOutcome.ANSWERED, "answered 200 OK", 200, 12)
    world.deliveries.record(claimed, delivered, DeliveryStatus.DELIVERED)
    assert world.deliveries.claim("ep_1", "evt_1", 2, until=NOW) is None
    assert not world.deliveries.cancel("ep_1", "evt_1", "its endpoint was removed")


def test_lists_are_newest_first_and_filtered(world: World) -> None:
    for nth in range(5):
        world.deliveries.create(fresh("ep_1", f"evt_{nth}", NOW + nth))
        world.deliveries.create(fresh("ep_2", f"evt_{nth}", NOW + 10 + nth))
    world.deliveries.cancel("ep_1", "evt_3", "its endpoint was removed")
    assert [each.event_id for each in world.deliveries.list_for("ep_1", limit=2)] == ["evt_4", "evt_3"]
    assert [each.endpoint_id for each in world.deliveries.list_for(limit=6)] == ["ep_2"] * 5 + ["ep_1"]
    (cancelled,) = world.deliveries.list_for(status=DeliveryStatus.CANCELLED)
    assert (cancelled.endpoint_id, cancelled.event_id) == ("ep_1", "evt_3")
    assert cancelled.cancelled_reason == "its endpoint was removed"
    assert world.deliveries.list_for("ep_3") == []


def test_due_deliveries_are_found_by_time_and_endpoint(world: World) -> None:
    for nth in range(3):
        world.deliveries.create(fresh("ep_1", f"evt_{nth}", NOW + nth))
    world.deliveries.create(fresh("ep_2", "evt_9", NOW))
    assert [each.event_id for each in world.deliveries.due("ep_1", NOW + 901, 10)] == ["evt_0", "evt_1"]
    assert [each.event_id for each in world.deliveries.due("ep_1", NOW + 10_000, 2)] == ["evt_0", "evt_1"]
    assert world.deliveries.due("ep_1", NOW + 899, 10) == []


def test_a_read_of_waiting_deliveries_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead endpoint's backlog is unbounded; the function's time and memory are not."""
    for nth in range(12):
        world.deliveries.create(fresh("ep_1", f"evt_{nth:02}", NOW + nth))
    monkeypatch.setattr("examhook.storage.deliveries.MAX_COUNTED", 5)
    read: list[int] = []
    client = world.deliveries._client  # noqa: SLF001 - what it asks is looked at
    client.meta.events.register("after-call.dynamodb.Query", lambda parsed, **_: read.append(parsed["ScannedCount"]))
    assert world.deliveries.backlog_summary("ep_1") == BacklogSummary(5, NOW + REQUEUE_AFTER_S)
    assert sum(read) == 5 + 1
    read.clear()
    assert len(world.deliveries.due("ep_1", NOW + 10_000, 1)) == 1
    assert sum(read) == 1
