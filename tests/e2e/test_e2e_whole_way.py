"""The deployed stack with its roles enforced, from the provider to webhooks and SNS."""

from __future__ import annotations

import json
import stat
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from examhook_cli.demo.subscriber import QueueSubscriber, subscribe_queue
from examhook_cli.listener.server import running_listener
from examhook_simulator.facts import AttemptRef
from tests.support.emulator.local_installation import (
    ANY_SECRET,
    ARRIVAL_TIMEOUT_S,
    LocalInstallation,
    about_exam,
    all_about_exam,
)

pytestmark = pytest.mark.e2e

MAX_PACKAGE_BYTES = 5_000_000
"""What the functions' package may weigh unpacked, boto3 not counted: the runtime brings that."""


def begin(installation: LocalInstallation, attempts: int = 1, name: str | None = None) -> tuple[str, list[AttemptRef]]:
    """A new exam with running attempts that the stack has seen; the receivers accept everything."""
    world = installation.simulator.world
    for listener in installation.listeners:
        listener.answer_with(204)
    exam_id = world.create_exam()
    refs = [world.start(exam_id, name=name) for _ in range(attempts)]
    world.advance(5)
    installation.poll()
    # That the exam is open is an event too: it must not come into the middle of what the test does with the receivers.
    for listener in installation.listeners:
        installation.wait_until(listener, lambda received: bool(all_about_exam(received, exam_id)), ARRIVAL_TIMEOUT_S)
    world.advance(60)
    return exam_id, refs


def wait_for(
    installation: LocalInstallation, receiver: int, exam_id: str, count: int, timeout_s: float = ARRIVAL_TIMEOUT_S
) -> list[dict[str, Any]]:
    """At least ``count`` events about an exam that a receiver accepted; fails with the end of the log."""
    listener = installation.listeners[receiver]
    installation.wait_until(listener, lambda received: len(about_exam(received, exam_id)) >= count, timeout_s)
    return about_exam(listener.received, exam_id)


def subscriber(installation: LocalInstallation, topic: str, types: list[str] | None = None) -> QueueSubscriber:
    """A separate queue that subscribes to one of the stack's topics."""
    policy = {"type": types} if types else None
    name = f"subscriber-{uuid4().hex[:8]}"
    return subscribe_queue(installation.session, installation.outputs[topic], name, policy)


def stored(installation: LocalInstallation) -> tuple[object, ...]:
    """The stored submissions, and the ids of events and deliveries; one event may still be in transit."""
    dynamodb = installation.session.client("dynamodb")
    submissions, events, deliveries = (
        dynamodb.scan(TableName=installation.outputs[f"{name}TableName"])["Items"]
        for name in ("Submissions", "Events", "Deliveries")
    )
    return (
        sorted(submissions, key=str),
        {event["event_id"]["S"] for event in events},
        {(delivery["endpoint_id"]["S"], delivery["event_id"]["S"]) for delivery in deliveries},
    )


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", installation.url)


