"""Reads the logs of the functions, in order of time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from examhook_cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient


class Function(StrEnum):
    """Functions of the stack."""

    POLL = "poll"
    DISPATCH = "dispatch"
    DELIVER = "deliver"
    RETRY = "retry"


_LAMBDA_LINES = ("START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START ")
_METRICS_LINE = '{"_aws":'
"""Start of a line for CloudWatch metrics; another line contains the same facts."""
_FOLLOW_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function's log."""

    at_ms: int
    """Unix milliseconds."""
    function: Function
    message: str


def log_groups(stack: Stack, client: LambdaClient) -> dict[Function, str]:
    """Name of the log group of each function."""
    names = {function: stack.output(f"{function.capitalize()}FunctionName") for function in Function}
    return {
        function: client.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        for function, name in names.items()
    }


def read_lines(groups: Mapping[Function, str], client: CloudWatchLogsClient, since_ms: int = 0) -> list[LogLine]:
    """All lines since ``since_ms``, except those of Lambda and of metrics."""
    paginator = client.get_paginator("filter_log_events")
    lines = [
        LogLine(event["timestamp"], function, event["message"].rstrip())
        for function, group in groups.items()
        for page in paginator.paginate(logGroupName=group, startTime=since_ms)
        for event in page["events"]
        if not event["message"].startswith((*_LAMBDA_LINES, _METRICS_LINE))
    ]
    return sorted(lines, key=lambda line: line.at_ms)


def follow_lines(
    groups: Mapping[Function, str], client: CloudWatchLogsClient, pause: Callable[[float], None] = time.sleep
) -> Iterator[LogLine]:
    """All lines, then each new line, without end."""
    newest: list[LogLine] = []
    while True:
        # More lines of the newest millisecond may have arrived, so read it again.
        lines = read_lines(groups, client, newest[0].at_ms if newest else 0)
        seen = Counter(newest)
        for line in lines:
            if seen[line]:
                seen[line] -= 1
            else:
                yield line
        if lines:
            newest = [line for line in lines if line.at_ms == lines[-1].at_ms]
        pause(_FOLLOW_INTERVAL_S)
