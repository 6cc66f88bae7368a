"""After failures of every kind, no output of the deployed stack contains a code, a secret, a link or a name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from examhook_cli.demo.subscriber import subscribe_queue
from examhook_cli.listener.server import running_listener
from tests.support.emulator.local_installation import ANY_SECRET, ARRIVAL_TIMEOUT_S, LocalInstallation, about_exam
from tests.support.security.output_sweep import findings, gathered

pytestmark = pytest.mark.e2e

NAME = "Zebediah Quillfeather-Ångström"
HEADER = "canary-header-value-8261"
WRONG_CODE = "canary-wrong-code-4471"


@pytest.fixture(autouse=True)
def aws_is_the_local_stack(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", installation.url)


def test_a_planted_secret_is_found(installation: LocalInstallation) -> None:
    """Otherwise the search below would prove nothing."""
    poll = installation.outputs["PollFunctionName"]
    found, _ = findings(gathered_in_short(poll), {"the name of a function": poll.upper(), "an accent": "Ångström"})
    assert found == ["the name of a function in a place", "an accent in a place"]


def gathered_in_short(text: str) -> Iterator[tuple[str, str]]:
    yield "a place", json.dumps({"function": text, "name": "Ångström"})


def test_nothing_leaks_after_any_failure(installation: LocalInstallation) -> None:
    with running_listener([ANY_SECRET]) as distrustful:
        added = installation.examhook("endpoints", "add", distrustful.url, "--header", f"X-Key: {HEADER}", "--json")
        assert added.exit_code == 0, added.err
        created = added.json()
        assert isinstance(created, dict)
        try:
            secrets = provoke(installation, str(created["secret"]))
            found, looked_at = findings(gathered(installation), secrets)
        finally:
            installation.examhook("endpoints", "remove", str(created["id"]), "--yes")
    assert len(distrustful.received) >= 1
    assert looked_at > 50
    assert found == []


def provoke(installation: LocalInstallation, secret: str) -> dict[str, str]:
    """Cause failures of every kind about one candidate; return the texts that no output may contain, by name."""
    world, control, session = installation.simulator.world, installation.simulator.control, installation.session
    exam_id = world.create_exam()
    refs = [world.start(exam_id, name=NAME) for _ in range(3)]
    world.advance(5)
    installation.poll()
    world.advance(60)
    for ref in refs:
        world.submit(ref)
    world.advance(5)
    steady, shaky = installation.listeners
    # Before the first of these polls: any of them can announce the submissions.
    shaky.answer_with(500, next_requests=2)
    for switch in (
        "error_object@next2",
        "html_page@next2",
        "cut_body@next2",
        "server_error@next2",
        "unreadable_row@next2",
    ):
        control.quirk_on(switch)
        installation.examhook("poll")
        control.quirk_off()
    installation.poll()
    assert steady.wait_until(lambda received: len(about_exam(received, exam_id)) >= 3, ARRIVAL_TIMEOUT_S)
    operations = subscribe_queue(session, installation.outputs["OperationsTopicArn"], "operations-of-leaks")
    code_secret = installation.outputs["AccountCodeSecretArn"]
    manager = session.client("secretsmanager")
    manager.put_secret_value(SecretId=code_secret, SecretString=WRONG_CODE)
    try:
        installation.examhook("poll", "--full")
    finally:
        manager.put_secret_value(SecretId=code_secret, SecretString=installation.simulator.code)
    installation.poll()
    crash(installation)
    operations.drain(1, ARRIVAL_TIMEOUT_S)
    assert operations.bodies
    link = result_link(installation, exam_id)
    endpoints = installation.written["endpoints"]
    assert isinstance(endpoints, list)
    return {
        "the account code": installation.simulator.code,
        "a wrong account code": WRONG_CODE,
        "a name": NAME,
        "a part of a name": "Quillfeather",
        "a header's value": HEADER,
        "a result link's token": link.rpartition("/")[2].rpartition("=")[2],
        "a result link": "viewresult",
        "a signing secret": secret,
        **{f"the signing secret of {endpoint['url']}": endpoint["secret"] for endpoint in endpoints},
        "the beginning of signing secrets": "whsec_",
    }


def crash(installation: LocalInstallation) -> None:
    """Give every function invalid input that contains the name."""
    functions = installation.session.client("lambda")
    image = {"v": {"N": "1"}, "candidate_name": {"S": NAME}, "account": {"S": NAME}}
    record = {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "1", "NewImage": image}}
    for output, event in (
        ("DispatchFunctionName", {"Records": [record]}),
        ("DispatchFunctionName", {"Records": [{"eventName": "MODIFY", "dynamodb": {"NewImage": image}}]}),
        ("DeliverFunctionName", {"Records": [{"messageId": "1", "body": NAME}]}),
        ("DeliverFunctionName", {"Records": [{"body": NAME}]}),
        ("PollFunctionName", {"trigger": "manual", "account": NAME}),
        ("RetryFunctionName", {"name": NAME}),
    ):
        functions.invoke(FunctionName=installation.outputs[output], Payload=json.dumps(event).encode())


def result_link(installation: LocalInstallation, exam_id: str) -> str:
    """The link of one stored submission of an exam."""
    found = installation.session.client("dynamodb").scan(TableName=installation.outputs["SubmissionsTableName"])
    of_exam = [item for item in found["Items"] if item["exam_id"]["S"] == exam_id]
    return next(item["result_url"]["S"] for item in of_exam if "result_url" in item)
