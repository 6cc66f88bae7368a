"""What the template says of further accounts: rights that exist only with them, and no more than are needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.template.source_template import TEMPLATE

POLICY: Mapping[str, Any] = TEMPLATE["Resources"]["PollAccountsPolicy"]


def test_a_stack_with_one_account_has_no_right_to_start_functions() -> None:
    assert POLICY["Condition"] == "WatchesMoreAccounts"
    assert TEMPLATE["Conditions"]["WatchesMoreAccounts"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AccountsSecretArn"}, ""]}]
    }
    assert TEMPLATE["Parameters"]["AccountsSecretArn"]["Default"] == ""
    poll_role = str(TEMPLATE["Resources"]["PollRole"])
    assert "lambda:" not in poll_role
    assert "AccountsSecretArn" not in poll_role


def test_poll_may_start_itself_and_read_the_list_and_nothing_else() -> None:
    rights = {
        (statement["Action"], str(dict(statement["Resource"])))
        for statement in POLICY["Properties"]["PolicyDocument"]["Statement"]
    }
    assert rights == {
        ("secretsmanager:GetSecretValue", "{'Ref': 'AccountsSecretArn'}"),
        ("lambda:InvokeFunction", "{'Fn::GetAtt': ['PollFunction', 'Arn']}"),
    }
    assert POLICY["Properties"]["Roles"] == [{"Ref": "PollRole"}]


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ("", True),
        ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:examhook-accounts-AbCdEf", True),
        ("examhook-accounts", False),
        ('{"north": {"code": "x"}}', False),
    ],
)
def test_the_parameter_takes_an_arn_and_not_the_list_itself(value: str, allowed: bool) -> None:  # noqa: FBT001 - a case
    assert bool(re.search(TEMPLATE["Parameters"]["AccountsSecretArn"]["AllowedPattern"], value)) is allowed
