"""Three rights that the emulator asks for and AWS does not know.

On AWS the right to publish a message covers publishing a batch of them, and the rights to send one
and to delete one cover batches: there are no actions ``sns:PublishBatch``, ``sqs:SendMessageBatch``
and ``sqs:DeleteMessageBatch``. The emulator checks requests under the names of their operations. So
each role that the template gives the one gets the other here, for the same resources, after the
template was deployed as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient

COVERED = {
    "sns:Publish": "sns:PublishBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:SendMessage": "sqs:SendMessageBatch",
}
_POLICY_NAME = "batches"


def allow_batches(stack_name: str, cloudformation: CloudFormationClient, iam: IAMClient) -> None:
    """Let every role of the stack do in batches what it may do one by one."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::IAM::Role" and "PhysicalResourceId" in resource:
                _allow_role(resource["PhysicalResourceId"], iam)


def batch_statements(document: object) -> list[dict[str, object]]:
    """Statements that allow in batches what a policy's ``document`` (as IAM gives it, parsed) allows one by one."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    added: list[dict[str, object]] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
            continue
        named = statement.get("Action")
        actions = [COVERED[action] for action in (named if isinstance(named, list) else [named]) if action in COVERED]
        if actions:
            added.append({**statement, "Action": actions})
    return added


def _allow_role(role: str, iam: IAMClient) -> None:
    names = [name for name in iam.list_role_policies(RoleName=role)["PolicyNames"] if name != _POLICY_NAME]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    statements = [statement for document in documents for statement in batch_statements(document)]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=_POLICY_NAME, PolicyDocument=policy)
