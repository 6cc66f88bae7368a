"""``examhook doctor`` on a whole installation in moto: healthy, and broken in one place at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from examhook.storage.exams import CodeRejection
from tests.support.aws.api_calls import API_CALL, api_call
from tests.support.cli.doctor_stack import Clinic, clinic
from tests.support.storage.tables import EVENTS, SUBMISSIONS


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    with clinic(monkeypatch) as made:
        yield made


def deny(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """Let AWS refuse one operation."""
    call = api_call()

    def checked(client: BaseClient, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if name == operation:
            message = f"User: u is not authorized to perform: {client.meta.service_model.signing_name}:{name} on r"
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, name)
        return call(client, name, arguments)

    monkeypatch.setattr(BaseClient, API_CALL, checked)


def test_a_healthy_installation_is_all_ok_and_exit_status_0(patient: Clinic) -> None:
    finished = patient.run()
    header, *lines = finished.out.splitlines()
    assert header == "VERDICT\tCHECK\tSAID\tTODO"
    assert {line.split("\t")[0] for line in lines} == {"ok"}, finished.out
    assert len(lines) > 30
    assert (finished.exit_code, finished.err) == (0, "")


def test_nothing_that_is_secret_is_shown(patient: Clinic) -> None:
    patient.stack.world.endpoint("https://hooks.example/made-up-token")
    said = patient.run().out + patient.run("--json").out
    for kept_back in ("made-up-code", "made-up-token", "hooks.example"):
        assert kept_back not in said


def test_the_worst_delays_are_computed_from_the_settings(patient: Clinic) -> None:
    patient.configure("Poll", FULL_PASS_MINUTES="30", POLL_SECONDS="10")
    (finding,) = patient.findings()["delay of main"]
    assert finding["said"].startswith(
        "Changes in the exam list and ends of running attempts: 70 s; other new attempts: 6 min"
    )


def test_the_source_of_ticks_may_be_off_with_a_poll_a_minute(patient: Clinic) -> None:
    break_source("Poll", ":sqs:")(patient)
    patient.configure("Poll", POLL_SECONDS="60")
    assert patient.verdicts("source of Poll") == []


def break_schedule(name: str, **changes: str) -> Callable[[Clinic], None]:
    def act(patient: Clinic) -> None:
        scheduler = boto3.client("scheduler")
        kept = scheduler.get_schedule(Name=patient.output(f"{name}ScheduleName"))
        wanted = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
        scheduler.update_schedule(**{**{key: kept[key] for key in wanted}, **changes})

    return act


def break_source(function: str, part: str, *, remove: bool = False) -> Callable[[Clinic], None]:
    def act(patient: Clinic) -> None:
        functions = boto3.client("lambda")
        found = functions.list_event_source_mappings(FunctionName=patient.output(f"{function}FunctionName"))
        for mapping in found["EventSourceMappings"]:
            if part not in mapping["EventSourceArn"]:
                continue
            if remove:
                functions.delete_event_source_mapping(UUID=mapping["UUID"])
            else:
                functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    return act


def fill(output: str) -> Callable[[Clinic], None]:
    def act(patient: Clinic) -> None:
        boto3.client("sqs").send_message(QueueUrl=patient.output(output), MessageBody="{}")

    return act


def give_up_a_batch(patient: Clinic) -> None:
    # Here nothing takes it off again at once, as moto would for a queue that leads to a function.
    patient.stack.front.outputs["DispatchFailureQueueUrl"] = boto3.client("sqs").create_queue(QueueName="a")["QueueUrl"]
    fill("DispatchFailureQueueUrl")(patient)


def drop_backups(_patient: Clinic) -> None:
    boto3.client("dynamodb").update_continuous_backups(
        TableName=SUBMISSIONS, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def drop_expiry(_patient: Clinic) -> None:
    boto3.client("dynamodb").update_time_to_live(
        TableName=EVENTS, TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": False}
    )


def drop_stream(_patient: Clinic) -> None:
    boto3.client("dynamodb").update_table(TableName=SUBMISSIONS, StreamSpecification={"StreamEnabled": False})


def drop_table(_patient: Clinic) -> None:
    boto3.client("dynamodb").delete_table(TableName=EVENTS)


def remove_secret(patient: Clinic) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId=patient.output("AccountCodeSecretArn"))


def refuse(patient: Clinic, *, plain: bool = True) -> None:
    now = int(time.time())
    versions = boto3.client("secretsmanager").describe_secret(SecretId=patient.output("AccountCodeSecretArn"))
    (version,) = versions["VersionIdsToStages"]
    patient.record(refusal=CodeRejection(version, now - 600, now, plain=plain))


def leave_alone(patient: Clinic) -> None:
    patient.record(left_alone_until=int(time.time()) + 600)


def refuse_and_change(patient: Clinic) -> None:
    refuse(patient)
    boto3.client("secretsmanager").put_secret_value(
        SecretId=patient.output("AccountCodeSecretArn"), SecretString="another-code"
    )


def fall_silent(patient: Clinic) -> None:
    patient.polled(ago_s=7200)


def unsubscribe_operations(patient: Clinic) -> None:
    sns = boto3.client("sns")
    for each in sns.list_subscriptions_by_topic(TopicArn=patient.output("OperationsTopicArn"))["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def complain_in_log(_patient: Clinic) -> None:
    message = '{"level": "ERROR", "errorType": "ClientError"}'
    boto3.client("logs").put_log_events(
        logGroupName="/examhook/examhook/deliver",
        logStreamName="one",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": message}],
    )


def let_deliveries_age(patient: Clinic) -> None:
    name = patient.output("DeliveryQueueUrl").rsplit("/", 1)[-1]
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": name}],
                "Value": 900.0,
                "Timestamp": datetime.fromtimestamp(time.time() - 120, UTC),
            }
        ],
    )


def ring(_patient: Clinic) -> None:
    cloudwatch = boto3.client("cloudwatch")
    name = "examhook-PollStalledAlarm-1A2B3C"
    cloudwatch.put_metric_alarm(AlarmName=name, EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="made up")


def spoil_settings(patient: Clinic) -> None:
    patient.configure("Dispatch", RETENTION_DAYS=None)


def lose_output(patient: Clinic) -> None:
    del patient.stack.front.outputs["OperationsTopicArn"]


def roll_back(patient: Clinic) -> None:
    patient.stack.front.status = "UPDATE_ROLLBACK_COMPLETE"


def delete_bus(_patient: Clinic) -> None:
    boto3.client("events").delete_event_bus(Name="exams")


BROKEN: list[tuple[str, Callable[[Clinic], None], str, str]] = [
    ("rolled back", roll_back, "stack", "warning"),
    ("no output", lose_output, "outputs", "problem"),
    ("alarm", ring, "alarms", "warning"),
    ("bad settings", spoil_settings, "function Dispatch", "problem"),
    ("not polling", break_schedule("Poll", State="DISABLED"), "schedule of Poll", "warning"),
    ("no retries", break_schedule("Retry", State="DISABLED"), "schedule of Retry", "problem"),
    ("uneven polls", break_schedule("Poll", ScheduleExpression="cron(0 * * * ? *)"), "delay of main", "warning"),
    ("ticks off", break_source("Poll", ":sqs:"), "source of Poll", "problem"),
    ("stream off", break_source("Dispatch", ":dynamodb:"), "source of Dispatch", "problem"),
    ("repairs gone", break_source("Dispatch", ":sqs:", remove=True), "source of Dispatch", "problem"),
    ("queue off", break_source("Deliver", ":sqs:"), "source of Deliver", "problem"),
    ("errors", complain_in_log, "log of Deliver", "warning"),
    ("no stream", drop_stream, "table Submissions", "problem"),
    ("no table", drop_table, "table Events", "problem"),
    ("no backups", drop_backups, "backups of Submissions", "warning"),
    ("no expiry", drop_expiry, "expiry of Events", "warning"),
    ("no bus", delete_bus, "event bus", "problem"),
    ("nobody hears", unsubscribe_operations, "operations topic", "warning"),
    ("dead letters", fill("DeliveryDeadLetterQueueUrl"), "queue DeliveryDeadLetterQueue", "problem"),
    ("given up", give_up_a_batch, "queue DispatchFailureQueue", "warning"),
    ("old deliveries", let_deliveries_age, "delivery age", "warning"),
    ("no code", remove_secret, "account code", "problem"),
    ("refused", refuse, "account main", "problem"),
    ("left alone", leave_alone, "account main", "warning"),
    ("refused in other words", partial(refuse, plain=False), "account main", "problem"),
    ("refused, new code", refuse_and_change, "account main", "warning"),
    ("silent", fall_silent, "account main", "problem"),
]


@pytest.mark.parametrize(("act", "check", "verdict"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_is_broken_is_found_and_said_what_to_do(
    patient: Clinic, act: Callable[[Clinic], None], check: str, verdict: str
) -> None:
    act(patient)
    findings = patient.findings()
    assert verdict in [each["verdict"] for each in findings[check]], findings[check]
    bad = [each for said in findings.values() for each in said if each["verdict"] in {"problem", "warning"}]
    assert all(each["said"] and each["todo"] for each in bad)
    assert patient.exit_code == (1 if any(each["verdict"] == "problem" for each in bad) else 0)


def test_subscriptions_that_wait_to_be_confirmed_are_counted_without_their_addresses(
    patient: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto confirms by itself; this is how SNS lists one that nobody confirmed."""
    call = api_call()

    def answered(client: BaseClient, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = call(client, name, arguments)
        if name == "ListSubscriptionsByTopic":
            waiting = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "me@school.example"}
            answer["Subscriptions"].append(waiting)
        return answer

    monkeypatch.setattr(BaseClient, API_CALL, answered)
    finished = patient.run()
    (line,) = (line for line in finished.out.splitlines() if "submissions topic" in line)
    assert line.startswith("warning\tsubmissions topic\t1 of 2 subscriptions are not confirmed")
    assert "school.example" not in finished.out
    assert finished.exit_code == 0


