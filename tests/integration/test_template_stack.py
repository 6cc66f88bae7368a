"""The stack's template provides what the code relies on, with minimal permissions."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import boto3
import botocore.session
import pytest
import yaml
from moto import mock_aws

from examhook.events.catalogue import OFF_BY_DEFAULT
from examhook.settings import DeliverSettings, DispatchSettings, PollSettings, RetrySettings
from examhook.workflows.administration.erase import LONGEST_POLL_S
from examhook.workflows.administration.erasure_key import erasure_key_owner
from tests.support.iam.policies import listed
from tests.support.storage import tables
from tests.support.template.source_template import RESOURCES, TEMPLATE

ROOT = Path(__file__).parents[2]


class Settings(Protocol):
    """A class of settings."""

    def read(self, environ: Mapping[str, str]) -> object:
        """Settings from environment variables; raises SettingsError."""


SETTINGS: Mapping[str, Settings] = {
    "PollFunction": PollSettings,
    "DispatchFunction": DispatchSettings,
    "DeliverFunction": DeliverSettings,
    "RetryFunction": RetrySettings,
}
OUTPUTS = {
    *("SubmissionsTopicArn", "OperationsTopicArn", "SubmissionsTableName", "ExamsTableName", "EndpointsTableName"),
    *("EventsTableName", "DeliveriesTableName", "DeliveryQueueUrl", "DeliveryDeadLetterQueueUrl"),
    *("DispatchFailureQueueUrl", "PollFunctionName", "DispatchFunctionName", "DeliverFunctionName"),
    *("RetryFunctionName", "AccountName", "DashboardName", "AccountCodeSecretArn"),
    *("SecretsKeyArn", "RetentionDays"),
    *("AllowHttpEndpoints", "AllowPrivateEndpoints", "PollScheduleName", "RetryScheduleName"),
}
SERVICES = {
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "events": ("events",),
    "kms": ("kms",),
    "logs": ("logs",),
    "secretsmanager": ("secretsmanager",),
    "sns": ("sns",),
    "sqs": ("sqs",),
}
RIGHTS_WITHOUT_OPERATION = {"lambda:InvokeFunction"}
OPERATIONS_WITHOUT_RIGHT = {"DeleteMessageBatch", "PublishBatch", "SendMessageBatch", "TransactWriteItems"}


def of_type(wanted: str) -> dict[str, Any]:
    """Properties of the resources of one type, by name."""
    return {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == wanted}


def statements() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every statement of every role, with the role's name."""
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for policy in of_type("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            for role in policy["Roles"]:
                yield role["Ref"], statement


class AskedFor(dict[str, str]):
    """An environment that records which variables are read."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return default


@pytest.mark.parametrize("function", SETTINGS)
def test_a_function_has_exactly_the_variables_that_its_settings_read(function: str) -> None:
    asked = AskedFor()
    with pytest.raises(ValueError, match="Bad settings"):
        SETTINGS[function].read(asked)
    assert set(RESOURCES[function]["Properties"]["Environment"]["Variables"]) == asked.names


def test_every_function_knows_the_stack_of_its_metrics() -> None:
    assert TEMPLATE["Globals"]["Function"]["Environment"]["Variables"] == {"STACK_NAME": {"Ref": "AWS::StackName"}}


@pytest.mark.parametrize("function", SETTINGS)
def test_the_parameters_defaults_are_settings_that_a_function_accepts(function: str) -> None:
    parameters = TEMPLATE["Parameters"]

    def value(of: Any) -> str:
        if isinstance(of, str):
            return of
        if of.get("Fn::If", [""])[0] == "PollsWithinMinute":
            return value(of["Fn::If"][1])
        named = of.get("Ref", "")
        return str(parameters[named].get("Default", "")) if named in parameters else "something"

    variables = RESOURCES[function]["Properties"]["Environment"]["Variables"]
    SETTINGS[function].read({name: value(of) for name, of in variables.items()})


@pytest.mark.parametrize("function", SETTINGS)
def test_the_handler_that_is_named_exists(function: str) -> None:
    module, name = RESOURCES[function]["Properties"]["Handler"].rsplit(".", 1)
    assert callable(getattr(import_module(module), name))


def test_every_function_is_packaged_by_the_makefile_beside_its_code() -> None:
    functions = [found for found in RESOURCES.values() if found["Type"] == "AWS::Serverless::Function"]
    assert {found["Metadata"]["BuildMethod"] for found in functions} == {"makefile"}
    assert "\nbuild-%:\n" in (ROOT / "src" / "Makefile").read_text()


def test_each_function_has_its_own_role_and_its_own_log_with_a_retention() -> None:
    functions = of_type("AWS::Serverless::Function")
    assert functions.keys() == SETTINGS.keys()
    roles = {found["Role"]["Fn::GetAtt"][0] for found in functions.values()}
    logs = {found["LoggingConfig"]["LogGroup"]["Ref"] for found in functions.values()}
    assert len(roles) == len(logs) == len(functions)
    assert logs == of_type("AWS::Logs::LogGroup").keys()
    assert all("RetentionInDays" in group for group in of_type("AWS::Logs::LogGroup").values())


def test_no_concurrency_is_reserved() -> None:
    assert "ReservedConcurrentExecutions" not in (ROOT / "template.yaml").read_text()


def test_no_permission_covers_all_resources_or_all_actions() -> None:
    for role, statement in statements():
        assert "*" not in listed(statement["Resource"]), role
        assert not [action for action in listed(statement["Action"]) if "*" in action], role


def test_every_permission_is_a_known_aws_action() -> None:
    session = botocore.session.get_session()
    known = set(RIGHTS_WITHOUT_OPERATION)
    for prefix, names in SERVICES.items():
        for name in names:
            model = session.get_service_model(name)
            known |= {f"{prefix}:{operation}" for operation in model.operation_names}
    known -= {right for right in known if right.split(":")[1] in OPERATIONS_WITHOUT_RIGHT}
    asked = {action for _, statement in statements() for action in listed(statement["Action"])}
    assert asked <= known


def test_only_poll_may_read_the_account_code() -> None:
    readers = {role for role, found in statements() if "secretsmanager:GetSecretValue" in listed(found["Action"])}
    assert readers == {"PollRole"}


def test_dispatch_may_put_events_on_a_bus_only_if_one_is_named() -> None:
    policies = {name: found for name, found in RESOURCES.items() if "events:PutEvents" in json.dumps(found)}
    assert policies.keys() == {"DispatchBusPolicy"}
    assert policies["DispatchBusPolicy"]["Condition"] == "HasBus"
    assert TEMPLATE["Conditions"]["HasBus"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "EventBusName"}, ""]}]}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("exams", "arn:aws:events:us-east-1:123456789012:event-bus/exams"),
        ("arn:aws:events:eu-west-1:999999999999:event-bus/a.b", "arn:aws:events:eu-west-1:999999999999:event-bus/a.b"),
    ],
)
def test_the_permission_is_only_for_the_named_bus_by_name_or_by_arn(given: str, meant: str) -> None:
    """Evaluates CloudFormation's Sub, Split and Select."""
    document = RESOURCES["DispatchBusPolicy"]["Properties"]["PolicyDocument"]
    names = {
        "EventBusName": given,
        "AWS::Partition": "aws",
        "AWS::Region": "us-east-1",
        "AWS::AccountId": "123456789012",
    }

    def value(of: Any, known: Mapping[str, str] = names) -> Any:
        match of:
            case {"Fn::Sub": [str(text), dict(more)]}:
                return value({"Fn::Sub": text}, {**known, **{name: value(each) for name, each in more.items()}})
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([A-Za-z:]+)\}", lambda found: known[found[1]], text)
            case {"Fn::Split": [separator, source]}:
                return value(source).split(separator)
            case {"Fn::Select": [place, source]}:
                return value(source)[int(place)]
            case _:
                raise AssertionError(of)

    assert value(document["Statement"][0]["Resource"]) == meant


