"""Backfill requests to Poll: the command that announces past events again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import NotRequired, TypedDict, TypeGuard

from examhook.handlers.poll_metrics import write_poll_metrics
from examhook.storage.events import DispatchedEvents
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.poll import build_dispatched_events
from examhook.workflows.administration.backfill import Backfill, BackfillRequest, Place
from examhook.workflows.polling.poll import Poll

logger = logger_for("poll")


class PlaceBody(TypedDict):
    """Fields of ``Place``."""

    began_at: int
    announcing: bool
    exam_id: str
    after: str | None


class BackfillParameters(TypedDict):
    """Start time (Unix seconds), exams (null: all), where to continue, and whether to count only."""

    since: int
    exam_ids: NotRequired[list[str] | None]
    place: NotRequired[PlaceBody | None]
    dry_run: NotRequired[bool]


class BackfillCommand(TypedDict):
    """Input of the backfill command. ``account`` null means the stack's own account."""

    account: NotRequired[str | None]
    backfill: BackfillParameters


@cache
def _dispatched() -> DispatchedEvents:
    return build_dispatched_events(os.environ)


def is_backfill_command(event: Mapping[str, object]) -> TypeGuard[BackfillCommand]:
    """Whether an operator requested a backfill."""
    return "backfill" in event


def run_backfill_command(poll: Poll, command: BackfillCommand, time_left_s: Callable[[], float]) -> dict[str, object]:
    """Run one round for the account of ``poll``; return the fields of ``BackfillReport``, except ``polled``.

    Raises UnknownExamError, ClientError.
    """
    parameters = command["backfill"]
    exam_ids, place = parameters.get("exam_ids"), parameters.get("place")
    request = BackfillRequest(
        since=parameters["since"],
        exam_ids=None if exam_ids is None else frozenset(exam_ids),
        dry_run=parameters.get("dry_run", False),
        place=None if place is None else Place(**place),
    )
    began_at = time.monotonic()
    report = Backfill(poll, _dispatched()).run(request, time_left_s)
    if report.polled is not None:
        # A backfill uses all available time, so running out of time is no reason for an alarm.
        report.polled.out_of_time = False
        write_poll_metrics(report.polled, poll.settings.account)
    log_outcome(
        logger,
        "backfill",
        account=poll.settings.account,
        complete=report.done,
        requests=report.requests,
        exams=report.exams,
        changes=0 if request.dry_run else report.announced,
        errors=len(report.errors),
        reason=" ".join([*report.errors, *report.notes]) or None,
        duration_ms=round((time.monotonic() - began_at) * 1000),
    )
    response = asdict(replace(report, polled=None))
    del response["polled"]
    return response
