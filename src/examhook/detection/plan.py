"""Which exams to ask about now, and why: a decision for each, before any request is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from examhook.detection.watch import ExamWatch
from examhook.model import Exam

COLD_FACTOR = 24
"""How many times rarer an unavailable exam's full pass is."""

RETRY_SECONDS = 300
"""How soon an exam that could not be read whole is read again when nothing else calls for it."""


class Reason(StrEnum):
    """Why an exam's results are asked for."""

    REQUESTED = "a person asked for a full pass"
    NEW = "its results were never read whole"
    TAKINGS_MOVED = "it was taken since the last pass"
    OPEN_ATTEMPTS = "attempts were running at the last pass"
    CLOSED = "it became unavailable since the last pass"
    DUE = "its full pass is due"


@dataclass(frozen=True, slots=True)
class ExamRequest:
    """One exam whose results are to be read, and why."""

    exam: Exam
    known: ExamWatch | None
    reason: Reason


_ORDER = {reason: place for place, reason in enumerate(Reason)}


def plan(
    listing: Sequence[Exam],
    known: Mapping[str, ExamWatch],
    *,
    now: int,
    full_pass_seconds: int,
    everything: bool = False,
) -> list[ExamRequest]:
    """Exams to read at ``now`` (provider's clock), the most urgent reason first, longest unread first within it.

    ``known`` holds watches by exam id. Each exam is read whole at least every ``full_pass_seconds``
    while it is available, and COLD_FACTOR times rarer once it is not.
    """
    requests = []
    for exam in listing:
        watch = known.get(exam.exam_id)
        reason = Reason.REQUESTED if everything else _reason(exam, watch, now, full_pass_seconds)
        if reason is not None:
            requests.append(ExamRequest(exam, watch, reason))
    return sorted(
        requests, key=lambda request: (_ORDER[request.reason], request.known.tried_at if request.known else 0)
    )


def _reason(exam: Exam, watch: ExamWatch | None, now: int, full_pass_seconds: int) -> Reason | None:
    if watch is None:
        return Reason.NEW
    return _hint(exam, watch) or _due(exam, watch, now, full_pass_seconds)


def _hint(exam: Exam, watch: ExamWatch) -> Reason | None:
    if exam.takings != watch.exam.takings:
        return Reason.TAKINGS_MOVED
    if watch.open_attempts:
        return Reason.OPEN_ATTEMPTS
    return Reason.CLOSED if watch.exam.available and not exam.available else None


def _due(exam: Exam, watch: ExamWatch, now: int, full_pass_seconds: int) -> Reason | None:
    if now - watch.tried_at < min(RETRY_SECONDS, full_pass_seconds):
        return None
    if not watch.is_known:
        return Reason.NEW
    interval_s = full_pass_seconds if exam.available else full_pass_seconds * COLD_FACTOR
    return Reason.DUE if now - watch.passed_at >= interval_s else None
