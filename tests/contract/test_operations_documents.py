"""The metrics, alarms, dashboard and runbook of operators match the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from examhook.metrics import ALWAYS_WRITTEN, DEFINITIONS, DIMENSION, NAMESPACE, Metric, write_metrics
from tests.support.template.translated_template import STACK, StackTemplate

ROOT = Path(__file__).parents[2]
TEMPLATE = StackTemplate({"AccountCode": "a-code"})
ALARMS = TEMPLATE.of_type("AWS::CloudWatch::Alarm")
TOPIC = TEMPLATE.resources["OperationsTopicPolicy"]["Properties"]
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
(DASHBOARD,) = TEMPLATE.of_type("AWS::CloudWatch::Dashboard").values()
WIDGETS = json.loads(DASHBOARD["DashboardBody"])["widgets"]
AWS_METRICS = {
    ("AWS/Lambda", "FunctionName"): ({"Duration", "Errors", "IteratorAge", "Throttles"}, "AWS::Lambda::Function"),
    ("AWS/SNS", "TopicName"): ({"NumberOfNotificationsDelivered"}, "AWS::SNS::Topic"),
    ("AWS/SQS", "QueueName"): (
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        },
        "AWS::SQS::Queue",
    ),
}
"""Metrics that AWS publishes by itself, by namespace and dimension, and of which resources."""
OWN_COSTS_USD, ALARM_COSTS_USD = 0.30, 0.10


def is_published(namespace: str, name: str, dimension: str, value: str) -> bool:
    """Whether this stack publishes the metric."""
    if namespace == NAMESPACE:
        return (dimension, value) == (DIMENSION, STACK) and name in set(Metric)
    names, kind = AWS_METRICS[namespace, dimension]
    return name in names and value in TEMPLATE.of_type(kind)


def test_every_metric_has_a_definition() -> None:
    assert set(DEFINITIONS) == set(Metric)
    assert {each.function for each in DEFINITIONS.values()} == {"Poll", "Dispatch", "Deliver", "Retry"}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_uses_a_published_metric_and_notifies_the_operators(name: str) -> None:
    alarm = ALARMS[name]
    ((dimension, value),) = [(each["Name"], each["Value"]) for each in alarm["Dimensions"]]
    assert is_published(alarm["Namespace"], alarm["MetricName"], dimension, value)
    assert alarm["AlarmActions"] == TOPIC["Topics"]
    assert int(alarm["Period"]) * int(alarm["EvaluationPeriods"]) <= 86_400, "what CloudWatch allows"


def test_only_alarms_on_metrics_that_are_always_written_treat_missing_data_as_a_failure() -> None:
    strict = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["TreatMissingData"] == "breaching"}
    assert strict == {metric.value for metric in ALWAYS_WRITTEN}


def test_cloudwatch_allows_the_longest_period_of_the_stall_alarm() -> None:
    longest = StackTemplate({"AccountCode": "a-code", "StalledAfterMinutes": "1440"})
    alarm = longest.of_type("AWS::CloudWatch::Alarm")["PollStalledAlarm"]
    assert int(alarm["Period"]) * int(alarm["EvaluationPeriods"]) == 86_400


def test_cloudwatch_may_publish_for_alarms_of_this_stack_only() -> None:
    (statement,) = TOPIC["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert [statement["Resource"]] == TOPIC["Topics"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{STACK}-*"},
    }
    topic = TEMPLATE.resources["OperationsTopic"]["Properties"]
    assert "KmsMasterKeyId" not in topic, "alarms cannot use alias/aws/sns"
    # CloudFormation names alarms after the stack; a name of our own would slip through the condition.
    assert not [name for name, alarm in ALARMS.items() if "AlarmName" in alarm]


def test_the_dashboard_shows_every_alarm_and_only_metrics_that_are_published() -> None:
    shown = [widget["properties"]["alarms"] for widget in WIDGETS if widget["type"] == "alarm"]
    assert shown == [[f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{STACK}-{name}" for name in ALARMS]]
    drawn = [metric for widget in WIDGETS for metric in widget["properties"].get("metrics", [])]
    assert [metric[:4] for metric in drawn if not is_published(*metric[:4])] == []
    assert {metric[1] for metric in drawn if metric[0] == NAMESPACE} == set(Metric) - {Metric.ENDPOINTS_DISABLED}
    assert len(drawn) <= 50, "what a free dashboard may hold"


@pytest.mark.parametrize("name", TEMPLATE.of_type("AWS::Lambda::Function"))
def test_every_function_has_alarms_for_errors_and_throttles_and_its_lines_on_the_dashboard(name: str) -> None:
    of_function = [{"Name": "FunctionName", "Value": name}]
    rung = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Dimensions"] == of_function}
    assert rung >= {"Errors", "Throttles"}
    drawn = [metric for widget in WIDGETS for metric in widget["properties"].get("metrics", [])]
    shown = {metric[1] for metric in drawn if metric[:1] + metric[2:4] == ["AWS/Lambda", "FunctionName", name]}
    assert shown >= {"Errors", "Throttles", "Duration"}
    assert f"`{name.removesuffix('Function').lower()}`" in RUNBOOK or name == "PollFunction", "where its log is"


def test_the_dashboards_widgets_fill_its_grid_without_overlap() -> None:
    taken = [
        (x, y)
        for widget in WIDGETS
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(taken) == len(set(taken))
    assert {x for x, _ in taken} == set(range(24))


def test_the_dashboards_log_table_shows_fields_that_poll_logs() -> None:
    (table,) = [widget["properties"] for widget in WIDGETS if widget["type"] == "log"]
    assert table["query"].startswith(
        f"SOURCE '{TEMPLATE.resources['PollFunction']['Properties']['LoggingConfig']['LogGroup']}'"
    )
    handler = (ROOT / "src/examhook/handlers/poll.py").read_text()
    for field in re.findall(r"examhook\.(\w+)", table["query"]):
        assert f"{field}=" in handler, field


def test_the_runbook_has_a_whole_paragraph_for_each_alarm_and_for_nothing_else() -> None:
    paragraphs = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", RUNBOOK, re.DOTALL | re.MULTILINE))
    assert list(paragraphs) == list(ALARMS)
    for name, text in paragraphs.items():
        assert re.findall(r"^\*(\w+):\*", text, re.MULTILINE) == ["Means", "See", "Do"], name
        assert ALARMS[name]["AlarmDescription"].endswith(f" docs/runbook.md: {name}.")


def test_the_runbook_names_commands_and_options_that_exist() -> None:
    reference = (ROOT / "docs/commands.md").read_text()
    sections = dict(
        re.findall(
            r"^## `examhook ([a-z][a-z-]*(?: [a-z][a-z-]*)*).*?`$(.*?)(?=^## |\Z)", reference, re.DOTALL | re.MULTILINE
        )
    )
    named = re.findall(r"`examhook ([^`]+)`", RUNBOOK)
    assert len(named) > 10
    for command in named:
        path = command if command in sections else " ".join(command.split()[:2])
        path = path if path in sections else command.split()[0]
        assert path in sections, command
        assert [option for option in re.findall(r"--[a-z-]+", command) if option not in sections[path]] == [], command


def test_the_readme_states_the_cost_of_the_alarms() -> None:
    readme = (ROOT / "README.md").read_text()
    assert f"| {len(ALARMS)} alarms | {len(ALARMS) * ALARM_COSTS_USD:.2f} |" in readme
    assert f"| {len(ALWAYS_WRITTEN) * OWN_COSTS_USD:.2f} to " in readme


def test_metrics_without_information_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"STACK_NAME": "school"}
    write_metrics(environ, {Metric.POLLS_FAILED: 0, Metric.POLL_AGE: None, Metric.ROWS_SKIPPED: False})
    assert capsys.readouterr().out == ""
    write_metrics(environ, {Metric.POLLS_FAILED: 0, Metric.POLL_AGE: 0}, account="north")
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert document.keys() == {"_aws", "stack", "account", "PollAge"}
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Examhook",
        "Dimensions": [["stack"]],
        "Metrics": [{"Name": "PollAge", "Unit": "Seconds"}],
    }


def test_a_function_without_a_stack_name_still_works(capsys: pytest.CaptureFixture[str]) -> None:
    write_metrics({}, {Metric.POLL_AGE: 1})
    assert json.loads(capsys.readouterr().out)["stack"] == "unnamed"
