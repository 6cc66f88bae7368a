"""The policy evaluation decides as IAM does, and rejects what it does not understand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.iam.aws_actions import needs_of_call
from tests.support.iam.policies import Grant, allows, grants

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/Events"


def statement(**facts: Any) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, **facts}


@pytest.mark.parametrize(
    ("facts", "allowed"),
    [
        ({}, True),
        ({"Action": ["dynamodb:PutItem", "DynamoDB:getitem"]}, True),
        ({"Action": "dynamodb:Get*"}, True),
        ({"Action": "dynamodb:GetIte?"}, True),
        ({"Action": "dynamodb:PutItem"}, False),
        ({"Resource": [f"{TABLE}/index/*", TABLE]}, True),
        ({"Resource": f"{TABLE}/index/*"}, False),
        ({"Resource": TABLE.lower()}, False),
        ({"Resource": f"{TABLE}s"}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_one_statement(facts: dict[str, Any], allowed: bool) -> None:  # noqa: FBT001 - a case
    assert allows([statement(**facts)], "dynamodb:GetItem", TABLE) is allowed


def test_a_condition_on_attributes_covers_those_that_a_call_names() -> None:
    condition = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["event_id", "link_url"]}}
    own = [statement(Action="dynamodb:UpdateItem", Condition=condition)]
    update = {
        "TableName": "Events",
        "Key": {"event_id": {"S": "x"}},
        "ConditionExpression": "attribute_exists(event_id)",
    }

    def allowed(**more: Any) -> bool:
        (need,) = needs_of_call("dynamodb", "UpdateItem", {**update, **more})
        return allows(own, need.action, TABLE, dict(need.context))

    assert allowed(UpdateExpression="SET link_url = if_not_exists(link_url, :url)")
    assert allowed(UpdateExpression="SET #url = :url", ExpressionAttributeNames={"#url": "link_url"})
    assert not allowed(UpdateExpression="SET link_url = :url, body = :body")
    assert not allowed(UpdateExpression="REMOVE link_url", ConditionExpression="attribute_not_exists(body)")
    assert not allowed(UpdateExpression="SET #url = :url", ExpressionAttributeNames={"#url": "body"})


def test_without_a_statement_nothing_is_allowed_and_a_denial_always_wins() -> None:
    assert not allows([], "dynamodb:GetItem", TABLE)
    for order in ([statement(), statement(Effect="Deny")], [statement(Effect="Deny"), statement()]):
        assert not allows(order, "dynamodb:GetItem", TABLE)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringEquals": {"aws:SourceAccount": ["2", "1"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "2"}}, False),
        ({"StringEquals": {"aws:SourceVpc": "1"}}, False),
        ({"StringLikeIfExists": {"aws:SourceVpc": "1"}}, True),
        ({"StringLikeIfExists": {"aws:SourceAccount": "2"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:1:alarm:examhook-*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:1:alarm:other-*"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "1"}, "StringLike": {"aws:SourceArn": "no*"}}, False),
    ],
)
def test_all_conditions_must_hold(condition: dict[str, Any], allowed: bool) -> None:  # noqa: FBT001 - a case
    context = {"aws:SourceAccount": "1", "aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:1:alarm:examhook-Poll"}
    assert allows([statement(Condition=condition)], "dynamodb:GetItem", TABLE, context) is allowed


@pytest.mark.parametrize("facts", [{"NotAction": "a:b"}, {"NotResource": "*"}, {"Condition": {"Bool": {"a": "true"}}}])
def test_unknown_policy_elements_raise_an_error(facts: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        allows([statement(**facts)], "dynamodb:GetItem", TABLE)


def test_a_grant_is_one_action_on_one_resource() -> None:
    two = statement(Action=["a:x", "a:y"], Resource=["r", "s"])
    assert sorted(grants([two, statement(Effect="Deny")])) == [
        Grant("S", action, resource) for action in ("a:x", "a:y") for resource in ("r", "s")
    ]
