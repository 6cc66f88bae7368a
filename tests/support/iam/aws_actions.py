"""Permissions that AWS requires: for a call its actions and resources, for an integration what it does by a role.

Names of operations and of actions are mostly the same; this module lists the others. The known actions come from the
data of cfn-lint (AWS's own service authorization reference).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Params = Mapping[str, Any]

ANOTHER_NAME = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations whose action has another name: a right for one message is the right for a batch of them."""

TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}

NAMED_BY = {
    "dynamodb": "TableName",
    "events": "Name",
    "kms": "KeyId",
    "lambda": "FunctionName",
    "secretsmanager": "SecretId",
    "sns": "TopicArn",
    "sqs": "QueueUrl",
}
"""The parameter of a call that names its resource, by service."""


@dataclass(frozen=True, order=True)
class Need:
    """One permission that AWS requires; ``resource`` is a name as the call has it, or an ARN."""

    action: str
    resource: str
    part: str = ""
    """What follows the resource's ARN: an index of a table."""
    context: tuple[tuple[str, str], ...] = ()
    """Condition keys that the call itself sets, and their values."""


class UnknownCallError(AssertionError):
    """This module does not know which permissions the call needs."""


@cache
def known_actions(service: str) -> frozenset[str]:
    """Every action of a service, in small letters."""
    data = files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json"
    return frozenset(json.loads(data.read_text())[service]["Actions"])


def needs_of_call(service: str, operation: str, params: Params) -> Iterator[Need]:
    """Permissions that a call of ``service`` (its signing name) needs; raises UnknownCallError."""
    if (service, operation) in {("dynamodb", "TransactWriteItems"), ("dynamodb", "TransactGetItems")}:
        for item in params["TransactItems"]:
            ((kind, given),) = item.items()
            yield Need(f"dynamodb:{TRANSACTED.get(kind, 'GetItem')}", given["TableName"])
        return
    action = ANOTHER_NAME.get(f"{service}:{operation}", f"{service}:{operation}")
    if action.split(":")[1].lower() not in known_actions(service):
        raise UnknownCallError(
            f"AWS knows no action {action}: say in tests/support/iam/aws_actions.py what {operation} asks for."
        )
    if operation in {"BatchGetItem", "BatchWriteItem"}:
        yield from (Need(action, table) for table in params["RequestItems"])
    elif service == "events" and operation == "PutEvents":
        yield from (Need(action, entry.get("EventBusName", "default")) for entry in params["Entries"])
    elif service in NAMED_BY and NAMED_BY[service] in params:
        index = params.get("IndexName")
        named = params.get("EncryptionContext", {}) if service == "kms" else {}
        context = tuple((f"kms:EncryptionContext:{key}", str(value)) for key, value in sorted(named.items()))
        if operation == "UpdateItem":
            context = (("dynamodb:Attributes", " ".join(sorted(attributes_of_update(params)))),)
        yield Need(action, params[NAMED_BY[service]], f"/index/{index}" if index else "", context)
    else:
        raise UnknownCallError(
            f"Say in tests/support/iam/aws_actions.py which resource {service}:{operation} is about."
        )


_NAME_IN_EXPRESSION = re.compile(r"(?<![:#\w])[#A-Za-z_]\w*(?!\w*\()")
_KEYWORDS = {"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"}


def attributes_of_update(params: Params) -> set[str]:
    """The attributes that an UpdateItem names, its key's included (condition key ``dynamodb:Attributes``).

    docs.aws.amazon.com/amazondynamodb: specifying-conditions.
    """
    said = f"{params.get('UpdateExpression', '')} {params.get('ConditionExpression', '')}"
    names = params.get("ExpressionAttributeNames", {})
    found = {names.get(each, each) for each in _NAME_IN_EXPRESSION.findall(said)}
    return {*params["Key"], *(each for each in found if each not in _KEYWORDS)}


STREAM_READER = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
QUEUE_READER = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_TELLS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}


def needs_of_log(group: str) -> Iterator[Need]:
    """Permissions that Lambda needs to write a function's log; the group itself is part of the template.

    docs.aws.amazon.com/lambda: monitoring-cloudwatchlogs (CreateLogGroup only if the group is missing).
    """
    yield Need("logs:CreateLogStream", f"{group}:log-stream:any")
    yield Need("logs:PutLogEvents", f"{group}:log-stream:any")


def needs_of_source(source_arn: str) -> Iterator[Need]:
    """Permissions that an event source mapping needs in its function's role.

    docs.aws.amazon.com/lambda: services-dynamodb-eventsourcemapping, services-sqs-configure.
    """
    service = source_arn.split(":")[2]
    for action in {"dynamodb": STREAM_READER, "sqs": QUEUE_READER}[service]:
        yield Need(action, source_arn)


def needs_of_destination(arn: str) -> Iterator[Need]:
    """Permissions that Lambda needs for a batch or event that it gives up on, and Scheduler for a failed tick.

    docs.aws.amazon.com/lambda: services-dynamodb-errors, invocation-async-retain-records;
    docs.aws.amazon.com/scheduler: setting-up (execution role).
    """
    yield Need(_TELLS[arn.split(":")[2]], arn)
