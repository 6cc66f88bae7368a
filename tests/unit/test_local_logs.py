"""The functions' log lines in the order of time, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast

from mypy_boto3_logs import CloudWatchLogsClient

from examhook_cli.local.logs import Function, LogLine, follow_lines, read_lines

GROUPS = {Function.POLL: "/x/poll", Function.RETRY: "/x/retry"}


class FakeLogs:
    """CloudWatch Logs as far as it is asked here: pages of events from an instant on."""

    def __init__(self) -> None:
        self.events: dict[str, list[tuple[int, str]]] = {group: [] for group in GROUPS.values()}

    def get_paginator(self, operation: str) -> FakeLogs:
        assert operation == "filter_log_events"
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> Iterator[dict[str, object]]:  # noqa: N803 - AWS's names
        for at, message in self.events[logGroupName]:
            if at >= startTime:
                yield {"events": [{"timestamp": at, "message": message}]}


def shown(lines: Sequence[LogLine]) -> list[tuple[int, str, str]]:
    return [(line.at_ms, line.function, line.message) for line in lines]


def test_lines_of_all_functions_come_in_the_order_of_time_without_lambdas_own() -> None:
    logs = FakeLogs()
    logs.events["/x/poll"] = [(1, "START RequestId: 1"), (3, "second\n"), (4, "END RequestId: 1")]
    logs.events["/x/retry"] = [(2, "first"), (5, "third"), (6, "REPORT RequestId: 2")]
    assert shown(read_lines(GROUPS, cast(CloudWatchLogsClient, logs))) == [
        (2, "retry", "first"),
        (3, "poll", "second"),
        (5, "retry", "third"),
    ]


def test_figures_for_cloudwatch_are_left_out() -> None:
    logs = FakeLogs()
    logs.events["/x/poll"] = [
        (1, '{"_aws":{"Timestamp":1},"stack":"examhook","PollAge":[0.0]}'),
        (2, '{"level":"INFO"}'),
    ]
    assert shown(read_lines(GROUPS, cast(CloudWatchLogsClient, logs))) == [(2, "poll", '{"level":"INFO"}')]


def test_following_shows_each_line_once_even_those_of_one_millisecond() -> None:
    logs = FakeLogs()
    logs.events["/x/poll"] = [(1, "a"), (2, "same"), (2, "same")]
    arrivals = [[(2, "same"), (2, "late")], [(3, "b")]]

    def arrive(_pause_s: float) -> None:
        logs.events["/x/poll"].extend(arrivals.pop(0))

    lines = list(islice(follow_lines(GROUPS, cast(CloudWatchLogsClient, logs), arrive), 6))
    assert [line.message for line in lines] == ["a", "same", "same", "same", "late", "b"]