def test_poll_cannot_decrypt_secrets_of_endpoints() -> None:
    (found,) = [found for role, found in statements() if role == "PollRole" and found["Action"] == "kms:Decrypt"]
    ((name, pattern),) = found["Condition"]["StringLikeIfExists"].items()
    assert name == "kms:EncryptionContext:endpoint_id"
    assert fnmatchcase(erasure_key_owner("main"), pattern)
    assert not fnmatchcase("ep_0c2a6f0be0ad3b1d", pattern)


@pytest.mark.parametrize(("queue", "function"), [("DeliveryQueue", "DeliverFunction"), ("TickQueue", "PollFunction")])
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run(queue: str, function: str) -> None:
    visibility_s = RESOURCES[queue]["Properties"]["VisibilityTimeout"]
    assert visibility_s >= 6 * RESOURCES[function]["Properties"]["Timeout"]


def test_an_attempts_deadline_leaves_its_function_time_to_record_it() -> None:
    deliver = RESOURCES["DeliverFunction"]["Properties"]
    assert int(deliver["Environment"]["Variables"]["ATTEMPT_DEADLINE_SECONDS"]) <= deliver["Timeout"] / 2


def test_a_failed_record_is_retried_alone_and_kept_if_it_never_succeeds() -> None:
    dispatch = RESOURCES["DispatchFunction"]["Properties"]["Events"]
    queue = RESOURCES["DeliverFunction"]["Properties"]["Events"]["Queued"]
    stream = dispatch["StoredChanges"]["Properties"]
    for source in (stream, dispatch["GivenUp"]["Properties"], queue["Properties"]):
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"]
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DispatchFailureQueue", "Arn"]}
    assert RESOURCES["DeliveryQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == {
        "Fn::GetAtt": ["DeliveryDeadLetterQueue", "Arn"]
    }


