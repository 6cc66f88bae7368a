"""A local stack of its own that loses everything, or is broken on purpose: backfill and doctor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from examhook_cli.local.local_stack import open_endpoints
from examhook_cli.output import time_text
from examhook_cli.stack import Stack
from examhook_simulator.facts import AttemptRef
from tests.support.emulator.deployed_calls import DeployedCalls
from tests.support.emulator.local_installation import (
    ARRIVAL_TIMEOUT_S,
    LocalInstallation,
    about_exam,
    local_installation,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.e2e

TABLES = ("Submissions", "Exams", "Endpoints", "Events", "Deliveries")


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory, watched: list[DeployedCalls]) -> Iterator[LocalInstallation]:
    with local_installation(tmp_path_factory.mktemp("loss") / "state") as found:
        watched.append(DeployedCalls(found))
        yield found
        watched.pop()


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(lost: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", lost.url)


def arrived(installation: LocalInstallation, exam_id: str, count: int, since: int = 0) -> dict[str, str]:
    """The last accepted event id by candidate, after the first ``since`` requests of the first receiver."""
    listener = installation.listeners[0]
    assert listener.wait_until(
        lambda received: len(about_exam(received[since:], exam_id)) >= count, ARRIVAL_TIMEOUT_S
    ), [one.problem for one in listener.received[since:]]
    events = about_exam(listener.received[since:], exam_id)
    return {event["data"]["candidate"]["id"]: event["id"] for event in events}


def empty(dynamodb: DynamoDBClient, table: str) -> None:
    keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: item[name] for name in keys})


def deploy_again(installation: LocalInstallation) -> None:
    """What a deployment does about endpoints; their secrets are new, and receivers are told."""
    session = installation.session
    outputs = installation.outputs
    answer = session.client("lambda").invoke(FunctionName=outputs["RetryFunctionName"], Payload=b'{"trigger":"manual"}')
    assert not answer.get("FunctionError")
    stack = Stack("examhook", outputs, "CREATE_COMPLETE")
    endpoints = open_endpoints(stack, session.client("dynamodb"), session.client("kms"))
    for listener in installation.listeners:
        listener.trust([each.secret for each in endpoints if each.url == listener.url])


def ended(installation: LocalInstallation, attempts: int) -> tuple[str, list[AttemptRef]]:
    """A new exam with attempts that a poll saw run and end."""
    world = installation.simulator.world
    exam_id = world.create_exam()
    refs = [world.start(exam_id) for _ in range(attempts)]
    world.advance(5)
    installation.poll()
    world.advance(60)
    for ref in refs:
        world.submit(ref)
    world.advance(5)
    installation.poll()
    return exam_id, refs


def test_after_all_tables_were_emptied_a_backfill_brings_the_same_ids_to_the_webhook(lost: LocalInstallation) -> None:
    began_at = lost.simulator.world.now()
    exam_id, refs = ended(lost, 5)
    before = arrived(lost, exam_id, 5)
    assert before.keys() == {ref.candidate_id for ref in refs}
    dynamodb = lost.session.client("dynamodb")
    for name in TABLES:
        empty(dynamodb, lost.outputs[f"{name}TableName"])
    deploy_again(lost)
    came_before = len(lost.listeners[0].received)
    done = lost.examhook("backfill", "--since", time_text(began_at), "--json")
    assert done.exit_code == 0, done.err
    report = done.json()
    assert isinstance(report, dict)
    # Its first poll announces what ended within the minute by which the clocks may differ.
    assert (report["announced"] + report["known"], report["complete"]) == (5, True)
    assert arrived(lost, exam_id, 5, came_before) == before
    repeated = lost.examhook("backfill", "--since", time_text(began_at), "--json").json()
    assert isinstance(repeated, dict)
    assert (repeated["announced"], repeated["known"]) == (0, 5)
    lost.poll()
    later, _ = ended(lost, 1)
    arrived(lost, later, 1, came_before)
    exams = {
        str(event["data"]["exam"]["id"])
        for one in (exam_id, later)
        for event in about_exam(lost.listeners[0].received[came_before:], one)
    }
    assert exams == {exam_id, later}
    assert len(about_exam(lost.listeners[0].received[came_before:], exam_id)) == 5, "nothing came twice"


def finish_tables(installation: LocalInstallation) -> None:
    """Recovery and expiry as template.yaml has them, which the emulator leaves out when it makes tables."""
    dynamodb = installation.session.client("dynamodb")
    for name in TABLES:
        dynamodb.update_continuous_backups(
            TableName=installation.outputs[f"{name}TableName"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    for name in ("Events", "Deliveries"):
        dynamodb.update_time_to_live(
            TableName=installation.outputs[f"{name}TableName"],
            TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
        )


def findings(installation: LocalInstallation) -> tuple[int, dict[str, list[str]]]:
    """Exit status of the doctor, and its verdicts by what was checked."""
    done = installation.examhook("doctor", "--json")
    printed = done.json()
    assert isinstance(printed, list)
    found: dict[str, list[str]] = {}
    for each in printed:
        found.setdefault(each["check"], []).append(each["verdict"])
    return done.exit_code, found


def test_a_healthy_stack_has_no_problem(lost: LocalInstallation) -> None:
    finish_tables(lost)
    ended(lost, 1)
    exit_code, found = findings(lost)
    assert exit_code == 0, found
    assert {verdict for verdicts in found.values() for verdict in verdicts} <= {"ok", "warning"}, found
    warned = {check for check, verdicts in found.items() if "warning" in verdicts}
    # The tests poll by themselves, and nobody subscribed to the operations topic.
    assert warned <= {"schedule of Poll", "delay of main", "operations topic", "log of Poll"}, found


def test_what_was_broken_on_purpose_is_found(lost: LocalInstallation) -> None:
    functions, sqs = lost.session.client("lambda"), lost.session.client("sqs")
    secrets = lost.session.client("secretsmanager")
    secret = lost.outputs["AccountCodeSecretArn"]
    mappings = functions.list_event_source_mappings(FunctionName=lost.outputs["DispatchFunctionName"])
    (stream,) = (each for each in mappings["EventSourceMappings"] if ":dynamodb:" in each["EventSourceArn"])
    dead_letters = lost.outputs["DeliveryDeadLetterQueueUrl"]
    try:
        functions.update_event_source_mapping(UUID=stream["UUID"], Enabled=False)
        sqs.send_message(QueueUrl=dead_letters, MessageBody="{}")
        secrets.put_secret_value(SecretId=secret, SecretString="not-the-code")
        assert lost.examhook("poll").exit_code == 1
        exit_code, found = findings(lost)
    finally:
        functions.update_event_source_mapping(UUID=stream["UUID"], Enabled=True)
        sqs.purge_queue(QueueUrl=dead_letters)
        secrets.put_secret_value(SecretId=secret, SecretString=lost.simulator.code)
        lost.poll()
    assert exit_code == 1
    problems = {check for check, verdicts in found.items() if "problem" in verdicts}
    assert problems == {"source of Dispatch", "queue DeliveryDeadLetterQueue", "account main"}
