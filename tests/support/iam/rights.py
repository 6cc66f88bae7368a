"""The roles of the translated template, and whether they cover what was called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tests.support.iam.aws_actions import Need, needs_of_destination, needs_of_log, needs_of_source
from tests.support.iam.call_recorder import Call
from tests.support.iam.policies import Grant, Statement, allows, grants
from tests.support.iam.resource_policies import lets_role
from tests.support.template.translated_template import ACCOUNT_ID, REGION, StackTemplate, arn_of

ACCOUNTS_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:accounts"
TEMPLATE = StackTemplate({"AccountCode": "a-code", "AccountsSecretArn": ACCOUNTS_ARN, "EventBusName": "exams"})
"""With every option that brings rights; test_rights.py holds it to that."""

ALIASES = {
    "accounts": ACCOUNTS_ARN,
    "code": "AccountCodeSecret",
    "code-of-polls": "AccountCodeSecret",
    "delivery": "DeliveryQueue",
    "deliveries": "DeliveryQueue",
    "default": f"arn:aws:events:{REGION}:{ACCOUNT_ID}:event-bus/exams",
    "exams": f"arn:aws:events:{REGION}:{ACCOUNT_ID}:event-bus/exams",
    "failures": "DispatchFailureQueue",
    "gone": "SubmissionsTopic",
    "operations": "OperationsTopic",
    "poll-function": "PollFunction",
    "submissions": "SubmissionsTopic",
}
"""What the tests' own names of queues, topics and secrets stand for: a resource of the template, or an ARN."""

_KINDS = {
    "dynamodb": "AWS::DynamoDB::Table",
    "kms": "AWS::KMS::Key",
    "lambda": "AWS::Lambda::Function",
    "secretsmanager": "AWS::SecretsManager::Secret",
    "sns": "AWS::SNS::Topic",
    "sqs": "AWS::SQS::Queue",
    "events": "AWS::Events::EventBus",
}


def functions() -> dict[str, str]:
    """Module of each function's handler, by name in the template: ``{"PollFunction": "poll"}``."""
    found = TEMPLATE.of_type("AWS::Lambda::Function")
    return {name: facts["Handler"].split(".")[2] for name, facts in found.items()}


def role_of(arn: str) -> str:
    """The name of the role that an ARN leads to."""
    return arn.rsplit("/", 1)[1]


@cache
def statements_of(role: str) -> tuple[Statement, ...]:
    """All that a role's policies say."""
    own = TEMPLATE.resources[role]["Properties"]
    assert "ManagedPolicyArns" not in own, f"{role}: managed policies are not judged"
    documents = [policy["PolicyDocument"] for policy in own.get("Policies", [])]
    for policy in TEMPLATE.of_type("AWS::IAM::Policy").values():
        documents += [policy["PolicyDocument"]] if role in policy["Roles"] else []
    return tuple(statement for document in documents for statement in document["Statement"])


class Wanted(NamedTuple):
    """Something that is to be done by a role."""

    role: str
    action: str
    arn: str
    context: tuple[tuple[str, str], ...] = ()
    """Condition keys and their values."""


@cache
def may(wanted: Wanted) -> bool:
    """Whether its role allows that, and the resource's policy delegates to the role."""
    context = dict(wanted.context)
    return allows(statements_of(wanted.role), wanted.action, wanted.arn, context) and lets_role(
        TEMPLATE, wanted.action, wanted.arn, context
    )


def arn_of_need(need: Need) -> str:
    """The ARN in the template for a resource's name in a call."""
    service = need.action.split(":")[0]
    name = re.split(r"[:/]", need.resource)[-1]
    if need.resource.startswith("arn:") and f":{ACCOUNT_ID}:" in need.resource and name in TEMPLATE.resources:
        return need.resource + need.part
    alias = ALIASES.get(_plain(name), name)
    if alias.startswith("arn:"):
        return alias
    kind = _KINDS[service]
    of_kind = TEMPLATE.of_type(kind)
    fitting = [found for found in of_kind if alias in {found, _plain(found)}]
    if not fitting and service == "kms" and len(of_kind) == 1:
        fitting = list(of_kind)
    assert len(fitting) == 1, (
        f"{need.action} was called on {need.resource!r}: say in ALIASES of tests/support/iam/rights.py which resource "
        "of the template that stands for."
    )
    return arn_of(fitting[0], kind) + need.part


def _plain(name: str) -> str:
    """``Submissions`` of ``SubmissionsTable``, ``code`` of a secret's ``code-a1B2c3``, as tests name them."""
    return re.sub(r"-[A-Za-z0-9]{6}$", "", name).removesuffix("Table").removesuffix("Function")


def wanted_by_calls(calls: Iterable[Call]) -> Iterator[Wanted]:
    """Permissions that calls need."""
    roles = {handler: role_of(TEMPLATE.resources[name]["Properties"]["Role"]) for name, handler in functions().items()}
    for call in calls:
        for need in call.needs:
            yield Wanted(roles[call.handler], need.action, arn_of_need(need), need.context)


def wanted_by_aws() -> Iterator[Wanted]:
    """All that AWS itself does by a role: logs, event sources, destinations, ticks."""
    made = TEMPLATE.of_type("AWS::Lambda::Function")
    roles = {name: role_of(facts["Role"]) for name, facts in made.items()}
    needs: list[tuple[str, Need]] = []
    for name, facts in made.items():
        group = facts["LoggingConfig"]["LogGroup"]
        needs += [(roles[name], need) for need in needs_of_log(f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{group}")]
    for source in TEMPLATE.of_type("AWS::Lambda::EventSourceMapping").values():
        needs += [(roles[source["FunctionName"]], need) for need in needs_of_source(source["EventSourceArn"])]
        needs += [(roles[source["FunctionName"]], need) for need in _destination(source)]
    for config in TEMPLATE.of_type("AWS::Lambda::EventInvokeConfig").values():
        needs += [(roles[config["FunctionName"]], need) for need in _destination(config)]
    for schedule in TEMPLATE.of_type("AWS::Scheduler::Schedule").values():
        target = schedule["Target"]
        needs += [(role_of(target["RoleArn"]), need) for need in needs_of_destination(target["Arn"])]
    for role, need in needs:
        yield Wanted(role, need.action, need.resource)


def _destination(facts: Mapping[str, Any]) -> Iterator[Need]:
    for destination in facts.get("DestinationConfig", {}).values():
        yield from needs_of_destination(destination["Destination"])


def denied(wanted: Iterable[Wanted]) -> list[str]:
    """Needed permissions that the roles lack, one per line."""
    return sorted(
        {
            f"{each.role} may not {each.action} {each.arn}{_said(each.context)}: template.yaml lacks the right"
            for each in wanted
            if not may(each)
        }
    )


def _said(context: tuple[tuple[str, str], ...]) -> str:
    return f" with {dict(context)}" if context else ""


def unused(wanted: Iterable[Wanted]) -> list[str]:
    """Unneeded permissions of the roles, one per line."""
    asked = set(wanted)
    return [
        f"{role} may {grant.action} {grant.resource} ({grant.sid}), which nothing does: take the right away, "
        "or test the code that needs it"
        for role, grant in all_grants()
        if not any(each.role == role and grant.covers(each.action, each.arn) for each in asked)
    ]


def all_grants() -> Iterator[tuple[str, Grant]]:
    """All permissions of all roles of the template."""
    for role in TEMPLATE.of_type("AWS::IAM::Role"):
        for grant in grants(statements_of(role)):
            yield role, grant