def test_endpoints_are_told_by_how_they_do_and_what_waits(patient: Clinic) -> None:
    world = patient.stack.world
    good, down, off = (world.endpoint(f"https://{name}.example/hook")[0] for name in ("good", "down", "off"))
    for nth in range(1, 4):
        world.delivery(down, nth)
        world.endpoints.record_outcome(down.endpoint_id, int(world.clock.at), "it answered 500")
    world.endpoints.disable(off.endpoint_id, "by hand", int(world.clock.at))
    findings = patient.findings()
    verdicts = {
        name: findings[f"endpoint {each.endpoint_id}"][0]
        for name, each in {"good": good, "down": down, "off": off}.items()
    }
    assert [verdicts[name]["verdict"] for name in ("good", "down", "off")] == ["ok", "problem", "warning"]
    assert "3 deliveries wait" in verdicts["down"]["said"]


def test_a_first_poll_that_never_completed_is_reported(patient: Clinic) -> None:
    patient.record(completed_at=None)
    assert patient.verdicts("account main") == ["warning"]


def test_further_accounts_are_looked_at_too(patient: Clinic) -> None:
    secrets = boto3.client("secretsmanager")
    listed = '{"north": {"code": "made-up-code-2"}, "Bad Name": {"code": "made-up-code-3"}}'
    arn = secrets.create_secret(Name="accounts", SecretString=listed)["ARN"]
    patient.configure("Poll", ACCOUNTS_SECRET_ARN=arn)
    patient.polled(account="north")
    findings = patient.findings()
    assert [each["verdict"] for each in findings["account north"]] == ["ok"]
    assert [each["verdict"] for each in findings["accounts secret"]] == ["problem"]
    assert "made-up-code" not in str(findings)


