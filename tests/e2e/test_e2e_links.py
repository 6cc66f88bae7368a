"""A result link that expired before its event arrived is renewed by the next poll of the deployed stack."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from examhook.workflows.delivering.deliver import LINK_CHECK_S
from examhook_cli.listener.server import running_listener
from tests.support.emulator.local_installation import ANY_SECRET, ARRIVAL_TIMEOUT_S, LocalInstallation

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", installation.url)


def half_an_hour_passes(installation: LocalInstallation, event_id: str) -> dict[str, Any]:
    """Make the stored event's link expire; return the stored event."""
    dynamodb, table = installation.session.client("dynamodb"), installation.outputs["EventsTableName"]
    stored = dynamodb.get_item(TableName=table, Key={"event_id": {"S": event_id}})["Item"]
    event: dict[str, Any] = json.loads(stored["body"]["S"])
    event["data"]["submission"]["result"]["expires_at"] = "2026-01-01T00:00:00Z"
    dynamodb.update_item(
        TableName=table,
        Key={"event_id": {"S": event_id}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": json.dumps(event, ensure_ascii=False, separators=(",", ":"))}},
    )
    return event


def test_a_late_delivery_carries_a_link_that_the_next_poll_fetched(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    with running_listener([ANY_SECRET]) as receiver:
        added = installation.examhook("endpoints", "add", receiver.url, "--types", "submission.*", "--json").json()
        assert isinstance(added, dict)
        receiver.trust([added["secret"]])
        receiver.answer_with(500)
        exam_id = world.create_exam()
        ref = world.start(exam_id)
        world.submit(ref)
        world.advance(5)
        installation.poll()
        # The next attempt after these two is minutes away.
        assert receiver.wait_until(lambda received: len(received) >= 2, ARRIVAL_TIMEOUT_S)
        event_id = json.loads(receiver.received[0].body)["id"]
        stored = half_an_hour_passes(installation, event_id)
        asked_before = len(world_requests(installation))
        receiver.answer_with(204)
        done = installation.examhook("deliveries", "retry", added["id"], event_id)
        assert done.exit_code == 0, done.err
        poll_until_it_brings_a_link(installation, event_id)
        arrival_s = LINK_CHECK_S[1] + ARRIVAL_TIMEOUT_S
        assert receiver.wait_until(lambda received: any(one.answered == 204 for one in received), arrival_s)
        arrived = next(one for one in receiver.received if one.answered == 204)
        assert installation.examhook("endpoints", "remove", added["id"], "--yes").exit_code == 0
    assert arrived.problem is None, "its signature is right"
    told = json.loads(arrived.body)
    link = told["data"]["submission"]["result"]
    assert link["expires_at"] > stored["time"]
    assert requests.get(link["url"], timeout=10).status_code == 200
    told["data"]["submission"]["result"] = stored["data"]["submission"]["result"]
    assert told == stored
    asked = world_requests(installation)[asked_before:]
    assert [params["sid"] for params in asked if "sid" in params] == [ref.candidate_id]


def poll_until_it_brings_a_link(installation: LocalInstallation, event_id: str) -> None:
    """Poll until Deliver has requested a link and a poll has stored it."""
    dynamodb, table = installation.session.client("dynamodb"), installation.outputs["EventsTableName"]
    give_up_at = time.monotonic() + ARRIVAL_TIMEOUT_S
    while time.monotonic() < give_up_at:
        installation.poll()
        if "link_url" in dynamodb.get_item(TableName=table, Key={"event_id": {"S": event_id}})["Item"]:
            return
    pytest.fail("no poll brought a link")


def world_requests(installation: LocalInstallation) -> list[dict[str, str]]:
    return [record.params for record in installation.simulator.api.requests()]
