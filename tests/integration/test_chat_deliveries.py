"""Deliver to chats on real sockets: signed as any webhook, judged by what each chat answers, chosen by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import standardwebhooks

from examhook.delivery.endpoint import BodyFormat, Endpoint, EndpointStatus
from examhook.delivery.record import DeliveryStatus
from examhook.events.catalogue import OperationsEventType
from examhook.workflows.administration.endpoint_changes import EndpointChanges, update_endpoint
from examhook.workflows.administration.endpoints import add_endpoint
from tests.support.cli.command_line import examhook
from tests.support.cli.installed_stack import InstalledStack, deliver_while_it_waits, installed_stack
from tests.support.delivery.delivery_stack import World
from tests.support.delivery.scripted_server import answer, scripted_server

CHATS = [BodyFormat.SLACK, BodyFormat.TEAMS, BodyFormat.DISCORD]
SLACK_URL = "https://hooks.slack.com/services/x"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstalledStack]:
    with installed_stack(monkeypatch) as stack:
        stack.allow_local_receivers()
        yield stack


@pytest.fixture
def world(stack: InstalledStack) -> World:
    return stack.world


def chat(world: World, url: str, body_format: BodyFormat) -> tuple[Endpoint, str]:
    changes = EndpointChanges(body_format=body_format)
    return add_endpoint(
        url, world.endpoints, world.key, world.clock.now, changes=changes, allow_http=True, allow_private=True
    )


def document(*args: str) -> dict[str, Any]:
    finished = examhook("endpoints", *args, "--json")
    assert finished.exit_code == 0, finished.err
    printed = finished.json()
    assert isinstance(printed, dict)
    return printed


@pytest.mark.parametrize("body_format", CHATS)
def test_a_chat_gets_a_message_and_the_signature_of_its_bytes(world: World, body_format: BodyFormat) -> None:
    with scripted_server(answer("ok")) as receiver:
        endpoint, secret = chat(world, receiver.url, body_format)
        message = world.delivery(endpoint)
        world.deliver(message)
    (request,) = receiver.requests
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == message.event_id
    assert "Mei Chen submitted" in json.dumps(json.loads(request.body), ensure_ascii=False).replace("\\\\", "")
    standardwebhooks.Webhook(secret).verify(request.body, request.headers)
    assert world.stored(message).status is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("body_format", CHATS)
def test_a_repeat_is_the_same_message_and_a_change_of_format_applies_to_what_waits(
    world: World, body_format: BodyFormat
) -> None:
    with scripted_server(answer("", "500 Oops"), answer("", "500 Oops"), answer()) as receiver:
        endpoint, _ = chat(world, receiver.url, body_format)
        message = first = world.delivery(endpoint)
        for number in range(3):
            if number == 2:
                changes = EndpointChanges(body_format=BodyFormat.CLOUDEVENTS)
                update_endpoint(endpoint, changes, world.endpoints, world.key)
            world.deliver(message)
            message = type(message)(message.endpoint_id, message.event_id, message.attempt + 1)
    bodies = [request.body for request in receiver.requests]
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[2])["id"] == first.event_id


def test_a_webhook_that_slack_no_longer_has_is_disabled_the_event_kept_and_the_operators_told(world: World) -> None:
    with scripted_server(answer("no_service", "404 Not Found")) as receiver:
        endpoint, _ = chat(world, receiver.url, BodyFormat.SLACK)
        message = world.delivery(endpoint)
        world.deliver(message)
    known = world.known(endpoint)
    assert known.status is EndpointStatus.DISABLED
    assert world.stored(message).status is DeliveryStatus.WAITING
    world.retry()
    (notice,) = world.operators.notices
    assert notice.event_type == OperationsEventType.ENDPOINT_DISABLED
    assert "Slack no longer has this webhook" in notice.body.decode()


def test_discord_is_left_alone_for_as_long_as_it_asks(world: World) -> None:
    limited = answer('{"message": "You are being rate limited.", "retry_after": 64.57}', "429 Too Many Requests")
    with scripted_server(limited) as receiver:
        endpoint, _ = chat(world, receiver.url, BodyFormat.DISCORD)
        message = world.delivery(endpoint)
        world.deliver(message)
    stored = world.stored(message)
    assert (stored.not_before, stored.next_attempt_at) == (world.clock.at + 65, world.clock.at + 65)


@pytest.mark.parametrize("body_format", [each.value for each in BodyFormat])
def test_a_format_is_chosen_shown_and_changed_by_command(stack: InstalledStack, body_format: str) -> None:
    added = document("add", "https://chat.example.org/hook", "--format", body_format)
    assert added["format"] == body_format
    assert document("show", added["id"])["format"] == body_format
    assert body_format in examhook("endpoints", "show", added["id"]).out
    assert body_format in examhook("endpoints", "list").out
    assert document("update", added["id"], "--format", "teams")["format"] == "teams"
    assert stack.world.endpoints.list_all()[0].body_format is BodyFormat.TEAMS
    assert document("update", added["id"], "--description", "x")["format"] == "teams"


@pytest.mark.usefixtures("stack")
def test_a_format_that_does_not_exist_is_wrong_usage() -> None:
    assert examhook("endpoints", "add", SLACK_URL, "--format", "irc").exit_code == 2


@pytest.mark.parametrize(
    ("url", "body_format"),
    [
        (SLACK_URL, "slack"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://x.1.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/1", "teams"),
    ],
)
@pytest.mark.usefixtures("stack")
def test_a_chats_address_without_its_format_is_pointed_out(url: str, body_format: str) -> None:
    assert f"--format {body_format}" in examhook("endpoints", "add", url).err
    assert "--format" not in examhook("endpoints", "add", url, "--format", body_format).err
    assert "--format" not in examhook("endpoints", "add", "https://notdiscord.com/api/webhooks/1/x").err


@pytest.mark.parametrize("body_format", CHATS)
def test_a_test_of_a_chat_arrives_as_a_message(
    stack: InstalledStack, monkeypatch: pytest.MonkeyPatch, body_format: BodyFormat
) -> None:
    deliver_while_it_waits(monkeypatch, stack.world)
    with scripted_server(answer("", "204 No Content")) as receiver:
        added = document("add", receiver.url, "--format", body_format.value)
        assert document("test", added["id"])["status"] == "delivered"
    (request,) = receiver.requests
    assert b"This is a test of Examhook" in request.body


def test_a_replay_to_a_chat_says_the_same_again(stack: InstalledStack) -> None:
    world = stack.world
    with scripted_server(answer("ok")) as receiver:
        endpoint, _ = chat(world, receiver.url, BodyFormat.SLACK)
        message = world.delivery(endpoint)
        world.deliver(message)
        world.enqueued()
        replayed = examhook("events", "replay", message.event_id)
        assert replayed.exit_code == 0, replayed.err
        delivery = world.stored(message)
        world.deliver(type(message)(message.endpoint_id, message.event_id, delivery.attempts + 1))
    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
