"""Each resource's policy allows exactly the necessary access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.support.iam import resource_policies, rights
from tests.support.iam.resource_policies import ROOT, ServiceWanted, lets_service, unused_statements, wanted_by_services
from tests.support.iam.rights import TEMPLATE, Wanted, denied, wanted_by_aws
from tests.support.template.translated_template import ACCOUNT_ID, StackTemplate, arn_of, raw_resources

TOPIC = arn_of("OperationsTopic", "AWS::SNS::Topic")
KEY = arn_of("SecretsKey", "AWS::KMS::Key")
JUDGE = rights.may.__wrapped__
ALARMS = TEMPLATE.of_type("AWS::CloudWatch::Alarm")


def changed(monkeypatch: pytest.MonkeyPatch, name: str, **properties: Any) -> StackTemplate:
    """A template like ours with one changed resource; the roles are checked against it."""
    template = StackTemplate(TEMPLATE.parameters)
    found = template.resources[name]
    template.resources[name] = {**found, "Properties": {**found["Properties"], **properties}}
    monkeypatch.setattr(rights, "TEMPLATE", template)
    # Past what it remembers of our own.
    monkeypatch.setattr(rights, "may", JUDGE)
    return template


def key_policy(**facts: Any) -> Mapping[str, Any]:
    return {"Statement": [{"Sid": "S", "Effect": "Allow", "Action": "kms:*", "Resource": "*", **facts}]}


def test_every_alarm_may_publish_to_its_topic_and_an_alarm_of_another_account_may_not() -> None:
    wanted = set(wanted_by_services(TEMPLATE))
    assert {each.arn for each in wanted} == {TOPIC}
    assert len(wanted) == len(ALARMS)
    assert [each for each in wanted if not lets_service(TEMPLATE, each)] == []
    (one, *_) = wanted
    strange = {**dict(one.context), "aws:SourceAccount": "210987654321"}
    assert not lets_service(TEMPLATE, replace(one, context=tuple(strange.items())))
    other = {**dict(one.context), "aws:SourceArn": one.context[1][1].replace("alarm:examhook-", "alarm:other-")}
    assert not lets_service(TEMPLATE, replace(one, context=tuple(other.items())))
    assert not lets_service(TEMPLATE, replace(one, service="events.amazonaws.com"))
    assert not lets_service(TEMPLATE, replace(one, arn=arn_of("SubmissionsTopic", "AWS::SNS::Topic")))


def test_no_resource_policy_has_an_unneeded_statement() -> None:
    """A key's statement is needed if a role has a permission for the key; test_rights.py checks that one."""
    keys = {grant.resource for _, grant in rights.all_grants() if grant.action.startswith("kms:")}
    assert keys == {KEY}
    assert unused_statements(TEMPLATE, set(wanted_by_services(TEMPLATE)), keys) == []


def test_an_unneeded_statement_is_found() -> None:
    assert len(unused_statements(TEMPLATE, set(), {KEY})) == 1
    assert len(unused_statements(TEMPLATE, set(wanted_by_services(TEMPLATE)), set())) == 1
    scheduled = ServiceWanted("scheduler.amazonaws.com", "sns:Publish", TOPIC)
    assert len(unused_statements(TEMPLATE, {scheduled}, {KEY})) == 1


def test_a_role_cannot_use_a_key_whose_policy_does_not_delegate_to_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    sealing = [Wanted("RetryRole", "kms:Encrypt", KEY)]
    assert denied(sealing) == []
    changed(monkeypatch, "SecretsKey", KeyPolicy=key_policy(Principal=ROOT, Action="kms:Describe*"))
    (line,) = denied(sealing)
    assert line.startswith(f"RetryRole may not kms:Encrypt {KEY}")


def test_a_policy_that_denies_or_names_a_role_raises_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    role = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:role/RetryRole"}
    for facts in ({"Principal": ROOT, "Effect": "Deny"}, {"Principal": role}):
        changed(monkeypatch, "SecretsKey", KeyPolicy=key_policy(**facts))
        with pytest.raises(AssertionError, match="cannot judge yet"):
            denied([Wanted("RetryRole", "kms:Encrypt", KEY)])


def test_all_that_aws_does_by_roles_passes_the_resources_policies_too() -> None:
    assert denied(wanted_by_aws()) == []
    kinds = {found["Type"] for found in raw_resources().values() if found["Type"].endswith("Policy")}
    assert kinds - {"AWS::IAM::Policy"} <= set(resource_policies.POLICIES)