def test_up_writes_the_files_that_scripts_need(installation: LocalInstallation) -> None:
    shell = installation.shell
    assert shell["AWS_ENDPOINT_URL"] == installation.url
    assert {"AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "EXAMHOOK_STACK"} <= shell.keys()
    written = installation.written
    assert written.keys() == {"outputs", "endpoints"}
    endpoints = written["endpoints"]
    assert isinstance(endpoints, list)
    assert {endpoint["url"] for endpoint in endpoints} == {listener.url for listener in installation.listeners}
    assert all(endpoint.keys() == {"id", "url", "secret"} for endpoint in endpoints)
    assert stat.S_IMODE((installation.state / "stack.json").stat().st_mode) == 0o600


def test_attempts_that_ended_before_the_first_poll_are_not_announced(installation: LocalInstallation) -> None:
    first_exam_id = min(row.exam_id for row in installation.simulator.world.truth())
    installation.poll()
    assert all(about_exam(listener.received, first_exam_id) == [] for listener in installation.listeners)


def test_every_kind_of_end_reaches_every_receiver_once_and_signed(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    exam_id, (submitted, timed_out, forced, by_system) = begin(installation, 4)
    world.submit(submitted)
    world.time_out(timed_out)
    world.force(forced)
    world.system_submit(by_system)
    world.advance(5)
    installation.poll()
    installation.poll()
    received = [wait_for(installation, nth, exam_id, 4) for nth in (0, 1)]
    wanted = {
        submitted.candidate_id: "submission.submitted",
        timed_out.candidate_id: "submission.timed_out",
        forced.candidate_id: "submission.forced",
        by_system.candidate_id: "submission.system_submitted",
    }
    for events in received:
        assert Counter((event["data"]["candidate"]["id"], event["type"]) for event in events) == Counter(wanted.items())
    ids = {event["id"] for event in received[0]}
    assert ids == {event["id"] for event in received[1]}
    came = [one for listener in installation.listeners for one in listener.received]
    assert not [one.problem for one in came if one.problem and json.loads(one.body)["id"] in ids]


def test_a_queue_gets_the_events_of_its_filter_with_the_same_bytes(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    queue = subscriber(installation, "SubmissionsTopicArn", ["submission.forced"])
    exam_id, (forced, submitted) = begin(installation, 2)
    world.force(forced)
    world.submit(submitted)
    world.advance(5)
    installation.poll()
    wait_for(installation, 0, exam_id, 2)
    queue.drain(1, ARRIVAL_TIMEOUT_S)
    bodies = [one.body for one in installation.listeners[0].received]
    assert [json.loads(body)["data"]["candidate"]["id"] for body in queue.bodies] == [forced.candidate_id]
    assert queue.bodies[0] in bodies


def test_an_event_bus_rule_gets_the_events_of_its_pattern_with_the_same_facts(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    events, sqs = installation.session.client("events"), installation.session.client("sqs")
    name = f"rule-{uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    exam_id, (forced, submitted) = begin(installation, 2)
    about = {"data": {"exam": {"id": [exam_id]}}}
    pattern = {"source": ["examhook"], "detail-type": ["submission.forced"], "detail": about}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    world.force(forced)
    world.submit(submitted)
    world.advance(5)
    installation.poll()
    by_webhook = {event["type"]: event for event in wait_for(installation, 0, exam_id, 2)}
    queue = QueueSubscriber(sqs, url)
    queue.drain(1, ARRIVAL_TIMEOUT_S)
    assert [json.loads(body)["detail"] for body in queue.bodies] == [by_webhook["submission.forced"]]


def test_a_failing_receiver_gets_the_event_later_and_delays_no_other(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    steady, shaky = installation.listeners
    exam_id, (ref,) = begin(installation)
    came_before = len(shaky.received)
    shaky.answer_with(500, next_requests=1)
    world.submit(ref)
    world.advance(5)
    installation.poll()
    (event,) = wait_for(installation, 0, exam_id, 1)
    (again,) = wait_for(installation, 1, exam_id, 1)
    assert again["id"] == event["id"]
    attempts = [one for one in shaky.received[came_before:] if json.loads(one.body)["id"] == event["id"]]
    assert [one.answered for one in attempts] == [500, 204]
    assert attempts[0].body == attempts[1].body
    assert len(about_exam(steady.received, exam_id)) == 1


def test_deliveries_that_waited_are_sent_as_soon_as_one_succeeds(installation: LocalInstallation) -> None:
    """While the receiver is down, one attempt per minute probes it; a success sends the others."""
    world = installation.simulator.world
    shaky = installation.listeners[1]
    exam_id, refs = begin(installation, 3)
    came_before = len(shaky.received)
    shaky.answer_with(500)
    for ref in refs:
        world.submit(ref)
    world.advance(5)
    installation.poll()
    # Three failures in a row make it down; the fourth attempt is the one that looks.
    assert shaky.wait_until(lambda received: len(received) >= came_before + 4, ARRIVAL_TIMEOUT_S)
    shaky.answer_with(204)
    events = wait_for(installation, 1, exam_id, 3, timeout_s=3 * ARRIVAL_TIMEOUT_S)
    assert sorted(str(event["data"]["candidate"]["id"]) for event in events) == sorted(r.candidate_id for r in refs)


def test_a_wrong_code_is_reported_once_and_changes_nothing(installation: LocalInstallation) -> None:
    secrets = installation.session.client("secretsmanager")
    secret = installation.outputs["AccountCodeSecretArn"]
    queue = subscriber(installation, "OperationsTopicArn")
    before = stored(installation)
    secrets.put_secret_value(SecretId=secret, SecretString="not-the-code")
    try:
        done = installation.examhook("poll", "--json")
    finally:
        secrets.put_secret_value(SecretId=secret, SecretString=installation.simulator.code)
    assert done.exit_code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert "not-the-code" not in done.out + done.err
    # Polls by schedule, if a test turned them on just before, end with their tick: only these came with the wrong code.
    assert 1 <= sum(request.refused for request in installation.simulator.control.requests()) <= 2
    assert stored(installation) == before
    queue.drain(1, ARRIVAL_TIMEOUT_S)
    assert [json.loads(body)["type"] for body in queue.bodies] == ["provider.refused"]
    assert installation.poll()["errors"] == []


def test_no_permission_is_missing_and_no_log_contains_a_code_a_link_or_a_name(installation: LocalInstallation) -> None:
    exam_id, (ref,) = begin(installation, name="Zebediah Quillfeather")
    installation.simulator.world.submit(ref)
    installation.simulator.world.advance(5)
    installation.poll()
    wait_for(installation, 0, exam_id, 1)
    done = installation.local("logs")
    assert done.exit_code == 0, done.err
    assert all(function in done.out for function in ("poll", "dispatch", "deliver", "retry"))
    assert "AccessDenied" not in done.out
    assert "AuthorizationError" not in done.out
    for kept_back in (installation.simulator.code, "viewresult", "Quillfeather", "whsec_"):
        assert kept_back not in done.out


def test_the_command_line_shows_the_announced_events(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    exam_id, (ref,) = begin(installation)
    world.submit(ref)
    world.advance(5)
    installation.poll()
    (event,) = wait_for(installation, 0, exam_id, 1)
    shown = installation.examhook("events", "show", str(event["id"]), "--json").json()
    assert isinstance(shown, dict)
    assert event["id"] in json.dumps(shown)


def test_an_endpoint_can_be_added_tested_and_removed(installation: LocalInstallation) -> None:
    with running_listener([ANY_SECRET]) as listener:
        added = installation.examhook("endpoints", "add", listener.url, "--json")
        assert added.exit_code == 0, added.err
        listed = installation.examhook("endpoints", "list", "--json").json()
        assert isinstance(listed, list)
        endpoint_id = next(one["id"] for one in listed if one["url"] == listener.url)
        # The receiver does not know this endpoint's secret yet: it answers 401, and the command says so.
        tried = installation.examhook("endpoints", "test", endpoint_id)
        assert tried.exit_code == 1
        assert "401" in tried.out + tried.err
        assert installation.examhook("endpoints", "remove", endpoint_id, "--yes").exit_code == 0
        left = installation.examhook("endpoints", "list", "--json").json()
    assert isinstance(left, list)
    assert endpoint_id not in {one["id"] for one in left}


def test_the_package_of_the_functions_stays_small(installation: LocalInstallation) -> None:
    package = installation.state / "build" / "PollFunction"
    weight = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    assert 0 < weight <= MAX_PACKAGE_BYTES
    assert not (package / "boto3").exists()
    assert not (package / "examhook_cli").exists()


def test_a_second_up_deploys_again_keeps_the_state_and_polls_by_schedule(installation: LocalInstallation) -> None:
    world = installation.simulator.world
    known = installation.session.client("dynamodb").scan(TableName=installation.outputs["SubmissionsTableName"])
    endpoints = installation.written["endpoints"]
    try:
        done = installation.up("--poll-seconds", "10")
        assert done.exit_code == 0, done.err
        assert "is updated" in done.out
        assert installation.written["endpoints"] == endpoints
        exam_id = world.create_exam()
        for count in (1, 2, 3):
            world.submit(world.start(exam_id))
            world.advance(5)
            # The schedule ticks once a minute, and messages start the polls in between.
            events = wait_for(installation, 0, exam_id, count, timeout_s=120 + ARRIVAL_TIMEOUT_S)
        assert [event["type"] for event in events] == ["submission.submitted"] * 3
        functions = installation.session.client("lambda", endpoint_url=installation.url)
        sources = functions.list_event_source_mappings(FunctionName=installation.outputs["PollFunctionName"])
        assert [each["LastProcessingResult"] for each in sources["EventSourceMappings"]] == ["OK - 1 records"]
    finally:
        assert installation.up().exit_code == 0
    now = installation.session.client("dynamodb").scan(TableName=installation.outputs["SubmissionsTableName"])
    assert now["Count"] > known["Count"] > 0
