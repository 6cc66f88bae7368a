"""The policies of resources: topics, queues, buses, secrets and keys.

Within one AWS account a role's permission is enough, and a resource's policy may add to it or deny it. A key is
stricter: permissions of roles count only if the key's policy delegates to the account.

docs.aws.amazon.com/IAM: reference_policies_evaluation-logic; docs.aws.amazon.com/kms: key-policy-default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.iam.policies import Statement, allows, listed
from tests.support.template.translated_template import ACCOUNT_ID, StackTemplate, arn_of, ref_of

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
POLICIES = {
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument", "AWS::SNS::Topic"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument", "AWS::SQS::Queue"),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId", "ResourcePolicy", "AWS::SecretsManager::Secret"),
}
"""Kinds of policies: what they are attached to, where they say what, and what kind of resource that is."""


@dataclass(frozen=True, order=True)
class ServiceWanted:
    """Something that a service of AWS is to do to a resource in its own name, not by a role."""

    service: str
    action: str
    arn: str
    context: tuple[tuple[str, str], ...] = ()


def policies(template: StackTemplate) -> Iterator[tuple[str, Statement]]:
    """Every statement of every resource's own policy, with the resource's ARN."""
    for name, key in template.of_type("AWS::KMS::Key").items():
        for statement in key["KeyPolicy"]["Statement"]:
            # In a key's policy this is the key itself.
            assert statement["Resource"] == "*"
            yield arn_of(name, "AWS::KMS::Key"), {**statement, "Resource": arn_of(name, "AWS::KMS::Key")}
    for kind, (attached, document, resource) in POLICIES.items():
        refs = {ref_of(name, resource): arn_of(name, resource) for name in template.of_type(resource)}
        for policy in template.of_type(kind).values():
            for ref in listed(policy[attached]):
                for statement in policy[document]["Statement"]:
                    yield refs[ref], statement


def on(template: StackTemplate, arn: str) -> list[Statement]:
    """The statements of one resource's policy."""
    return [statement for attached, statement in policies(template) if attached == arn]


def lets_role(template: StackTemplate, action: str, arn: str, context: Mapping[str, str]) -> bool:
    """Whether a resource's policy lets roles with the permission do ``action``."""
    statements = on(template, arn)
    odd = [each for each in statements if each["Effect"] != "Allow" or _principal(each) not in {"root", "service"}]
    assert not odd, f"tests/support/iam/resource_policies.py cannot judge yet what {odd} means for a role"
    if not action.startswith("kms:"):
        return True
    return allows([each for each in statements if each["Principal"] == ROOT], action, arn, context)


def lets_service(template: StackTemplate, wanted: ServiceWanted) -> bool:
    """Whether a resource's policy allows a service of AWS to do that."""
    own = [each for each in on(template, wanted.arn) if each["Principal"] == {"Service": wanted.service}]
    return allows(own, wanted.action, wanted.arn, dict(wanted.context))


def wanted_by_services(template: StackTemplate) -> Iterator[ServiceWanted]:
    """Actions of AWS services in their own names: alarms publish to the topics that they name."""
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        source = (("aws:SourceAccount", ACCOUNT_ID), ("aws:SourceArn", arn_of(name, "AWS::CloudWatch::Alarm")))
        for topic in {*alarm.get("AlarmActions", []), *alarm.get("OKActions", [])}:
            yield ServiceWanted("cloudwatch.amazonaws.com", "sns:Publish", topic, source)


def unused_statements(template: StackTemplate, wanted: set[ServiceWanted], keys: set[str]) -> list[str]:
    """Statements that nothing needs: of services that do nothing there, of keys (by ARN) that no role uses."""
    return [
        f"{statement['Sid']} of {arn} lets {statement['Principal']} {statement['Action']}, which nothing does"
        for arn, statement in policies(template)
        if not (arn in keys if statement["Principal"] == ROOT else _asked(arn, statement, wanted))
    ]


def _asked(arn: str, statement: Statement, wanted: set[ServiceWanted]) -> bool:
    done = {each.action for each in wanted if each.arn == arn and statement["Principal"] == {"Service": each.service}}
    return done == set(listed(statement["Action"]))


def _principal(statement: Statement) -> str:
    principal: Any = statement["Principal"]
    return "root" if principal == ROOT else "service" if set(principal) == {"Service"} else "other"
