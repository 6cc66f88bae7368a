"""What is said when the stack cannot be deployed or a function cannot start."""

from __future__ import annotations

import io
import json
from typing import cast

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_cloudformation import CloudFormationClient
from mypy_boto3_lambda import LambdaClient

from examhook_cli.errors import DeployError
from examhook_cli.local.deploy import failure_reasons
from examhook_cli.local.local_stack import warm_up
from examhook_cli.stack import (
    MissingOutputError,
    Stack,
    StackNotFoundError,
    StackNotReadyError,
    read_stack,
)

AT = "2026-05-03T14:02:00Z"
WOKEN = {f"{name}FunctionName": f"examhook-{name}" for name in ("Retry", "Dispatch", "Deliver")}


class FakeFunctions:
    """Lambda as far as it is asked here: one function fails."""

    def __init__(self, failing: str | None, answer: object) -> None:
        self.failing = failing
        self.answer = answer
        self.invoked: list[str] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, object]:  # noqa: N803 - AWS's names
        json.loads(Payload)
        self.invoked.append(FunctionName)
        failed = {"FunctionError": "Unhandled"} if FunctionName == self.failing else {}
        return {**failed, "Payload": io.BytesIO(json.dumps(self.answer).encode())}


@pytest.fixture
def cloudformation() -> CloudFormationClient:
    return boto3.client("cloudformation", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


def event(logical_id: str, status: str, reason: str | None = None) -> dict[str, str]:
    said = {"ResourceStatusReason": reason} if reason else {}
    fixed = {"StackId": "s", "EventId": "e", "StackName": "examhook", "Timestamp": AT}
    return {**fixed, "LogicalResourceId": logical_id, "ResourceStatus": status, **said}


def stack(status: str) -> dict[str, object]:
    outputs = [{"OutputKey": "AccountName", "OutputValue": "main"}, {"OutputKey": "Allow", "OutputValue": "true"}]
    return {"Stacks": [{"StackName": "examhook", "CreationTime": AT, "StackStatus": status, "Outputs": outputs}]}


def test_the_resources_that_failed_are_named_with_the_reason(cloudformation: CloudFormationClient) -> None:
    with Stubber(cloudformation) as stub:
        events = [
            event("PollTick", "CREATE_FAILED", "Rate is wrong"),
            event("PollRole", "CREATE_COMPLETE"),
            event("examhook", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed"),
        ]
        stub.add_response("describe_stack_events", {"StackEvents": events})
        assert failure_reasons(cloudformation) == ["PollTick: Rate is wrong"]


def test_no_stack_at_all_gives_no_reasons(cloudformation: CloudFormationClient) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_client_error("describe_stack_events", "ValidationError", "Stack [examhook] does not exist")
        assert failure_reasons(cloudformation) == []


def test_every_function_but_poll_is_woken() -> None:
    functions = FakeFunctions(None, {"batchItemFailures": []})
    warm_up(Stack("examhook", WOKEN, "CREATE_COMPLETE"), cast(LambdaClient, functions))
    assert functions.invoked == list(WOKEN.values())


def test_a_function_that_cannot_start_is_named_with_what_it_said() -> None:
    functions = FakeFunctions("examhook-Dispatch", {"errorMessage": "No module named 'x'"})
    with pytest.raises(DeployError, match="Dispatch does not work: No module named 'x'"):
        warm_up(Stack("examhook", WOKEN, "CREATE_COMPLETE"), cast(LambdaClient, functions))


def test_a_ready_stack_tells_its_outputs(cloudformation: CloudFormationClient) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stacks", stack("UPDATE_COMPLETE"))
        found = read_stack(cloudformation, "examhook")
    assert found.output("AccountName") == "main"
    assert found.flag("Allow")
    with pytest.raises(MissingOutputError, match="has no output Newer"):
        found.output("Newer")


def test_a_stack_that_is_not_there_says_where_it_was_looked_for(cloudformation: CloudFormationClient) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", "Stack with id examhook does not exist")
        with pytest.raises(StackNotFoundError, match="Stack examhook does not exist in region eu-central-1"):
            read_stack(cloudformation, "examhook")


def test_other_refusals_of_cloudformation_pass_through(cloudformation: CloudFormationClient) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_client_error("describe_stacks", "AccessDenied", "not authorized")
        with pytest.raises(cloudformation.exceptions.ClientError, match="not authorized"):
            read_stack(cloudformation, "examhook")


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS"])
def test_a_stack_that_cannot_be_used_says_its_state(cloudformation: CloudFormationClient, status: str) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stacks", stack(status))
        with pytest.raises(StackNotReadyError, match=status):
            read_stack(cloudformation, "examhook")
