"""Monitoring of the deployed stack: its alarms, its dashboard and its metrics."""

from __future__ import annotations

import json

import pytest

from examhook.metrics import Metric
from tests.support.emulator.local_installation import LocalInstallation

pytestmark = pytest.mark.e2e


def figures(installation: LocalInstallation, function: str) -> dict[str, dict[str, object]]:
    """The newest line of each metric that a function wrote, by metric."""
    logs = installation.session.client("logs", endpoint_url=installation.url)
    events = [
        event["message"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=f"/examhook/examhook/{function}")
        for event in page["events"]
        if "CloudWatchMetrics" in event["message"]
    ]
    documents = [json.loads(event) for event in events]
    return {
        metric["Name"]: document
        for document in documents
        for directive in document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def test_metrics_are_logged_as_whole_lines_with_the_stacks_name(installation: LocalInstallation) -> None:
    installation.poll()
    polled = figures(installation, "poll")[Metric.POLL_AGE]
    assert polled.items() >= {"stack": "examhook", "account": "main", Metric.POLL_AGE: [0.0]}.items()
    assert figures(installation, "retry")[Metric.DELIVERIES_OVERDUE]["stack"] == "examhook"


def test_every_alarm_notifies_the_operations_topic_and_is_on_the_dashboard(installation: LocalInstallation) -> None:
    cloudwatch = installation.session.client("cloudwatch", endpoint_url=installation.url)
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="examhook-")["MetricAlarms"]
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {
        installation.outputs["OperationsTopicArn"]
    }
    body = json.loads(cloudwatch.get_dashboard(DashboardName=installation.outputs["DashboardName"])["DashboardBody"])
    (shown,) = [widget["properties"]["alarms"] for widget in body["widgets"] if widget["type"] == "alarm"]
    assert sorted(shown) == sorted(alarm["AlarmArn"] for alarm in alarms)
