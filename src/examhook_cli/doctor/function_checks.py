"""Whether the functions can run, are woken by what should wake them, and what they complained of lately."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from examhook.detection.ticks import MINUTE_S
from examhook.settings import (
    DeliverSettings,
    DispatchSettings,
    PollSettings,
    RetrySettings,
    SettingsError,
)
from examhook_cli.doctor.finding import Finding, Verdict
from examhook_cli.doctor.inspected_stack import Patient

FUNCTIONS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "Poll": PollSettings.read,
    "Dispatch": DispatchSettings.read,
    "Deliver": DeliverSettings.read,
    "Retry": RetrySettings.read,
}
"""Each function, and how it reads its settings."""

SOURCES: Mapping[str, Mapping[str, str]] = {
    "Poll": {":sqs:": "the queue of ticks"},
    "Dispatch": {":dynamodb:": "the table's stream", ":sqs:": "the failure queue"},
    "Deliver": {":sqs:": "the delivery queue"},
}
"""What wakes each function: a part of the source's ARN, and its name for a person."""

_MISSED = dict.fromkeys(("Dispatch", "Deliver"), ", then run examhook events redrive --since TIME.")
"""What to do about what a function missed. Poll missed only polls, and the next one finds what they would have."""

ERRORS_SINCE_S = 3600
_ERRORS_SHOWN = 50
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def function(patient: Patient, name: str) -> Iterator[Finding]:
    """Whether a function can run, and is configured as this version wants it."""
    check = f"function {name}"
    deployed = patient.function(name)
    state, update = deployed.get("State", "Active"), deployed.get("LastUpdateStatus", "Successful")
    if state in {"Failed", "Inactive"} or update == "Failed":
        said = f"It cannot run (state {state}, last update {update})."
        yield Finding(check, Verdict.PROBLEM, said, "Deploy the stack again.")
        return
    try:
        FUNCTIONS[name](deployed.get("Environment", {}).get("Variables", {}))
    except SettingsError as error:
        # It names variables and what they should hold, never what they hold.
        yield Finding(check, Verdict.PROBLEM, str(error), "Put the parameters right and deploy the stack again.")
    else:
        yield Finding(check, Verdict.OK, "It is deployed, and its settings are good.")


def sources(patient: Patient, name: str) -> Iterator[Finding]:
    """Whether what wakes a function is switched on."""
    check = f"source of {name}"
    # With a poll a minute there are no messages, and the source is off.
    if name == "Poll" and patient.poll_settings.poll_seconds == MINUTE_S:
        return
    mappings = patient.functions.list_event_source_mappings(FunctionName=patient.output(f"{name}FunctionName"))
    for part, source in SOURCES[name].items():
        found = [each for each in mappings["EventSourceMappings"] if part in each.get("EventSourceArn", "")]
        states = {each.get("State", "") for each in found}
        if not found:
            yield Finding(check, Verdict.PROBLEM, f"Nothing leads from {source} to {name}.", "Deploy the stack again.")
        elif states & {"Disabled", "Disabling"}:
            said = f"{source.capitalize()} does not wake {name}: it is switched off."
            todo = f"Enable the function's event source mapping{_MISSED.get(name, '.')}"
            yield Finding(check, Verdict.PROBLEM, said, todo)
        elif any(each.get("LastProcessingResult", "").startswith("PROBLEM") for each in found):
            said = f"AWS cannot pass on what comes from {source} to {name}."
            yield Finding(check, Verdict.PROBLEM, said, f"See the log of {name}, then deploy the stack again.")
        else:
            yield Finding(check, Verdict.OK, f"{source.capitalize()} wakes it.")


def schedule(patient: Patient, name: str) -> Iterator[Finding]:
    """Whether a function is called by the clock."""
    check = f"schedule of {name}"
    enabled, expression = schedule_of(patient, name)
    if enabled:
        yield Finding(check, Verdict.OK, f"It is called at {expression}.")
    elif name == "Poll":
        said = "Polling by schedule is switched off: only examhook poll asks the provider."
        yield Finding(check, Verdict.WARNING, said, "Deploy with Polling=ENABLED, unless it is meant so.")
    else:
        said = "It is switched off: what failed is not sent again."
        yield Finding(check, Verdict.PROBLEM, said, "Enable the schedule, or deploy the stack again.")


def schedule_of(patient: Patient, name: str) -> tuple[bool, str]:
    """Whether a function's schedule is on, and its expression; raises ClientError."""
    found = patient.installation.client("scheduler").get_schedule(Name=patient.output(f"{name}ScheduleName"))
    return found["State"] == "ENABLED", str(found["ScheduleExpression"])


def interval_s(expression: str) -> int | None:
    """Seconds between two ticks of ``rate(…)``; None for an expression that has no one interval."""
    found = _RATE.fullmatch(expression)
    return int(found.group(1)) * _SECONDS[found.group(2)] if found else None


def complaints(patient: Patient, name: str) -> Iterator[Finding]:
    """Errors that a function logged within the hour; how many, never what they say."""
    check = f"log of {name}"
    # As template.yaml names it.
    group = f"/examhook/{patient.installation.stack_name}/{name.lower()}"
    found = patient.logs.filter_log_events(
        logGroupName=group,
        startTime=int((patient.now - ERRORS_SINCE_S) * 1000),
        filterPattern='?"\\"ERROR\\"" ?"Task timed out" ?"Runtime.ExitError" ?"\\"status\\":\\"timeout\\""',
        limit=_ERRORS_SHOWN,
    )["events"]
    if found:
        count = f"{len(found)} or more" if len(found) >= _ERRORS_SHOWN else str(len(found))
        yield Finding(check, Verdict.WARNING, f"{count} errors within the hour.", f"Read the log group {group}.")
    else:
        yield Finding(check, Verdict.OK, "No errors within the hour.")
