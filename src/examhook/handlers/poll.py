"""Entry point of Poll: ticks of the schedule, and commands of operators."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol, cast

from examhook.destinations.tick_queue import parse_expiry
from examhook.detection.intervals import ticks_of_minute
from examhook.handlers.backfill import is_backfill_command, run_backfill_command
from examhook.handlers.poll_metrics import write_poll_metrics
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.poll import build_polls
from examhook.workflows.polling.accounts import AccountPolls, TickError
from examhook.workflows.polling.poll import Poll, PollRequest
from examhook.workflows.polling.report import PollReport, ReportBody

logger = logger_for("poll")

_LATE = "This tick is late: the next one is already due."


class Context(Protocol):
    """The part of Lambda's context that Poll uses."""

    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until Lambda ends the function."""


@cache
def _accounts() -> AccountPolls:
    return build_polls(os.environ)


def handler(event: Mapping[str, object], context: Context) -> ReportBody | dict[str, object]:
    """Poll one account once, or run one round of a backfill.

    ``{"trigger": "schedule"}`` is a tick of the schedule. It also sends a delayed message for each further tick of the
    minute, and starts an invocation for each further account.

    ``{"Records": …}`` is such a message. It also starts the further accounts.

    ``{"trigger": "schedule", "account": name, "expires_at": …}`` polls a further account.

    ``{"trigger": "manual", "account": name or null, "full": bool}`` is an operator's command.

    ``{"backfill": …}`` is an operator's command; see ``handlers.backfill``.

    Poll ignores a tick that arrives when the next one is due. Raises the errors of AWS, and TickError if further polls
    could not be started, so that Lambda counts an error.
    """
    polls = _accounts()
    account = event.get("account")
    name = None if account is None else str(account)
    if is_backfill_command(event):
        return run_backfill_command(polls.of(name), event, _time_left_s(context))
    expires_at = _expires_at(event)
    if expires_at is not None and time.time() >= expires_at:
        log_outcome(logger, "poll", trigger="schedule", outcome="late", reason=_LATE)
        return PollReport(polls.own.settings.worst_case, errors=[_LATE]).body()
    manual = event.get("trigger") == "manual"
    # Start the further polls first, because this poll takes time.
    problems = [] if manual or name is not None else _start_further_polls(polls, expires_at, context.function_name)
    report = _poll(polls.of(name), PollRequest(manual=manual, full=bool(event.get("full"))), context)
    if problems:
        raise TickError(" ".join(problems))
    return report.body()


def _expires_at(event: Mapping[str, object]) -> float | None:
    """Return when the event expires (Unix seconds); None for ticks of the schedule and commands."""
    if "Records" in event:
        return max(parse_expiry(record["body"]) for record in cast("list[dict[str, str]]", event["Records"]))
    expires_at = event.get("expires_at")
    return expires_at if isinstance(expires_at, int | float) else None


def _start_further_polls(polls: AccountPolls, expires_at: float | None, function_name: str) -> list[str]:
    """Start the further polls of a tick; return one sentence for each problem."""
    if expires_at is not None:
        return polls.start_others(function_name, expires_at)
    own, *further = ticks_of_minute(time.time(), polls.own.settings.poll_interval_s)
    return [*polls.order(further), *polls.start_others(function_name, own.expires_at)]


def _time_left_s(context: Context) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000


def _poll(workflow: Poll, request: PollRequest, context: Context) -> PollReport:
    began_at = time.monotonic()
    report = workflow.run(request, _time_left_s(context))
    log_outcome(
        logger,
        "poll",
        account=workflow.settings.account,
        trigger="manual" if request.manual else "schedule",
        outcome="skipped" if report.skipped else "complete" if report.complete else "incomplete",
        requests=report.requests,
        exams=report.exams,
        rows=report.rows,
        changes=report.changes,
        skipped_rows=report.skipped_rows,
        errors=len(report.errors),
        reason=" ".join([*report.errors, *report.notes]) or None,
        duration_ms=round((time.monotonic() - began_at) * 1000),
    )
    write_poll_metrics(report, workflow.settings.account)
    return report
