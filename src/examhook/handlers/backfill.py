"""Backfill requests to Poll: the command that announces past events again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import NotRequired, TypedDict, TypeGuard

from examhook.handlers.poll_metrics import write_poll_metrics
from examhook.storage.dispatched import DispatchedEvents
from examhook.storage.submissions import key_of, sort_key
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.poll import build_dispatched_events
from examhook.workflows.administration.backfill import Backfill, BackfillReport, BackfillRequest, Place
from examhook.workflows.polling.poll import Poll

logger = logger_for("poll")


class PlaceBody(TypedDict):
    """Where the next round continues; the caller passes it back unchanged."""

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
    """Input of the backfill command; ``account`` null is the account of the stack's parameters."""

    account: NotRequired[str | None]
    backfill: BackfillParameters


class BackfillResponse(TypedDict):
    """Output of one round; see ``BackfillReport``."""

    requests: int
    exams: int
    exams_left: int
    rows_under_way: int
    announced: int
    known: int
    errors: list[str]
    notes: list[str]
    busy: bool
    done: bool
    place: PlaceBody | None


@cache
def _dispatched() -> DispatchedEvents:
    return build_dispatched_events(os.environ)


def is_backfill_command(event: Mapping[str, object]) -> TypeGuard[BackfillCommand]:
    """Whether a person requested a backfill."""
    return "backfill" in event


def run_backfill_command(poll: Poll, command: BackfillCommand, time_left_s: Callable[[], float]) -> BackfillResponse:
    """Run one round for the account of ``poll``; raises UnknownExamError, ClientError."""
    parameters = command["backfill"]
    exam_ids = parameters.get("exam_ids")
    request = BackfillRequest(
        since=parameters["since"],
        exam_ids=None if exam_ids is None else frozenset(exam_ids),
        dry_run=parameters.get("dry_run", False),
        place=_place(parameters.get("place")),
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
    return _response(report)


def _response(report: BackfillReport) -> BackfillResponse:
    place = report.place
    return {
        "requests": report.requests,
        "exams": report.exams,
        "exams_left": report.exams_left,
        "rows_under_way": report.rows_under_way,
        "announced": report.announced,
        "known": report.known,
        "errors": report.errors,
        "notes": report.notes,
        "busy": report.busy,
        "done": report.done,
        "place": None
        if place is None
        else {
            "began_at": place.began_at,
            "announcing": place.announcing,
            "exam_id": place.exam_id,
            "after": None if place.after is None else sort_key(place.after),
        },
    }


def _place(body: PlaceBody | None) -> Place | None:
    if body is None:
        return None
    after = body["after"]
    return Place(body["began_at"], body["announcing"], body["exam_id"], None if after is None else key_of(after))
