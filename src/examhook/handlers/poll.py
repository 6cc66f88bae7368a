"""Poll's entry point: a tick of the schedule, or a person's wish, becomes polls of the provider."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol

from examhook.handlers.backfill import BackfillAnswer, backfill, is_backfill
from examhook.handlers.figures import count_poll
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.poll import accounts
from examhook.workflows.accounts import AccountPolls, TickError
from examhook.workflows.poll import Poll, PollRequest
from examhook.workflows.report import PollReport, ReportBody

logger = logger_for("poll")

TICK_SECONDS = 60
"""The schedule ticks this often; polls within one tick must not drift into the next."""


class Context(Protocol):
    """The part of Lambda's context that is used."""

    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@cache
def _accounts() -> AccountPolls:
    return accounts(os.environ)


def handler(event: Mapping[str, object], context: Context) -> ReportBody | BackfillAnswer:
    """Poll an account once for ``{"trigger": "manual", "account": name or null, "full": bool}``.

    For ``{"trigger": "schedule"}``, poll the stack's own account for the rest of the tick, and have each further
    account polled by an invocation of its own, ``{"trigger": "schedule", "account": name}``.

    For ``{"backfill": …}`` see ``handlers.backfill``.

    Returns the report of the last poll. Raises what AWS raises, and TickError where accounts were left out, so that
    Lambda counts an error.
    """
    watched = _accounts()
    account = event.get("account")
    if is_backfill(event):
        return backfill(watched.of(None if account is None else str(account)), event, _time_left_s(context))
    manual = event.get("trigger") == "manual"
    problems = [] if manual or account is not None else watched.start_others(context.function_name)
    workflow = watched.of(None if account is None else str(account))
    report = _poll(workflow, PollRequest(manual=manual, full=bool(event.get("full"))), context)
    if problems:
        raise TickError(" ".join(problems))
    return report.body()


def _poll(workflow: Poll, request: PollRequest, context: Context) -> PollReport:
    """Poll once if a person asked, else for the rest of the tick; the report of the last poll."""
    began_at = time.monotonic()
    report = _poll_once(workflow, request, context)
    while not request.manual:
        next_in_s = next_poll_in_s(time.monotonic() - began_at, workflow.settings.poll_seconds)
        if next_in_s is None:
            break
        time.sleep(next_in_s)
        report = _poll_once(workflow, request, context)
    return report


def _time_left_s(context: Context) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000


def next_poll_in_s(elapsed_s: float, every_s: int) -> float | None:
    """Seconds until the next poll of a tick that began ``elapsed_s`` ago; None when the next tick makes it."""
    next_at_s = (int(elapsed_s // every_s) + 1) * every_s
    return next_at_s - elapsed_s if next_at_s < TICK_SECONDS else None


def _poll_once(workflow: Poll, request: PollRequest, context: Context) -> PollReport:
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
    count_poll(report, workflow.settings.account)
    return report
