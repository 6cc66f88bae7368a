"""The emulator's roles may do in batches what the template lets them do one by one, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_cloudformation import CloudFormationClient

from examhook_cli.local.batch_permissions import allow_batches, batch_statements

TOPIC = "arn:aws:sns:us-east-1:123456789012:submissions"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:deliveries"


def policy(*statements: dict[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize("action", ["sns:Publish", ["sns:Publish"], ["dynamodb:PutItem", "sns:Publish"]])
def test_a_right_is_widened_to_batches_for_the_same_resource(action: object) -> None:
    document = policy({"Sid": "Publish", "Effect": "Allow", "Action": action, "Resource": TOPIC})
    assert batch_statements(document) == [
        {"Sid": "Publish", "Effect": "Allow", "Action": ["sns:PublishBatch"], "Resource": TOPIC}
    ]


def test_the_right_to_delete_covers_deleting_many() -> None:
    document = policy({"Effect": "Allow", "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage"], "Resource": QUEUE})
    assert [each["Action"] for each in batch_statements(document)] == [["sqs:DeleteMessageBatch"]]


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"},
        {"Effect": "Deny", "Action": "sns:Publish", "Resource": TOPIC},
    ],
)
def test_other_statements_give_nothing(statement: dict[str, object]) -> None:
    assert batch_statements(policy(statement)) == []
    assert batch_statements({"Version": "2012-10-17", "Statement": statement}) == []


class OneRole:
    """CloudFormation as far as it is asked here: a stack with one role."""

    def get_paginator(self, operation: str) -> OneRole:
        assert operation == "list_stack_resources"
        return self

    def paginate(self, *, StackName: str) -> list[dict[str, object]]:  # noqa: N803 - AWS's name
        role = {"ResourceType": "AWS::IAM::Role", "PhysicalResourceId": f"{StackName}-role"}
        queue = {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": QUEUE}
        return [{"StackResourceSummaries": [role, queue]}]


def test_doing_it_again_changes_nothing() -> None:
    with mock_aws():
        cloudformation = cast(CloudFormationClient, OneRole())
        iam = boto3.client("iam", region_name="us-east-1")
        iam.create_role(RoleName="s-role", AssumeRolePolicyDocument="{}")
        own = policy({"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": QUEUE})
        iam.put_role_policy(RoleName="s-role", PolicyName="own", PolicyDocument=json.dumps(own))
        for _ in range(2):
            allow_batches("s", cloudformation, iam)
            added = iam.get_role_policy(RoleName="s-role", PolicyName="batches")["PolicyDocument"]
            assert added == policy({"Effect": "Allow", "Action": ["sqs:SendMessageBatch"], "Resource": QUEUE})


def test_the_template_itself_asks_for_no_such_right() -> None:
    template = (Path(__file__).parents[2] / "template.yaml").read_text()
    assert ":PublishBatch" not in template
    assert ":SendMessageBatch" not in template
    assert ":DeleteMessageBatch" not in template
