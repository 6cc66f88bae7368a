"""Exams that open and close in the deployed stack, with its own rights enforced, and receipts for who asks for them."""

from __future__ import annotations

import pytest

from examhook_cli.demo.subscriber import subscribe_queue
from examhook_cli.listener.server import running_listener
from tests.support.emulator.local_installation import ANY_SECRET, ARRIVAL_TIMEOUT_S, LocalInstallation, all_about_exam

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", installation.url)


def kept(installation: LocalInstallation, exam_id: str) -> list[str]:
    """Types of all events about an exam itself that there ever were."""
    items = installation.session.client("dynamodb").scan(TableName=installation.outputs["EventsTableName"])["Items"]
    types = [item["event_type"]["S"] for item in items if item.get("exam_id", {}).get("S") == exam_id]
    return sorted(each for each in types if each.startswith("exam."))


def test_an_exam_opens_closes_and_is_verified(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    queue = subscribe_queue(
        installation.session,
        installation.outputs["SubmissionsTopicArn"],
        "exams",
        {"type": ["exam.opened", "exam.closed", "exam.verified"]},
    )
    with running_listener([ANY_SECRET]) as listener:
        added = installation.examhook("endpoints", "add", listener.url, "--types", "exam.*", "--json").json()
        assert isinstance(added, dict)
        listener.trust([added["secret"]])
        exam_id = world.create_exam("Anatomy II")

        def types(count: int) -> list[object]:
            """Types of the events about the exam, after waiting for ``count`` of them."""
            listener.wait_until(lambda received: len(all_about_exam(received, exam_id)) >= count, ARRIVAL_TIMEOUT_S)
            # Events of one exam may overtake one another on their way: their sequence tells.
            events = sorted(all_about_exam(listener.received, exam_id), key=lambda event: int(str(event["revision"])))
            return [event["type"] for event in events]

        try:
            installation.poll()
            # An exam is read whole when it is new, and when it has closed.
            assert types(2) == ["exam.opened", "exam.verified"]
            world.submit(world.start(exam_id), 50)
            world.close_exam(exam_id)
            world.advance(60)
            installation.poll()
            assert types(4) == ["exam.opened", "exam.verified", "exam.closed", "exam.verified"]
            installation.poll()
        finally:
            installation.examhook("endpoints", "remove", added["id"], "--yes")
        events = sorted(all_about_exam(listener.received, exam_id), key=lambda event: int(str(event["revision"])))
        ids = [event["id"] for event in events]
        assert [event.get("previousid") for event in events] == [None, None, ids[0], ids[1]]
        found = events[-1]["data"]["verification"]
        assert (found["attempts"], found["statuses"]["submitted"]) == (1, 1)
        assert not [one.problem for one in listener.received if one.problem]
        queue.drain(4, ARRIVAL_TIMEOUT_S)
        assert {one.body for one in listener.received if exam_id.encode() in one.body} <= set(queue.bodies)
    steady = installation.listeners[0]
    steady.wait_until(lambda received: len(all_about_exam(received, exam_id)) >= 3, ARRIVAL_TIMEOUT_S)
    by_default = sorted(str(event["type"]) for event in all_about_exam(steady.received, exam_id))
    assert by_default == ["exam.closed", "exam.opened", "submission.submitted"]
    assert kept(installation, exam_id) == ["exam.closed", "exam.opened", "exam.verified", "exam.verified"]
    shown = installation.examhook("events", "show", str(events[-1]["id"]), "--json").json()
    assert found["digest"] in str(shown)


def test_receipts_stop_when_nobody_asks_for_them_any_more(installation: LocalInstallation) -> None:
    exam_id = installation.simulator.world.create_exam()
    installation.poll()
    done = installation.examhook("poll", "--full", "--json")
    assert done.exit_code == 0, done.err
    steady = installation.listeners[0]
    assert steady.wait_until(lambda received: bool(all_about_exam(received, exam_id)), ARRIVAL_TIMEOUT_S)
    assert kept(installation, exam_id) == ["exam.opened"]
