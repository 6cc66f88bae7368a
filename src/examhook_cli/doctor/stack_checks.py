"""Whether there is a stack to examine, and whether all of it is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from examhook_cli.doctor.finding import Finding, Verdict
from examhook_cli.doctor.inspected_stack import Patient
from examhook_cli.stack import find_stack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

OUTPUTS = (
    "AccountCodeSecretArn",
    "AccountName",
    "AllowHttpEndpoints",
    "AllowPrivateEndpoints",
    "DeliverFunctionName",
    "DeliveriesTableName",
    "DeliveryDeadLetterQueueUrl",
    "DeliveryQueueUrl",
    "DispatchFailureQueueUrl",
    "DispatchFunctionName",
    "EndpointsTableName",
    "EventsTableName",
    "ExamsTableName",
    "OperationsTopicArn",
    "PollFunctionName",
    "PollScheduleName",
    "RetentionDays",
    "RetryFunctionName",
    "RetryScheduleName",
    "SecretsKeyArn",
    "SubmissionsTableName",
    "SubmissionsTopicArn",
)
"""What a stack of this version tells of itself."""


def credentials(patient: Patient) -> Iterator[Finding]:
    """Who asks, and where; raises botocore's errors where nobody may."""
    client = patient.installation.client("sts")
    account: str = client.get_caller_identity()["Account"]
    yield Finding("credentials", Verdict.OK, f"AWS account {account}, region {client.meta.region_name}.")


def stack(patient: Patient) -> Iterator[Finding]:
    """The stack and its state; raises StackError."""
    name = patient.installation.stack_name
    find_stack(patient.installation.session, name)
    client: CloudFormationClient = patient.installation.client("cloudformation")
    status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    if "ROLLBACK" in status:
        said = f"Stack {name}: its last deployment failed and was taken back ({status})."
        yield Finding("stack", Verdict.WARNING, said, "See its events in CloudFormation, then deploy again.")
    else:
        yield Finding("stack", Verdict.OK, f"Stack {name} is deployed ({status}).")


def alarms(patient: Patient) -> Iterator[Finding]:
    """Which alarms of the stack ring."""
    name = patient.installation.stack_name
    found = patient.installation.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{name}-", StateValue="ALARM")
    ringing = [str(each["AlarmName"]).removeprefix(f"{name}-").rsplit("-", 1)[0] for each in found["MetricAlarms"]]
    for alarm in ringing:
        yield Finding("alarms", Verdict.WARNING, f"{alarm} rings.", f"See {alarm} in docs/runbook.md.")
    if not ringing:
        yield Finding("alarms", Verdict.OK, "None rings.")


def outputs(patient: Patient) -> Iterator[Finding]:
    """Whether the stack tells of itself all that this version needs."""
    missing = [key for key in OUTPUTS if key not in patient.installation.stack.outputs]
    if missing:
        said = f"The stack lacks outputs: {', '.join(missing)}."
        yield Finding("outputs", Verdict.PROBLEM, said, "It is of another version: deploy it again.")
    else:
        yield Finding("outputs", Verdict.OK, f"All {len(OUTPUTS)} outputs are there.")
