"""Adds permissions for batch operations, which the emulator requires.

AWS has no actions ``sns:PublishBatch``, ``sqs:SendMessageBatch`` and ``sqs:DeleteMessageBatch``: the permission for
the single operation covers the batch. The emulator checks the name of the operation instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient

BATCH_ACTIONS = {
    "sns:Publish": "sns:PublishBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:SendMessage": "sqs:SendMessageBatch",
}
_POLICY_NAME = "batches"


def allow_batches(stack_name: str, cloudformation: CloudFormationClient, iam: IAMClient) -> None:
    """Allow every role of the stack the batch form of the operations that its policies allow."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::IAM::Role" and "PhysicalResourceId" in resource:
                _allow_role(resource["PhysicalResourceId"], iam)


def batch_statements(document: object) -> list[dict[str, object]]:
    """Statements that allow the batch form of the operations in a parsed policy document, for the same resources."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    added: list[dict[str, object]] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
            continue
        action = statement.get("Action")
        actions = action if isinstance(action, list) else [action]
        batch_actions = [BATCH_ACTIONS[each] for each in actions if each in BATCH_ACTIONS]
        if batch_actions:
            added.append({**statement, "Action": batch_actions})
    return added


def _allow_role(role: str, iam: IAMClient) -> None:
    names = [name for name in iam.list_role_policies(RoleName=role)["PolicyNames"] if name != _POLICY_NAME]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    statements = [statement for document in documents for statement in batch_statements(document)]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=_POLICY_NAME, PolicyDocument=policy)
