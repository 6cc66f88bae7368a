"""Erasing a candidate from the deployed stack leaves nothing, sends nothing, and nothing returns."""

from __future__ import annotations

import json

import pytest

from examhook_cli.listener.server import running_listener
from tests.support.emulator.local_installation import ANY_SECRET, ARRIVAL_TIMEOUT_S, LocalInstallation, about_exam

pytestmark = pytest.mark.e2e

NAME = "Ottilie Fenwhistle"
"""Nobody else in the shared stack has it."""


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", installation.url)


def everything(installation: LocalInstallation) -> str:
    """The content of all tables, as text."""
    dynamodb = installation.session.client("dynamodb")
    tables = [installation.outputs[f"{name}TableName"] for name in ("Submissions", "Exams", "Events", "Deliveries")]
    pages = [page for table in tables for page in dynamodb.get_paginator("scan").paginate(TableName=table)]
    return json.dumps([page["Items"] for page in pages], default=repr)


def test_an_erased_candidate_is_gone_and_is_not_announced_again(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    with running_listener([ANY_SECRET]) as receiver:
        added = installation.examhook("endpoints", "add", receiver.url, "--types", "submission.*", "--json").json()
        assert isinstance(added, dict)
        receiver.trust([added["secret"]])
        receiver.answer_with(500)
        exam_id = world.create_exam()
        gone, stays = world.start(exam_id, name=NAME), world.start(exam_id)
        world.submit(gone)
        world.submit(stays)
        world.advance(5)
        installation.poll()
        # Two attempts of each event; the next are minutes away, so both wait.
        assert receiver.wait_until(lambda received: len(received) >= 4, ARRIVAL_TIMEOUT_S)
        assert NAME in everything(installation)

        done = installation.examhook("erase", "--candidate", gone.candidate_id, "--yes", "--json")
        assert done.exit_code == 0, done.err
        counts = done.json()
        assert isinstance(counts, dict)
        assert (counts["submissions"], counts["events"], counts["waiting_deliveries"]) == (1, 1, 1)
        left = everything(installation)
        assert NAME not in left
        assert f'"{gone.candidate_id}"' not in left
        assert f"#{gone.candidate_id}" not in left

        came_before = len(receiver.received)
        receiver.answer_with(204)
        others = next(
            event["id"]
            for event in (json.loads(one.body) for one in receiver.received)
            if event["data"]["candidate"]["id"] == stays.candidate_id
        )
        # Named, so that it is tried although the endpoint counts as down.
        assert installation.examhook("deliveries", "retry", added["id"], others).exit_code == 0
        assert receiver.wait_until(lambda received: bool(about_exam(received, exam_id)), ARRIVAL_TIMEOUT_S)
        done = installation.examhook("poll", "--full", "--json")
        assert done.exit_code == 0, done.err + done.out
        came = [json.loads(one.body) for one in receiver.received[came_before:]]
        assert installation.examhook("endpoints", "remove", added["id"], "--yes").exit_code == 0
    assert {event["data"]["candidate"]["id"] for event in came} == {stays.candidate_id}
    assert NAME not in everything(installation)
    shown = [row for row in world.truth(exam_id) if row.candidate_id == gone.candidate_id]
    assert shown, "the provider showed the candidate all the while"