def test_state_outlives_the_stack_but_not_a_first_deployment_that_fails() -> None:
    """Each failed try would leave five empty tables and a key, which costs money."""
    for name in [*of_type("AWS::DynamoDB::Table"), *of_type("AWS::KMS::Key")]:
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_state_can_be_restored() -> None:
    for table in of_type("AWS::DynamoDB::Table").values():
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert "TableName" not in table


def test_only_events_and_deliveries_expire() -> None:
    expiring = {
        name: table["TimeToLiveSpecification"]
        for name, table in of_type("AWS::DynamoDB::Table").items()
        if "TimeToLiveSpecification" in table
    }
    setting = {"AttributeName": "expires_at", "Enabled": True}
    assert expiring == {"EventsTable": setting, "DeliveriesTable": setting}


def test_the_tables_of_the_tests_are_the_tables_of_the_stack() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        tables.create_tables(client)
        for name, stacks in of_type("AWS::DynamoDB::Table").items():
            tests = client.describe_table(TableName=name.removesuffix("Table"))["Table"]
            assert tests["KeySchema"] == stacks["KeySchema"]
            by_name = sorted(tests["AttributeDefinitions"], key=lambda found: found["AttributeName"])
            assert by_name == sorted(stacks["AttributeDefinitions"], key=lambda found: found["AttributeName"])
            indexes = [
                {"IndexName": index["IndexName"], "KeySchema": index["KeySchema"], "Projection": index["Projection"]}
                for index in tests.get("GlobalSecondaryIndexes", [])
            ]
            assert indexes == stacks.get("GlobalSecondaryIndexes", [])
            view = tests.get("StreamSpecification", {}).get("StreamViewType")
            assert view == stacks.get("StreamSpecification", {}).get("StreamViewType")


@pytest.mark.parametrize("config", ["samconfig.toml", "src/examhook_cli/local/samconfig.toml"])
def test_every_deployment_tags_the_stack_and_no_resource_sets_tags_of_its_own(config: str) -> None:
    """CloudFormation copies stack tags to resources, so one setting decides the tags in cost reports."""
    environments = tomllib.loads((ROOT / config).read_text())
    deployments = [found["deploy"]["parameters"] for name, found in environments.items() if name != "version"]
    assert deployments
    assert [each["tags"] for each in deployments if 'application="examhook"' not in each["tags"]] == []
    assert [name for name, found in RESOURCES.items() if "Tags" in found["Properties"]] == []
    assert "Tags" not in TEMPLATE["Globals"]["Function"]


