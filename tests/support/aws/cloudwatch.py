"""CloudWatch as far as alarms need it: data points by the minute, and the state of an alarm."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.template.translated_template import REGION, STACK

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name, dimensions."""

_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {"Maximum": max, "Minimum": min, "Sum": sum}


@dataclass
class CloudWatch:
    """Receives metrics and evaluates alarms like the service (metric, period, missing data, data points to alarm)."""

    minute: int = 0
    """The minute that has just ended, and in which figures are taken now."""
    points: dict[Key, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def put(self, namespace: str, metric: str, value: float, **dimensions: str) -> None:
        """Add one data point."""
        self.points[namespace, metric, tuple(sorted(dimensions.items()))].append((self.minute, value))

    def read(self, printed: str) -> None:
        """Read the metrics in a function's output: lines in the embedded metric format, each complete."""
        for line in printed.splitlines():
            if "CloudWatchMetrics" not in line:
                continue
            document = json.loads(line)
            for directive in document["_aws"]["CloudWatchMetrics"]:
                for names in directive["Dimensions"]:
                    for metric in directive["Metrics"]:
                        values = document[metric["Name"]]
                        for value in values if isinstance(values, list) else [values]:
                            dimensions = {name: document[name] for name in names}
                            self.put(directive["Namespace"], metric["Name"], value, **dimensions)

    def fires(self, alarm: Mapping[str, Any]) -> bool:
        """Whether ``alarm`` (the properties of the template's resource) is in the state ALARM at the minute's end."""
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        periods = int(alarm["EvaluationPeriods"])
        breaching = sum(self._breaches(alarm, back) for back in range(periods))
        return breaching >= int(alarm.get("DatapointsToAlarm", periods))

    def _breaches(self, alarm: Mapping[str, Any], back: int) -> bool:
        minutes = int(alarm["Period"]) // 60
        newest = self.minute - back * minutes
        dimensions = tuple(sorted((each["Name"], each["Value"]) for each in alarm["Dimensions"]))
        points = self.points.get((alarm["Namespace"], alarm["MetricName"], dimensions), [])
        values = [value for at, value in points if newest - minutes < at <= newest]
        if not values:
            return {"breaching": True, "notBreaching": False}[alarm["TreatMissingData"]]
        return _STATISTICS[alarm["Statistic"]](values) >= float(alarm["Threshold"])


def watching(monkeypatch: pytest.MonkeyPatch) -> CloudWatch:
    """A CloudWatch, and a process with the environment of a function of the stack."""
    environment = {
        "STACK_NAME": STACK,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return CloudWatch()
