"""Delivery in the deployed stack with its roles enforced: redrive, replay, rotation, privacy, a dead endpoint."""

from __future__ import annotations

import json
import time

import pytest

from examhook.storage.submissions import attempts_partition, item_from_submission, sort_key
from examhook_cli.demo.subscriber import subscribe_queue
from examhook_cli.listener.server import Listener, running_listener
from tests.support.emulator.local_installation import ANY_SECRET, ARRIVAL_TIMEOUT_S, LocalInstallation, about_exam
from tests.support.events.model_values import attempt, submission, transition

pytestmark = pytest.mark.e2e

REDRIVE_TIMEOUT_S = 3 * ARRIVAL_TIMEOUT_S
"""The failure queue's messages are gathered for up to a minute."""


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", installation.url)


def lost(installation: LocalInstallation, exam_id: str) -> str:
    """Store a submission whose event the stream did not bring to Dispatch; return the event's id."""
    # The machine's own time: how long events are kept counts by it, whatever time the simulated provider plays.
    at = int(time.time())
    event_id = f"evt_{int(exam_id):032x}"
    one = submission(
        exam_id=exam_id,
        attempt=attempt(started_at=at - 600, ended_at=at),
        observed_at=at,
        transitions=(transition(event_id=event_id, occurred_at=at, observed_at=at, ended_at=at),),
    )
    installation.session.client("dynamodb").put_item(
        TableName=installation.outputs["SubmissionsTableName"],
        Item={
            "pk": {"S": attempts_partition(one.account, exam_id)},
            "sk": {"S": sort_key(one.key)},
            **item_from_submission(one),
            # The event source lets through only what says true here.
            "announce": {"BOOL": False},
        },
    )
    return event_id


def ids_about(listener: Listener, exam_id: str) -> list[object]:
    return [event["id"] for event in about_exam(listener.received, exam_id)]


def test_events_that_the_stream_gave_up_on_are_redriven_once_automatically(installation: LocalInstallation) -> None:
    event_id = lost(installation, "990001")
    installation.session.client("sqs").send_message(
        QueueUrl=installation.outputs["DispatchFailureQueueUrl"], MessageBody='{"DDBStreamBatchInfo":{}}'
    )
    for listener in installation.listeners:
        installation.wait_until(listener, lambda received: bool(about_exam(received, "990001")), REDRIVE_TIMEOUT_S)
    done = installation.examhook("events", "redrive", "--since", "1d", "--json").json()
    assert isinstance(done, dict)
    assert (done["missing"], done["failed"], done["unreadable"]) == (0, 0, 0)
    assert [ids_about(listener, "990001") for listener in installation.listeners] == [[event_id]] * 2


def test_a_command_redrives_missing_events(installation: LocalInstallation) -> None:
    event_id = lost(installation, "990002")
    found = installation.examhook("events", "redrive", "--since", "1d", "--dry-run", "--json").json()
    assert isinstance(found, dict)
    assert (found["missing"], found["dispatched"]) == (1, 0)
    done = installation.examhook("events", "redrive", "--since", "1d")
    assert (done.exit_code, "1 event missing, 1 sent" in done.out) == (0, True), done.err
    steady = installation.listeners[0]
    assert steady.wait_until(lambda received: bool(about_exam(received, "990002")), ARRIVAL_TIMEOUT_S)
    assert ids_about(steady, "990002") == [event_id]


def test_a_replay_to_an_added_endpoint_uses_pseudonyms_and_both_secrets(
    installation: LocalInstallation,
) -> None:
    event_id = lost(installation, "990003")
    assert installation.examhook("events", "redrive", "--since", "1d").exit_code == 0
    with running_listener([ANY_SECRET]) as listener:
        added = installation.examhook(
            *("endpoints", "add", listener.url, "--privacy", "pseudonymous", "--header", "X-Key: k", "--json")
        ).json()
        assert isinstance(added, dict)
        # Signed by the old secret too, so one who knows only that one still accepts.
        listener.trust([added["secret"]])
        assert installation.examhook("endpoints", "rotate-secret", added["id"]).exit_code == 0
        done = installation.examhook("events", "replay", event_id, "--endpoint", added["id"], "--json").json()
        assert isinstance(done, dict)
        assert done["queued"] == 1
        assert listener.wait_until(lambda received: bool(about_exam(received, "990003")), ARRIVAL_TIMEOUT_S)
        (event,) = about_exam(listener.received, "990003")
        assert json.dumps(event).count("19382") == 0
        assert event["data"]["candidate"]["name"] is None
        assert not [one.problem for one in listener.received if one.problem]
        installation.examhook("endpoints", "remove", added["id"], "--yes")


def test_a_410_disables_the_endpoint_and_notifies_the_operators(installation: LocalInstallation) -> None:
    event_id = lost(installation, "990004")
    assert installation.examhook("events", "redrive", "--since", "1d").exit_code == 0
    queue = subscribe_queue(
        installation.session,
        installation.outputs["OperationsTopicArn"],
        "operators-of-delivery",
        {"type": ["endpoint.disabled"]},
    )
    with running_listener([ANY_SECRET]) as listener:
        listener.answer_with(410)
        added = installation.examhook("endpoints", "add", listener.url, "--json").json()
        assert isinstance(added, dict)
        listener.trust([added["secret"]])
        installation.examhook("events", "replay", event_id, "--endpoint", added["id"])
        assert listener.wait_until(bool, ARRIVAL_TIMEOUT_S)
        # Retry's tick, each minute, tells what Deliver wrote down.
        queue.drain(1, 2 * ARRIVAL_TIMEOUT_S)
        (notice,) = [json.loads(body) for body in queue.bodies]
        assert notice["data"]["details"]["endpoint_id"] == added["id"]
        shown = installation.examhook("endpoints", "show", added["id"], "--json").json()
        assert isinstance(shown, dict)
        assert (shown["status"], "410" in shown["disabled_reason"]) == ("disabled", True)
        installation.examhook("endpoints", "remove", added["id"], "--yes")