def test_no_resource_overrides_a_merged_key() -> None:
    """checkov cannot parse such a template, checks nothing and still succeeds."""

    def keys(node: yaml.MappingNode) -> Iterator[str]:
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                yield key.value
                continue
            for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                yield from keys(merged)

    def mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
        if isinstance(node, yaml.MappingNode):
            yield node
        for part in node.value if isinstance(node, yaml.CollectionNode) else []:
            for inner in part if isinstance(part, tuple) else (part,):
                yield from mappings(inner)

    root = yaml.compose((ROOT / "template.yaml").read_text(), yaml.SafeLoader)
    assert root is not None
    counted = [(node.start_mark.line + 1, Counter(keys(node))) for node in mappings(root)]
    assert len(counted) > len(RESOURCES)
    assert [(line, key) for line, found in counted for key, times in found.items() if times > 1] == []


def test_the_outputs_are_those_that_the_command_line_reads() -> None:
    assert TEMPLATE["Outputs"].keys() == OUTPUTS
    assert all(found["Description"] for found in TEMPLATE["Outputs"].values())


def test_every_parameter_is_described_grouped_and_labelled() -> None:
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"]) == sorted(interface["ParameterLabels"])
    assert all(found["Description"] for found in TEMPLATE["Parameters"].values())


def test_defaults_keep_to_their_own_constraints() -> None:
    for name, found in TEMPLATE["Parameters"].items():
        default = found["Default"]
        assert re.search(found.get("AllowedPattern", ""), str(default)), name
        assert default in found.get("AllowedValues", [default]), name
        assert found.get("MinValue", default) <= default <= found.get("MaxValue", default), name


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("ProviderBaseUrl", "https://exams.example.org/shop", True),
        ("ProviderBaseUrl", "http://127.0.0.1:8100", True),
        ("ProviderBaseUrl", "exams.example.org", False),
        ("ProviderBaseUrl", "https://me@exams.example.org", False),
        ("ProviderBaseUrl", "https://exams.example.org/?code=1", False),
        ("AccountName", "school-2", True),
        ("AccountName", "My School", False),
        ("AccountCodeSecretArn", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:exam/code-AbCdEf", True),
        ("AccountCodeSecretArn", "exam/code", False),
        ("NotificationEmail", "office@example.org", True),
        ("NotificationEmail", "office", False),
        ("WebhookUrls", "https://a.example/x, https://b.example/y?z=1", True),
        ("WebhookUrls", "a.example", False),
        ("EventBusName", "default", True),
        ("EventBusName", "arn:aws:events:eu-central-1:123456789012:event-bus/exams.main", True),
        ("EventBusName", "arn:aws:events:eu-central-1:123456789012:rule/exams", False),
        ("EventBusName", "aws.partner/exams", False),
    ],
)
def test_parameters_accept_valid_and_reject_invalid_values(parameter: str, value: str, allowed: bool) -> None:  # noqa: FBT001
    assert bool(re.search(TEMPLATE["Parameters"][parameter]["AllowedPattern"], value)) is allowed


def test_the_account_code_is_not_echoed() -> None:
    assert TEMPLATE["Parameters"]["AccountCode"]["NoEcho"] is True


def test_e_mail_does_not_get_types_that_are_off_by_default() -> None:
    (rule,) = RESOURCES["SubmissionsEmail"]["Properties"]["FilterPolicy"]["type"]
    assert rule.keys() == {"anything-but"}
    assert sorted(rule["anything-but"]) == sorted(OFF_BY_DEFAULT)


def test_a_poll_runs_no_longer_than_an_erasure_waits() -> None:
    assert RESOURCES["PollFunction"]["Properties"]["Timeout"] == LONGEST_POLL_S
