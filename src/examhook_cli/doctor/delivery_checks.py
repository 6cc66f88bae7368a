"""Whether events reach anybody: subscriptions, endpoints, what waits for them, and the queues between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from examhook.delivery.endpoint import Endpoint
from examhook_cli.doctor.finding import Finding, Verdict
from examhook_cli.doctor.inspected_stack import Patient
from examhook_cli.output import time_text

WAITING_SHOWN = 1000
BACKLOG = 1000
"""So many deliveries that are to be tried now mean that they come faster than they go."""
AGE_WINDOW_S = 900
LONGEST_AGE_S = 300

QUEUES = {
    "DeliveryDeadLetterQueueUrl": (
        Verdict.PROBLEM,
        "messages that Deliver failed on again and again",
        "See the log of Deliver. Their deliveries are tried again by Retry; purge the queue when all is well.",
    ),
    "DispatchFailureQueueUrl": (
        Verdict.WARNING,
        "batches that Dispatch gave up on",
        "They are repaired by themselves within a quarter of an hour; if they stay, see the log of Dispatch.",
    ),
}
"""Queues that should be empty: how bad it is when they are not, what is in them, what to do."""


def subscriptions(patient: Patient, topic: str) -> Iterator[Finding]:
    """Whether those who subscribed to a topic get anything; addresses are not shown."""
    check = f"{topic} topic"
    pages = patient.topics.get_paginator("list_subscriptions_by_topic").paginate(
        TopicArn=patient.output(f"{topic.capitalize()}TopicArn")
    )
    arns = [each.get("SubscriptionArn", "") for page in pages for each in page["Subscriptions"]]
    pending = sum(not arn.startswith("arn:") for arn in arns)
    if pending:
        said = f"{pending} of its {len(arns)} subscriptions wait to be confirmed and get nothing."
        todo = "Open AWS's message to that address (look in the spam folder too) and confirm; or subscribe it again."
        yield Finding(check, Verdict.WARNING, said, todo)
    elif not arns and topic == "operations":
        said = "Nobody would hear of trouble."
        yield Finding(check, Verdict.WARNING, said, "Deploy with OperationsEmail, or subscribe something to the topic.")
    else:
        yield Finding(
            check, Verdict.OK, f"Subscriptions: {len(arns)}, all confirmed." if arns else "Nobody subscribed."
        )


def endpoints(patient: Patient) -> Iterator[Finding]:
    """How each webhook has been doing."""
    found = patient.installation.endpoints.list_all()
    if not found:
        yield Finding("endpoints", Verdict.OK, "There are no webhooks.")
    for endpoint in found:
        yield _endpoint(patient, endpoint)


def _endpoint(patient: Patient, endpoint: Endpoint) -> Finding:
    check = f"endpoint {endpoint.endpoint_id}"
    waiting = len(patient.installation.deliveries.waiting(endpoint.endpoint_id, WAITING_SHOWN))
    count = f"{waiting} or more" if waiting >= WAITING_SHOWN else str(waiting)
    waits = f"; {count} deliveries wait for it" if waiting else ""
    health = endpoint.health
    show = f"examhook endpoints show {endpoint.endpoint_id}"
    if not endpoint.is_enabled:
        todo = f"Fix it, then examhook endpoints enable {endpoint.endpoint_id}, or remove it."
        return Finding(check, Verdict.WARNING, f"It is disabled and gets nothing until it is enabled{waits}.", todo)
    if health.is_down:
        said = f"It has done nothing but fail since {time_text(health.failing_since)}{waits}."
        return Finding(check, Verdict.PROBLEM, said, f"Mend the receiver; {show} says how it fails.")
    if health.failing_since is not None:
        return Finding(check, Verdict.WARNING, f"Its last attempt failed{waits}.", f"{show} says how.")
    return Finding(check, Verdict.OK, f"It takes what it is sent{waits}.")


def queue(patient: Patient, output: str) -> Iterator[Finding]:
    """Whether a queue is empty that should be."""
    verdict, what, todo = QUEUES[output]
    check = f"queue {output.removesuffix('Url')}"
    count = _messages(patient, output)
    if count:
        yield Finding(check, verdict, f"It holds {count} {what}.", todo)
    else:
        yield Finding(check, Verdict.OK, "It is empty.")


def backlog(patient: Patient) -> Iterator[Finding]:
    """Whether deliveries that are to be tried now pile up."""
    count = _messages(patient, "DeliveryQueueUrl")
    if count >= BACKLOG:
        said = f"About {count} deliveries are to be tried now."
        todo = "After a replay or a backfill that passes; else see the log of Deliver and the slowest endpoints."
        yield Finding("queue DeliveryQueue", Verdict.WARNING, said, todo)
    else:
        yield Finding("queue DeliveryQueue", Verdict.OK, f"About {count} deliveries are to be tried now.")


def delivery_age(patient: Patient) -> Iterator[Finding]:
    """How long the oldest delivery waited for its turn within the last quarter of an hour."""
    name = patient.output("DeliveryQueueUrl").rsplit("/", 1)[-1]
    figures = patient.installation.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=datetime.fromtimestamp(patient.now - AGE_WINDOW_S, UTC),
        EndTime=datetime.fromtimestamp(patient.now, UTC),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    oldest_s = int(max((each["Maximum"] for each in figures), default=0))
    if oldest_s > LONGEST_AGE_S:
        said = f"Deliveries waited up to {oldest_s} s for their turn."
        yield Finding("delivery age", Verdict.WARNING, said, "See the log of Deliver and the slowest endpoints.")
    else:
        said = f"Deliveries waited {oldest_s} s at most for their turn." if figures else "Nothing waited lately."
        yield Finding("delivery age", Verdict.OK, said)


def event_bus(patient: Patient) -> Iterator[Finding]:
    """Whether the bus that the stack names is there: EventBridge takes events for one that is not, and drops them."""
    name = patient.environment("Dispatch").get("EVENT_BUS", "").strip()
    if not name:
        yield Finding("event bus", Verdict.OK, "The stack names none.")
        return
    try:
        patient.installation.client("events").describe_event_bus(Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        said = f"There is no event bus {name}."
        yield Finding("event bus", Verdict.PROBLEM, said, "Create it, or deploy with another EventBusName or none.")
    else:
        yield Finding("event bus", Verdict.OK, f"{name} is there.")


def _messages(patient: Patient, output: str) -> int:
    """Messages of a queue, those in somebody's hands included; about so many."""
    found = patient.queues.get_queue_attributes(
        QueueUrl=patient.output(output),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(int(count) for count in found["Attributes"].values())
