"""Each role may do exactly what its function calls and what AWS does by it; so may each resource's policy.

``whole_run.py`` checks after the last test that no role may do more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from examhook_cli.local.batch_permissions import BATCH_ACTIONS
from tests.support.dispatch.dispatch_stack import deployed, invoke, sample_batch
from tests.support.iam import rights
from tests.support.iam.aws_actions import ANOTHER_NAME, Need, UnknownCallError, known_actions, needs_of_call
from tests.support.iam.call_recorder import Call, Recorder
from tests.support.iam.policies import Grant
from tests.support.iam.rights import (
    TEMPLATE,
    Wanted,
    all_grants,
    arn_of_need,
    denied,
    functions,
    role_of,
    unused,
    wanted_by_aws,
    wanted_by_calls,
)
from tests.support.template.translated_template import ACCOUNT_ID, REGION, StackTemplate, raw_resources

ROOT = Path(__file__).parents[2]
OWN_CODE_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:exam/code-AbCdEf"


def test_every_role_may_do_what_aws_does_by_it() -> None:
    wanted = list(wanted_by_aws())
    assert {each.role for each in wanted} == set(TEMPLATE.of_type("AWS::IAM::Role"))
    assert denied(wanted) == []


def test_every_permission_is_a_known_aws_action() -> None:
    asked = {grant.action for _, grant in all_grants()}
    assert {
        action for action in asked if action.split(":")[1].lower() not in known_actions(action.split(":")[0])
    } == set()


def test_no_permission_covers_all_resources_or_all_actions() -> None:
    assert [grant for _, grant in all_grants() if grant.resource == "*" or "*" in grant.action] == []


def test_every_option_that_adds_permissions_is_on_in_the_checked_template() -> None:
    brings = {name for name, found in raw_resources().items() if found["Type"].startswith("AWS::IAM::")}
    off = brings - TEMPLATE.resources.keys()
    assert off == set(), f"give TEMPLATE in tests/support/iam/rights.py a parameter that brings {off}"
    judged = {found for name in brings for found in _conditions(raw_resources()[name]["Properties"])}
    assert {each for each in judged if not TEMPLATE.holds(each)} == set(), "the same, for a condition within a policy"


def _conditions(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, found in value.items():
            if key == "Fn::If":
                yield found[0]
            yield from _conditions(found)
    elif isinstance(value, list):
        for found in value:
            yield from _conditions(found)


def test_poll_may_read_only_the_operators_secret_if_one_is_given() -> None:
    template = StackTemplate({"AccountCodeSecretArn": OWN_CODE_ARN})
    (policy,) = template.resources["PollRole"]["Properties"]["Policies"]
    read = [each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "secretsmanager:GetSecretValue"]
    assert [each["Resource"] for each in read] == [OWN_CODE_ARN]
    variables = template.resources["PollFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["ACCOUNT_CODE_SECRET_ARN"] == OWN_CODE_ARN


def test_a_role_can_be_assumed_only_by_its_service() -> None:
    users = {
        role_of(facts["Role"]): "lambda.amazonaws.com" for facts in TEMPLATE.of_type("AWS::Lambda::Function").values()
    }
    for schedule in TEMPLATE.of_type("AWS::Scheduler::Schedule").values():
        users[role_of(schedule["Target"]["RoleArn"])] = "scheduler.amazonaws.com"
    for name, role in TEMPLATE.of_type("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": users[name]}
        assert statement["Action"] == "sts:AssumeRole"
        if users[name] == "scheduler.amazonaws.com":
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}


def test_a_resource_policy_allows_aws_services_for_this_account_only() -> None:
    """Roles need no statement there: within an AWS account, either policy is enough."""
    kinds = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::Events::EventBusPolicy")
    statements = [
        statement
        for kind in kinds
        for policy in TEMPLATE.of_type(kind).values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert statements
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert statement["Principal"].keys() == {"Service"}
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT_ID
    judged = {*kinds, "AWS::IAM::Policy", "AWS::IAM::Role"}
    brought = {found["Type"] for found in raw_resources().values() if found["Type"].endswith(("Policy", "Permission"))}
    assert brought <= judged, "a kind of policy that nothing here judges"


def test_the_keys_policy_delegates_to_the_roles_and_no_other_key_is_used() -> None:
    """A customer's key on a topic, queue, table or secret would require more permissions of its users."""
    (key,) = TEMPLATE.of_type("AWS::KMS::Key").values()
    (statement,) = key["KeyPolicy"]["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    assert statement["Action"] == "kms:*"
    topics = {name: facts.get("KmsMasterKeyId") for name, facts in TEMPLATE.of_type("AWS::SNS::Topic").items()}
    assert topics == {"SubmissionsTopic": "alias/aws/sns", "OperationsTopic": None}
    for queue in TEMPLATE.of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue
    for table in TEMPLATE.of_type("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"SSEEnabled": True}
    assert [facts for facts in TEMPLATE.of_type("AWS::SecretsManager::Secret").values() if "KmsKeyId" in facts] == []
    # Lambda keeps environments and log groups under keys of AWS's own.
    assert [facts for facts in TEMPLATE.of_type("AWS::Lambda::Function").values() if "KmsKeyArn" in facts] == []
    assert [facts for facts in TEMPLATE.of_type("AWS::Logs::LogGroup").values() if "KmsKeyId" in facts] == []


def test_dead_letters_stay_in_the_account_and_topics_send_only_e_mail() -> None:
    """Nothing that needs a queue policy exists: no topic sends to a queue, and no queue is in another account."""
    for queue in TEMPLATE.of_type("AWS::SQS::Queue").values():
        if "RedrivePolicy" in queue:
            assert f":{REGION}:{ACCOUNT_ID}:" in queue["RedrivePolicy"]["deadLetterTargetArn"]
    protocols = {
        raw["Properties"]["Protocol"] for raw in raw_resources().values() if raw["Type"] == "AWS::SNS::Subscription"
    }
    assert protocols == {"email"}


def test_event_sources_keep_to_the_bounds_that_aws_sets() -> None:
    made = TEMPLATE.of_type("AWS::Lambda::Function")
    queues = TEMPLATE.of_type("AWS::SQS::Queue")
    for source in TEMPLATE.of_type("AWS::Lambda::EventSourceMapping").values():
        service, name = source["EventSourceArn"].split(":")[2], source["EventSourceArn"].rsplit(":", 1)[1]
        if service == "sqs":
            assert source["BatchSize"] <= 10 or source["MaximumBatchingWindowInSeconds"] >= 1
            assert 2 <= source.get("ScalingConfig", {"MaximumConcurrency": 2})["MaximumConcurrency"] <= 1000
            needed_s = 6 * made[source["FunctionName"]]["Timeout"] + source["MaximumBatchingWindowInSeconds"]
            assert queues[name]["VisibilityTimeout"] >= needed_s


def test_the_emulators_extra_permissions_only_add_batch_forms() -> None:
    """A role lacks nothing on AWS because of the emulator's extra permissions: calls are checked by AWS's names."""
    for right, widened in BATCH_ACTIONS.items():
        assert ANOTHER_NAME[widened] == right
        service, action = widened.split(":")
        assert action.lower() not in known_actions(service)


def test_a_removed_permission_is_reported_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call("deliver", "sqs", "SendMessageBatch", (Need("sqs:SendMessage", "delivery"),))
    assert denied(wanted_by_calls([call])) == []
    monkeypatch.setattr(rights, "may", lambda wanted: wanted.action != "sqs:SendMessage")
    (line,) = denied(wanted_by_calls([call]))
    assert line.startswith("DeliverRole may not sqs:SendMessage arn:aws:sqs:eu-central-1:123456789012:DeliveryQueue")


def test_an_unneeded_permission_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = arn_of_need(Need("dynamodb:GetItem", "Events"))
    made = [("DeliverRole", Grant("ReadEvents", action, arn)) for action in ("dynamodb:GetItem", "dynamodb:PutItem")]
    monkeypatch.setattr(rights, "all_grants", lambda: iter(made))
    (line,) = unused([Wanted("DeliverRole", "dynamodb:GetItem", arn), Wanted("PollRole", "dynamodb:PutItem", arn)])
    assert line.startswith(f"DeliverRole may dynamodb:PutItem {arn} (ReadEvents)")


def test_calls_of_functions_are_recorded_with_their_resource_and_those_of_tests_are_not(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert functions()["DispatchFunction"] == "dispatch"
    with deployed(monkeypatch):
        assert recorder.of_test == set()
        invoke(sample_batch())
    called = {(call.handler, need.action, arn_of_need(need)) for call in recorder.of_test for need in call.needs}
    assert ("dispatch", "sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:SubmissionsTopic") in called
    # Made in a pool's threads, which are as much the function's own.
    assert ("dispatch", "dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/EventsTable") in called
    assert {handler for handler, _, _ in called} == {"dispatch"}


def test_a_call_with_an_unknown_permission_is_reported() -> None:
    with pytest.raises(UnknownCallError, match="AWS knows no action sqs:SendPigeon"):
        list(needs_of_call("sqs", "SendPigeon", {}))
    with pytest.raises(UnknownCallError, match="which resource"):
        list(needs_of_call("sqs", "ListQueues", {}))
    with pytest.raises(AssertionError, match="say in ALIASES"):
        arn_of_need(Need("sqs:SendMessage", "https://sqs.eu-central-1.amazonaws.com/123456789012/pigeons"))


@pytest.mark.parametrize(
    ("service", "operation", "params", "needs"),
    [
        ("sns", "PublishBatch", {"TopicArn": "t"}, [Need("sns:Publish", "t")]),
        ("lambda", "Invoke", {"FunctionName": "f"}, [Need("lambda:InvokeFunction", "f")]),
        ("dynamodb", "Query", {"TableName": "T", "IndexName": "i"}, [Need("dynamodb:Query", "T", "/index/i")]),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"T": {}}}, [Need("dynamodb:BatchGetItem", "T")]),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "T"}}, {"ConditionCheck": {"TableName": "U"}}]},
            [Need("dynamodb:PutItem", "T"), Need("dynamodb:ConditionCheckItem", "U")],
        ),
        (
            "kms",
            "Decrypt",
            {"KeyId": "k", "EncryptionContext": {"endpoint_id": "e"}},
            [Need("kms:Decrypt", "k", context=(("kms:EncryptionContext:endpoint_id", "e"),))],
        ),
        ("events", "PutEvents", {"Entries": [{"EventBusName": "b"}]}, [Need("events:PutEvents", "b")]),
    ],
)
def test_a_call_needs_permissions_by_aws_names(
    service: str, operation: str, params: Mapping[str, Any], needs: list[Need]
) -> None:
    assert list(needs_of_call(service, operation, params)) == needs


def test_the_list_of_aws_actions_is_available() -> None:
    assert (files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").is_file()


def test_poll_can_decrypt_keys_of_erasures_but_no_secret_of_an_endpoint() -> None:
    key = arn_of_need(Need("kms:Decrypt", "k"))
    opened = [
        Wanted("PollRole", "kms:Decrypt", key, (("kms:EncryptionContext:endpoint_id", name),))
        for name in ("erasures of main", "ep_64a97df44c90ca823a930fe3aca8c4c1")
    ]
    (line,) = denied(opened)
    assert "ep_64a97df44c90ca823a930fe3aca8c4c1" in line
