"""All output of a local stack that must not contain secrets: logs, metrics, queues, and output of commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tests.support.emulator.local_installation import LocalInstallation

COMMANDS = (
    *(("events", "list"), ("events", "list", "--json"), ("deliveries", "list"), ("deliveries", "list", "--json")),
    *(("endpoints", "list"), ("endpoints", "list", "--json"), ("poll",), ("poll", "--json"), ("poll", "--full")),
    *(("events", "redrive", "--since", "1d", "--dry-run"), ("events", "replay", "--since", "1d", "--dry-run")),
)
"""Commands that are not there to show names, links or secrets."""


def gathered(installation: LocalInstallation) -> Iterator[tuple[str, str]]:
    """All output, by source."""
    yield from _logs(installation)
    yield from _metrics(installation)
    yield from _queues(installation)
    yield "what sam printed", (installation.state / "deploy.log").read_text()
    yield "what the emulator printed", (installation.state / "emulator.log").read_text()
    for endpoint in _endpoint_ids(installation):
        done = installation.examhook("endpoints", "show", endpoint)
        yield f"examhook endpoints show {endpoint}", done.out + done.err
    for command in COMMANDS:
        done = installation.examhook(*command)
        yield f"examhook {' '.join(command)}", done.out + done.err
    done = installation.local("logs")
    yield "examhook local logs", done.out + done.err


def _endpoint_ids(installation: LocalInstallation) -> list[str]:
    listed = installation.examhook("endpoints", "list", "--json").json()
    assert isinstance(listed, list)
    return [endpoint["id"] for endpoint in listed]


def _logs(installation: LocalInstallation) -> Iterator[tuple[str, str]]:
    client = installation.session.client("logs", endpoint_url=installation.url)
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield from ((f"log {name}", event["message"]) for event in events["events"])


def _metrics(installation: LocalInstallation) -> Iterator[tuple[str, str]]:
    client = installation.session.client("cloudwatch", endpoint_url=installation.url)
    for page in client.get_paginator("list_metrics").paginate():
        yield "metrics", json.dumps(page["Metrics"], default=str)
    yield "alarms", json.dumps(client.describe_alarms(), default=str)


def _queues(installation: LocalInstallation) -> Iterator[tuple[str, str]]:
    """Messages on the failure queues, which stay there."""
    client = installation.session.client("sqs", endpoint_url=installation.url)
    for output in ("DispatchFailureQueueUrl", "DeliveryDeadLetterQueueUrl", "DeliveryQueueUrl"):
        url = installation.outputs[output]
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        yield from ((output, message["Body"]) for message in answer.get("Messages", []))


def findings(places: Iterator[tuple[str, str]], secrets: Mapping[str, str]) -> tuple[list[str], int]:
    """Which secret (by name) occurs where, and the number of checked sources."""
    found, looked_at = [], 0
    for where, text in places:
        looked_at += 1
        # JSON may write them otherwise: an accent as \\u00e9, a slash as \\/.
        plain = text.replace("\\/", "/")
        found += [
            f"{name} in {where}"
            for name, secret in secrets.items()
            if secret.casefold() in plain.casefold() or json.dumps(secret)[1:-1].casefold() in plain.casefold()
        ]
    return found, looked_at
