"""The alarms that are made of what polls count hold for every schedule up to a pause of an hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.support.aws.cloudwatch import CloudWatch
from tests.support.template.translated_template import StackTemplate

PAUSES_MIN = (1, 5, 10, 20, 60)
HOUR_MIN = 60
THREE_POLLS = ("ProviderFailingAlarm", "RowsSkippedAlarm", "PollErrorsAlarm", "PollThrottlesAlarm")
ALL = ("ProviderRefusedAlarm", *THREE_POLLS, "OutOfTimeAlarm")


def alarm_of(name: str, pause_min: int) -> Mapping[str, Any]:
    """One alarm of a stack that polls every ``pause_min`` minutes."""
    schedule = "rate(1 minute)" if pause_min == 1 else f"rate({pause_min} minutes)"
    alarms = StackTemplate({"AccountCode": "a-code", "PollSchedule": schedule}).of_type("AWS::CloudWatch::Alarm")
    found: Mapping[str, Any] = alarms[name]
    return found


def firing(name: str, pause_min: int, fails: Callable[[int], bool], minutes: int = 12 * HOUR_MIN) -> list[int]:
    """The minutes in which the alarm is firing. ``fails`` returns whether the poll that is due in a minute fails.

    Every other poll reports a minute late, unless polls are a minute apart.
    """
    alarm, watch = alarm_of(name, pause_min), CloudWatch()
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    fired = []
    for minute in range(minutes):
        watch.minute = minute
        for late_min in (0, 1):
            number, rest = divmod(minute - late_min, pause_min)
            if rest == 0 and number >= 0 and late_min == (number % 2 if pause_min > 1 else 0) and fails(minute):
                watch.put(alarm["Namespace"], alarm["MetricName"], 1, **dimensions)
        if watch.fires(alarm):
            fired.append(minute)
    return fired


@pytest.mark.parametrize("pause_min", PAUSES_MIN)
@pytest.mark.parametrize("name", ALL)
def test_an_alarm_on_failing_polls_fires_once_and_until_polls_succeed(name: str, pause_min: int) -> None:
    """It does not stop and fire again in between, because each time sends a message."""
    begins, fixed, end = HOUR_MIN, 8 * HOUR_MIN, 12 * HOUR_MIN
    fired = firing(name, pause_min, lambda minute: begins <= minute < fixed, end)
    assert fired == list(range(fired[0], fired[-1] + 1))
    latest = {"ProviderRefusedAlarm": pause_min, "OutOfTimeAlarm": max(95, 3 * pause_min)}
    assert fired[0] <= begins + latest.get(name, max(15, 3 * pause_min)) + 1
    assert fixed - pause_min <= fired[-1] < end - 1


@pytest.mark.parametrize("pause_min", PAUSES_MIN)
@pytest.mark.parametrize("name", [*THREE_POLLS, "OutOfTimeAlarm"])
def test_a_single_failure_does_not_ring(name: str, pause_min: int) -> None:
    moment = 4 * HOUR_MIN
    assert firing(name, pause_min, lambda minute: moment <= minute < moment + pause_min) == []


@pytest.mark.parametrize("name", [*THREE_POLLS, "OutOfTimeAlarm"])
def test_at_the_default_schedule_a_failure_now_and_then_does_not_ring(name: str) -> None:
    assert firing(name, 1, lambda minute: minute % 10 == 0) == []


@pytest.mark.parametrize("name", THREE_POLLS)
def test_at_the_default_schedule_it_rings_after_a_quarter_of_an_hour_and_ends_soon_after(name: str) -> None:
    begins, fixed = HOUR_MIN, 2 * HOUR_MIN
    fired = firing(name, 1, lambda minute: begins <= minute < fixed)
    assert begins + 10 <= fired[0] <= begins + 15
    assert fired[-1] <= fixed + 5
