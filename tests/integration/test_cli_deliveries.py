"""``examhook deliveries``: where each delivery stands, and what came of each attempt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examhook.destinations.delivery_queue import DeliveryMessage
from examhook_cli.listener.server import running_listener
from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, installed_stack


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    with installed_stack(monkeypatch) as stack:
        yield stack


@pytest.fixture
def refused(stack: InstalledStack) -> DeliveryMessage:
    """A delivery whose first attempt was answered with 401."""
    with running_listener([]) as listener:
        endpoint, _ = stack.world.endpoint(listener.url)
        message = stack.world.delivery(endpoint)
        stack.world.deliver(message)
    return message


def listed(*args: str) -> list[tuple[str, str]]:
    found = examhook("deliveries", "list", "--json", *args).json()
    assert isinstance(found, list)
    return [(each["event_id"], each["status"]) for each in found]


def test_the_listing_filters_by_endpoint_and_status(stack: InstalledStack, refused: DeliveryMessage) -> None:
    other, _ = stack.world.endpoint("https://receiver.example.org/")
    pending = stack.world.delivery(other, 2)
    both = {(refused.event_id, "waiting"), (pending.event_id, "pending")}
    assert set(listed()) == both
    assert listed("--status", "waiting") == [(refused.event_id, "waiting")]
    assert listed("--endpoint", other.endpoint_id) == [(pending.event_id, "pending")]
    assert len(listed("--limit", "1")) == 1


def test_one_delivery_is_shown_with_its_attempts(stack: InstalledStack, refused: DeliveryMessage) -> None:
    shown = examhook("deliveries", "show", refused.endpoint_id, refused.event_id, "--json").json()
    assert isinstance(shown, dict)
    (record,) = shown["attempt_log"]
    assert (shown["status"], shown["attempts"]) == ("waiting", 1)
    assert (record["attempt"], record["outcome"], record["http_status"]) == (1, "answered", 401)
    assert record["next_attempt_at"] == shown["next_attempt_at"] is not None
    assert stack.world.stored(refused).attempt_log[0].reason == record["reason"]


def test_a_pending_delivery_has_no_next_attempt_to_wait_for(stack: InstalledStack) -> None:
    endpoint, _ = stack.world.endpoint("https://receiver.example.org/")
    pending = stack.world.delivery(endpoint)
    shown = examhook("deliveries", "show", pending.endpoint_id, pending.event_id, "--json").json()
    assert isinstance(shown, dict)
    assert shown["next_attempt_at"] is None


@pytest.mark.usefixtures("stack")
def test_people_get_facts_and_attempts_in_lines(refused: DeliveryMessage) -> None:
    out = examhook("deliveries", "show", refused.endpoint_id, refused.event_id).out
    assert "status\twaiting\n" in out
    assert "ATTEMPT\tAT\tSTATUS\tDURATION MS\tRESULT\tRESPONSE\n1\t" in out
    assert "\twaiting\t1\t" in examhook("deliveries", "list").out


@pytest.mark.usefixtures("stack")
def test_a_delivery_that_is_not_there_is_named() -> None:
    finished = examhook("deliveries", "show", "ep_1", "evt_1")
    assert (finished.exit_code, finished.out) == (1, "")
    assert finished.err.startswith("Event evt_1 has no delivery to ep_1")


@pytest.mark.usefixtures("stack")
def test_a_status_that_is_none_is_wrong_usage() -> None:
    assert examhook("deliveries", "list", "--status", "lost").exit_code == 2
