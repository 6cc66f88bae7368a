"""Checks of the credentials, the stack, its outputs and its alarms."""

from __future__ import annotations

from collections.abc import Iterator

from examhook_cli.doctor.finding import Finding, ok, problem, warning
from examhook_cli.doctor.inspected_stack import InspectedStack

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
"""Outputs of a stack of this version."""


def credentials(stack: InspectedStack) -> Iterator[Finding]:
    """AWS account and region; raises botocore's errors."""
    client = stack.session.client("sts")
    account = client.get_caller_identity()["Account"]
    yield ok(f"AWS account {account}, region {client.meta.region_name}.")


def stack(stack: InspectedStack) -> Iterator[Finding]:
    """State of the stack; raises StackError."""
    name, status = stack.installation.stack_name, stack.installation.stack.status
    if "ROLLBACK" in status:
        text = f"The last deployment of stack {name} failed and was rolled back ({status})."
        yield warning(text, "Read its events in CloudFormation, then deploy again.")
    else:
        yield ok(f"Stack {name} is deployed ({status}).")


def alarms(stack: InspectedStack) -> Iterator[Finding]:
    """Alarms of the stack that fire."""
    prefix = f"{stack.installation.stack_name}-"
    response = stack.session.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM")
    names = [str(each["AlarmName"]).removeprefix(prefix).rsplit("-", 1)[0] for each in response["MetricAlarms"]]
    for name in names:
        yield warning(f"{name} fires.", f"See {name} in docs/runbook.md.")
    if not names:
        yield ok("No alarm fires.")


def outputs(stack: InspectedStack) -> Iterator[Finding]:
    """Whether the stack has all outputs of this version."""
    missing = [key for key in OUTPUTS if key not in stack.installation.stack.outputs]
    if missing:
        yield problem(f"The stack lacks outputs: {', '.join(missing)}.", "Deploy the stack again with this version.")
    else:
        yield ok(f"The stack has all {len(OUTPUTS)} outputs.")
