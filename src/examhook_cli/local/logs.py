"""What the functions logged, from CloudWatch Logs, in the order of time."""

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
    """The stack's functions, in the order in which data passes them."""

    POLL = "poll"
    DISPATCH = "dispatch"
    DELIVER = "deliver"
    RETRY = "retry"


_PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START ")
_FIGURES = '{"_aws":'
"""How a line begins that is written for CloudWatch's metrics; what it says, another line says in words."""
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function's log."""

    at_ms: int
    """Milliseconds since the epoch."""
    function: Function
    message: str


def log_groups(stack: Stack, client: LambdaClient) -> dict[Function, str]:
    """Names of the functions' log groups."""
    names = {function: stack.output(f"{function.capitalize()}FunctionName") for function in Function}
    return {
        function: client.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        for function, name in names.items()
    }


def read_lines(groups: Mapping[Function, str], client: CloudWatchLogsClient, since_ms: int = 0) -> list[LogLine]:
    """All lines from ``since_ms`` on, without those by which Lambda frames each invocation, and those of figures."""
    pages = client.get_paginator("filter_log_events")
    lines = [
        LogLine(event["timestamp"], function, event["message"].rstrip())
        for function, group in groups.items()
        for page in pages.paginate(logGroupName=group, startTime=since_ms)
        for event in page["events"]
        if not event["message"].startswith((*_PLATFORM, _FIGURES))
    ]
    return sorted(lines, key=lambda line: line.at_ms)


def follow_lines(
    groups: Mapping[Function, str], client: CloudWatchLogsClient, pause: Callable[[float], None] = time.sleep
) -> Iterator[LogLine]:
    """All lines, and then each new one as it comes, without end."""
    newest: list[LogLine] = []
    while True:
        # The newest instant is read again, for lines of the same millisecond that came later.
        lines = read_lines(groups, client, newest[0].at_ms if newest else 0)
        shown = Counter(newest)
        for line in lines:
            if shown[line]:
                shown[line] -= 1
            else:
                yield line
        if lines:
            newest = [line for line in lines if line.at_ms == lines[-1].at_ms]
        pause(_PAUSE_S)