@pytest.mark.parametrize(
    ("operation", "check"),
    [
        ("GetCallerIdentity", "credentials"),
        ("GetFunctionConfiguration", "function Poll"),
        ("ListEventSourceMappings", "source of Deliver"),
        ("GetSchedule", "schedule of Retry"),
        ("FilterLogEvents", "log of Poll"),
        ("DescribeTable", "table Exams"),
        ("DescribeContinuousBackups", "backups of Exams"),
        ("DescribeTimeToLive", "expiry of Events"),
        ("ListSubscriptionsByTopic", "operations topic"),
        ("GetQueueAttributes", "queue DeliveryQueue"),
        ("GetMetricStatistics", "delivery age"),
        ("DescribeEventBus", "event bus"),
        ("DescribeSecret", "account code"),
        ("DescribeAlarms", "alarms"),
        ("Scan", "endpoints"),
    ],
)
def test_a_missing_right_makes_its_check_unknown_and_hides_no_other(
    patient: Clinic, monkeypatch: pytest.MonkeyPatch, operation: str, check: str
) -> None:
    whole = patient.findings().keys()
    deny(monkeypatch, operation)
    findings = patient.findings()
    (finding,) = findings[check]
    assert finding["verdict"] == "unknown"
    assert operation in finding["said"]
    assert findings.keys() >= whole
    verdicts = {each["verdict"] for said in findings.values() for each in said}
    assert verdicts == {"ok", "unknown"}, "a right that is missing is no problem of the installation"


def test_without_a_stack_there_is_one_problem_and_nothing_is_guessed(patient: Clinic) -> None:
    patient.stack.front.refusal = (400, "ValidationError", "Stack with id examhook does not exist")
    findings = patient.findings()
    assert list(findings) == ["credentials", "stack"]
    assert findings["stack"][0]["verdict"] == "problem"
    assert patient.run().exit_code == 1


def test_the_provider_is_asked_only_when_that_is_wished(patient: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    polls: list[Any] = []

    def polled(_installation: object, **wish: object) -> dict[str, object]:
        polls.append(wish)
        return {"requests": 2, "complete": False, "errors": ["The provider refuses the account code."]}

    monkeypatch.setattr("examhook_cli.commands.doctor.run_poll", polled)
    assert "poll" not in patient.findings()
    assert polls == []
    assert [each["verdict"] for each in patient.findings("--poll")["poll"]] == ["problem"]
    assert len(polls) == 1
