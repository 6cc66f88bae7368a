"""What Poll is invoked with besides ticks and polls: a person's wish to have events announced once more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import NotRequired, TypedDict, TypeGuard

from examhook.handlers.figures import count_poll
from examhook.storage.events import DispatchedEvents
from examhook.storage.submissions import key_of, sort_key
from examhook.telemetry import log_outcome, logger_for
from examhook.wiring.poll import dispatched_events
from examhook.workflows.administration.backfill import Backfill, BackfillReport, BackfillRequest, Place
from examhook.workflows.polling.poll import Poll

logger = logger_for("poll")


class PlaceBody(TypedDict):
    """Where to go on; passed back as it came."""

    began_at: int
    announcing: bool
    exam_id: str
    after: str | None


class BackfillWish(TypedDict):
    """Since when (Unix seconds), of which exams (null: all), from where on, and whether only to count."""

    since: int
    exam_ids: NotRequired[list[str] | None]
    place: NotRequired[PlaceBody | None]
    dry_run: NotRequired[bool]


class BackfillCommand(TypedDict):
    """What a person passes in; ``account`` null: the stack's own."""

    account: NotRequired[str | None]
    backfill: BackfillWish


class BackfillAnswer(TypedDict):
    """What a person is told of one go."""

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
    return dispatched_events(os.environ)


def is_backfill(event: Mapping[str, object]) -> TypeGuard[BackfillCommand]:
    """Whether a person asked for a backfill."""
    return "backfill" in event


def backfill(poll: Poll, command: BackfillCommand, time_left_s: Callable[[], float]) -> BackfillAnswer:
    """One go of a backfill of the account that ``poll`` polls; raises UnknownExamError, ClientError."""
    wish = command["backfill"]
    exam_ids = wish.get("exam_ids")
    request = BackfillRequest(
        since=wish["since"],
        exam_ids=None if exam_ids is None else frozenset(exam_ids),
        dry_run=wish.get("dry_run", False),
        place=_place(wish.get("place")),
    )
    began_at = time.monotonic()
    report = Backfill(poll, _dispatched()).run(request, time_left_s)
    if report.polled is not None:
        # A backfill takes all the time there is: nothing to alarm anybody about.
        report.polled.out_of_time = False
        count_poll(report.polled, poll.settings.account)
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
    return _answer(report)


def _answer(report: BackfillReport) -> BackfillAnswer:
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
