"""Checks of the functions: configuration, triggers, schedules and logged errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from examhook.detection.intervals import MINUTE_S
from examhook.settings import (
    DeliverSettings,
    DispatchSettings,
    PollSettings,
    RetrySettings,
    SettingsError,
)
from examhook_cli.doctor.finding import DEPLOY_AGAIN, Finding, ok, problem, warning
from examhook_cli.doctor.inspected_stack import InspectedStack

FUNCTIONS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "Poll": PollSettings.read,
    "Dispatch": DispatchSettings.read,
    "Deliver": DeliverSettings.read,
    "Retry": RetrySettings.read,
}
"""Each function, and the parser of its settings."""

SOURCES: Mapping[str, Mapping[str, str]] = {
    "Poll": {":sqs:": "tick queue"},
    "Dispatch": {":dynamodb:": "table stream", ":sqs:": "failure queue"},
    "Deliver": {":sqs:": "delivery queue"},
}
"""Event sources of each function: part of the source's ARN, and a name."""

_RECOVERY = dict.fromkeys(("Dispatch", "Deliver"), ", then run examhook events redrive --since TIME")
"""How to send what a function missed; after a missed poll, the next poll finds everything."""

_LOG_WINDOW_S = 3600
_MAX_LOGGED_ERRORS = 50
_UNIT_S = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def function(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Whether a function can run with its settings."""
    deployed = stack.function(name)
    state, update = deployed.get("State", "Active"), deployed.get("LastUpdateStatus", "Successful")
    if state in {"Failed", "Inactive"} or update == "Failed":
        yield problem(f"The function cannot run (state {state}, last update {update}).", DEPLOY_AGAIN)
        return
    try:
        FUNCTIONS[name](deployed.get("Environment", {}).get("Variables", {}))
    except SettingsError as error:
        # The message contains names of variables, never their values.
        yield problem(str(error), "Correct the parameters and deploy the stack again.")
    else:
        yield ok("The function is deployed and its settings are valid.")


def sources(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Whether the event sources of a function are enabled."""
    # With one poll per minute, the tick queue is unused and its source is disabled.
    if name == "Poll" and stack.poll_settings.poll_interval_s == MINUTE_S:
        return
    response = stack.functions.list_event_source_mappings(FunctionName=stack.output(f"{name}FunctionName"))
    for part, source in SOURCES[name].items():
        mappings = [each for each in response["EventSourceMappings"] if part in each.get("EventSourceArn", "")]
        states = {each.get("State", "") for each in mappings}
        if not mappings:
            yield problem(f"The {source} is not connected to {name}.", DEPLOY_AGAIN)
        elif states & {"Disabled", "Disabling"}:
            todo = f"Enable the event source mapping of {name}{_RECOVERY.get(name, '')}."
            yield problem(f"The {source} does not trigger {name}: its mapping is disabled.", todo)
        elif any(each.get("LastProcessingResult", "").startswith("PROBLEM") for each in mappings):
            text = f"AWS cannot pass records of the {source} to {name}."
            yield problem(text, f"See the log of {name}, then deploy the stack again.")
        else:
            yield ok(f"The {source} triggers {name}.")


def schedule(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Whether the schedule of a function is enabled."""
    enabled, expression = schedule_of(stack, name)
    if enabled:
        yield ok(f"{name} runs at {expression}.")
    elif name == "Poll":
        text = "Scheduled polling is disabled: only examhook poll polls the provider."
        yield warning(text, "If this is not intended, deploy with Polling=ENABLED.")
    else:
        yield problem("The schedule is disabled: failed deliveries are not retried.", "Enable it, or deploy again.")


def schedule_of(stack: InspectedStack, name: str) -> tuple[bool, str]:
    """Whether the schedule of a function is enabled, and its expression; raises ClientError."""
    response = stack.session.client("scheduler").get_schedule(Name=stack.output(f"{name}ScheduleName"))
    return response["State"] == "ENABLED", response["ScheduleExpression"]


def interval_s(expression: str) -> int | None:
    """Seconds between runs of ``rate(…)``; None for an expression without a fixed interval."""
    match = _RATE.fullmatch(expression)
    return int(match.group(1)) * _UNIT_S[match.group(2)] if match else None


def logged_errors(stack: InspectedStack, name: str) -> Iterator[Finding]:
    """Number of errors that a function logged in the last hour, without their text."""
    # The log group's name in template.yaml.
    group = f"/examhook/{stack.installation.stack_name}/{name.lower()}"
    events = stack.session.client("logs").filter_log_events(
        logGroupName=group,
        startTime=int((stack.now - _LOG_WINDOW_S) * 1000),
        filterPattern='?"\\"ERROR\\"" ?"Task timed out" ?"Runtime.ExitError" ?"\\"status\\":\\"timeout\\""',
        limit=_MAX_LOGGED_ERRORS,
    )["events"]
    if events:
        count = f"{len(events)} or more" if len(events) >= _MAX_LOGGED_ERRORS else str(len(events))
        yield warning(f"{count} errors in the last hour.", f"Read the log group {group}.")
    else:
        yield ok("No errors in the last hour.")
