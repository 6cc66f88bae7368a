"""Checks of the path to receivers: topics, event bus, webhook endpoints and queues."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from examhook.delivery.endpoint import Endpoint
from examhook_cli.doctor.finding import CHECK_ERRORS, Check, Finding, Verdict, ok, problem, warning
from examhook_cli.doctor.inspected_stack import InspectedStack
from examhook_cli.output import counted, time_text

_MAX_COUNTED = 1000
_BACKLOG = 1000
"""Number of queued deliveries at which Deliver is too slow."""
_AGE_WINDOW_S = 900
_MAX_AGE_S = 300

FAILURE_QUEUES = {
    "DeliveryDeadLetterQueueUrl": (
        Verdict.PROBLEM,
        "messages that Deliver repeatedly failed to process",
        "See the log of Deliver. Retry sends their deliveries again; purge the queue when this works.",
    ),
    "DispatchFailureQueueUrl": (
        Verdict.WARNING,
        "batches that Dispatch failed to process",
        "Dispatch retries them within 15 minutes; if they remain, see the log of Dispatch.",
    ),
}
"""Queues that are empty in normal operation: verdict, content and advice if they are not."""


def subscriptions(stack: InspectedStack, topic: str) -> Iterator[Finding]:
    """Whether the subscriptions of a topic are confirmed; addresses are not shown."""
    pages = (
        stack.session.client("sns")
        .get_paginator("list_subscriptions_by_topic")
        .paginate(TopicArn=stack.output(f"{topic.capitalize()}TopicArn"))
    )
    arns = [each.get("SubscriptionArn", "") for page in pages for each in page["Subscriptions"]]
    pending = sum(not arn.startswith("arn:") for arn in arns)
    if pending:
        yield warning(
            f"{pending} of {len(arns)} subscriptions are not confirmed and receive nothing.",
            "Confirm each in the e-mail from AWS (check the spam folder), or subscribe again.",
        )
    elif arns:
        yield ok(f"Subscriptions: {len(arns)}, all confirmed.")
    elif topic == "operations":
        yield warning("Nobody is notified of failures.", "Deploy with OperationsEmail, or add a subscription.")
    else:
        yield ok("The topic has no subscription.")


def event_bus(stack: InspectedStack) -> Iterator[Finding]:
    """Whether the configured event bus exists; EventBridge silently discards events for a missing bus."""
    name = stack.environment("Dispatch").get("EVENT_BUS", "").strip()
    if not name:
        yield ok("No event bus is configured.")
        return
    client = stack.session.client("events")
    try:
        client.describe_event_bus(Name=name)
    except client.exceptions.ResourceNotFoundException:
        yield problem(f"Event bus {name} does not exist.", "Create it, or deploy with another EventBusName or none.")
    else:
        yield ok(f"Event bus {name} exists.")


def endpoints(stack: InspectedStack) -> Iterator[Finding]:
    """Number of webhook endpoints."""
    yield ok(f"The stack has {counted(len(stack.endpoints), 'webhook')}.")


def endpoint_checks(stack: InspectedStack) -> Iterator[Check]:
    """One check for each endpoint; none if they are unreadable, which ``endpoints`` reports."""
    try:
        listed = stack.endpoints
    except CHECK_ERRORS:
        return
    for each in listed:
        yield f"endpoint {each.endpoint_id}", partial(_endpoint, stack, each)


def _endpoint(stack: InspectedStack, endpoint: Endpoint) -> Iterator[Finding]:
    waiting = len(stack.installation.deliveries.waiting(endpoint.endpoint_id, _MAX_COUNTED))
    count = f"{waiting} or more" if waiting >= _MAX_COUNTED else str(waiting)
    suffix = f"; {count} deliveries wait for it" if waiting else ""
    health = endpoint.health
    show = f"examhook endpoints show {endpoint.endpoint_id}"
    if not endpoint.is_enabled:
        todo = f"Fix the receiver, then run examhook endpoints enable {endpoint.endpoint_id}, or remove the endpoint."
        yield warning(f"The endpoint is disabled{suffix}.", todo)
    elif health.is_down:
        text = f"Every attempt has failed since {time_text(health.failing_since)}{suffix}."
        yield problem(text, f"Fix the receiver; {show} prints the error.")
    elif health.failing_since is not None:
        yield warning(f"The last attempt failed{suffix}.", f"{show} prints the error.")
    else:
        yield ok(f"The endpoint accepts deliveries{suffix}.")


def failure_queue(stack: InspectedStack, output: str) -> Iterator[Finding]:
    """Whether a failure queue is empty."""
    verdict, content, todo = FAILURE_QUEUES[output]
    count = _message_count(stack, output)
    yield Finding(verdict, f"The queue contains {count} {content}.", todo) if count else ok("The queue is empty.")


def backlog(stack: InspectedStack) -> Iterator[Finding]:
    """Whether queued deliveries accumulate."""
    count = _message_count(stack, "DeliveryQueueUrl")
    text = f"About {count} deliveries are queued."
    todo = "This is normal after a replay or backfill; otherwise see the log of Deliver and the slowest endpoints."
    yield warning(text, todo) if count >= _BACKLOG else ok(text)


def delivery_age(stack: InspectedStack) -> Iterator[Finding]:
    """Maximum time that a delivery was queued in the last 15 minutes."""
    datapoints = stack.session.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": stack.output("DeliveryQueueUrl").rsplit("/", 1)[-1]}],
        StartTime=datetime.fromtimestamp(stack.now - _AGE_WINDOW_S, UTC),
        EndTime=datetime.fromtimestamp(stack.now, UTC),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    max_age_s = int(max((each["Maximum"] for each in datapoints), default=0))
    if max_age_s > _MAX_AGE_S:
        text = f"Deliveries were queued for up to {max_age_s} s."
        yield warning(text, "See the log of Deliver and the slowest endpoints.")
    else:
        yield ok(f"Deliveries were queued for at most {max_age_s} s." if datapoints else "No delivery was queued.")


def _message_count(stack: InspectedStack, output: str) -> int:
    """Approximate number of messages of a queue, including those in flight."""
    attributes = stack.session.client("sqs").get_queue_attributes(
        QueueUrl=stack.output(output),
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(int(count) for count in attributes.values())
