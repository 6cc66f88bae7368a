"""What the deployed functions really call is recorded, and is what their roles in the template allow by AWS's names."""

from __future__ import annotations

import json

import pytest

from tests.support.emulator.deployed_calls import DeployedCalls
from tests.support.emulator.local_installation import ARRIVAL_TIMEOUT_S, LocalInstallation, about_exam
from tests.support.iam.call_recorder import Recorder
from tests.support.iam.rights import arn_of_need, denied, functions, wanted_by_calls

pytestmark = pytest.mark.e2e


def test_every_function_is_heard_and_its_calls_are_named_as_aws_names_them(
    installation: LocalInstallation, watched: list[DeployedCalls], recorder: Recorder
) -> None:
    """The emulator knows other names for batches, and its roles may do more; here the template alone is the judge."""
    world = installation.simulator.world
    (of_installation,) = [each for each in watched if each.installation is installation]
    recorder.calls |= of_installation.new()
    exam_id = world.create_exam()
    ref = world.start(exam_id)
    installation.poll()
    world.submit(ref)
    world.advance(5)
    installation.poll()
    listener = installation.listeners[0]
    assert listener.wait_until(lambda received: bool(about_exam(received, exam_id)), ARRIVAL_TIMEOUT_S)
    lambda_client = installation.session.client("lambda", endpoint_url=installation.url)
    name, tick = installation.outputs["RetryFunctionName"], json.dumps({"trigger": "manual"})
    assert "FunctionError" not in lambda_client.invoke(FunctionName=name, Payload=tick.encode())
    # What a person does with the local root user's key is nobody's call.
    table = installation.outputs["DeliveriesTableName"]
    installation.session.client("dynamodb", endpoint_url=installation.url).scan(TableName=table)

    calls = of_installation.new()
    recorder.calls |= calls
    assert denied(wanted_by_calls(calls)) == []
    assert {call.handler for call in calls} == set(functions().values())
    called = {(call.handler, need.action, arn_of_need(need).split(":", 5)[5]) for call in calls for need in call.needs}
    assert called >= {
        ("poll", "dynamodb:PutItem", "table/SubmissionsTable"),
        ("dispatch", "dynamodb:PutItem", "table/EventsTable"),
        ("dispatch", "sns:Publish", "SubmissionsTopic"),
        ("dispatch", "sqs:SendMessage", "DeliveryQueue"),
        ("dispatch", "events:PutEvents", "event-bus/exams"),
        ("deliver", "dynamodb:UpdateItem", "table/DeliveriesTable"),
        ("retry", "dynamodb:Scan", "table/EndpointsTable"),
        ("poll", "dynamodb:Query", "table/EventsTable/index/link_requests"),
    }
    assert not {each for each in called if each[1:] == ("dynamodb:Scan", "table/DeliveriesTable")}
