"""Which exams to ask about now, how, and why: decided for all of them before any request is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from examhook.detection.survey import Survey
from examhook.detection.watch import AccountWatch, ExamWatch, RowOrder
from examhook.model import Exam

COLD_FACTOR = 24
"""Full passes of an exam in which nothing happens become rarer, up to so many times."""

RETRY_SECONDS = 300
"""How soon an exam that could not be read whole is read again when nothing else calls for it."""

LOOK_SECONDS = 300
"""How often the edge of a busy exam is looked at though no hint calls for it."""

BUSY_SECONDS = 3600
"""An exam is busy for so long after something happened in it."""

CLOCKS_DIFFER_SECONDS = 300
"""Servers behind one address, each with a clock of its own, may differ by so much."""


class Reason(StrEnum):
    """Why an exam's results are asked for, the most urgent first."""

    REQUESTED = "a person asked for a full pass"
    TAKINGS_MOVED = "it was taken since it was last read"
    OPEN_ATTEMPTS = "attempts were running when it was last read"
    CLOSED = "it became unavailable since it was last read"
    BUSY = "things happened in it lately"
    NEW = "its results were never read whole"
    DUE = "its full pass is due"
    UNLISTED = "it is no longer listed, and its results may still change"


class Look(StrEnum):
    """How much of an exam is read."""

    EDGE = "edge"
    """From where new rows appear until what comes is known, and the attempts that run."""
    WHOLE = "whole"
    """All of its rows."""


@dataclass(frozen=True, slots=True)
class ExamRequest:
    """One exam to read, how, and why."""

    exam: Exam
    known: ExamWatch | None
    reason: Reason
    look: Look = Look.WHOLE

    @property
    def growth(self) -> int:
        """How many takings the exam gained that no rows account for yet."""
        if self.known is None or self.known.exam.attempt_count is None or self.exam.attempt_count is None:
            return 0
        return max(0, self.exam.attempt_count - self.known.exam.attempt_count)


_ORDER = {reason: place for place, reason in enumerate(Reason)}


def plan(  # noqa: PLR0913 - all that the decision rests on
    listing: Sequence[Exam],
    known: Mapping[str, ExamWatch],
    *,
    now: int,
    full_pass_seconds: int,
    watch: AccountWatch | None = None,
    everything: bool = False,
    survey: Survey | None = None,
) -> list[ExamRequest]:
    """Exams to read at ``now`` (provider's clock), in the order in which to read them.

    ``known`` holds watches by exam id. Every exam is read whole at least every
    ``full_pass_seconds``, or, where nothing has happened for longer, in as much time as it has been
    quiet, and in COLD_FACTOR times ``full_pass_seconds`` at the latest. A ``survey`` reads whole what it
    lacks, and leaves full passes that are due to the polls after it.
    """
    takings_lie = watch is not None and watch.takings_lie
    requests = []
    for exam in listing:
        exam_watch = known.get(exam.exam_id)
        # While a survey goes on, only hints are followed beside it.
        due = _due(exam_watch, now, full_pass_seconds) if survey is None else None
        reason = (
            Reason.REQUESTED
            if everything or (survey is not None and survey.lacks(exam.exam_id, exam_watch, now))
            else _hint(exam, exam_watch, now, full_pass_seconds)
            or due
            or _busy(exam, exam_watch, now, takings_lie=takings_lie)
        )
        if reason is not None:
            # A full pass that is due is not put off by hints that call for less, however many there are.
            look = Look.WHOLE if due is not None else _look(reason, exam_watch)
            requests.append(ExamRequest(exam, exam_watch, reason, look))
    listed = {exam.exam_id for exam in listing}
    for exam_watch in (each for exam_id, each in known.items() if exam_id not in listed):
        unlisted_look = Look.WHOLE if everything else _unlisted(exam_watch, now, full_pass_seconds)
        if unlisted_look is not None:
            requests.append(ExamRequest(exam_watch.exam, exam_watch, Reason.UNLISTED, unlisted_look))
    return sorted(requests, key=_urgency)


def _since(moment: int, now: int) -> int:
    """Seconds since ``moment``; as many as there ever were if it is to come: the clock was ahead and was put right."""
    return now - moment if moment - now <= CLOCKS_DIFFER_SECONDS else now


def rests(request: ExamRequest, now: int) -> bool:
    """Whether the exam is to be left alone at ``now``, since the provider refused its results lately.

    It is asked about at the next poll, then in pauses that double up to RETRY_SECONDS.
    """
    watch = request.known
    if watch is None or watch.rejected_since is None:
        return False
    return _since(watch.tried_at, now) < min(watch.tried_at - watch.rejected_since, RETRY_SECONDS)


def _unlisted(watch: ExamWatch, now: int, full_pass_seconds: int) -> Look | None:
    """How much to read of an exam that the list lacks; more rarely than of others, since it may be gone for good.

    Someone may still be sitting it or be forced in later, and the list itself may be incomplete.
    """
    if _since(watch.tried_at, now) < LOOK_SECONDS:
        return None
    pause_s = full_pass_interval_s(watch, full_pass_seconds)
    if watch.failed_at is not None:
        pause_s = full_pass_seconds * COLD_FACTOR
    if watch.progress is not None or min(_since(watch.passed_at, now), _since(watch.failed_at or 0, now)) >= pause_s:
        return Look.WHOLE
    return _look(Reason.OPEN_ATTEMPTS, watch) if watch.open_count else None


def _urgency(request: ExamRequest) -> tuple[bool, int, int]:
    """What is quick to ask comes first, then the most urgent reason, then what was unread for longest."""
    tried_at = request.known.tried_at if request.known else 0
    return (request.look is Look.WHOLE, _ORDER[request.reason], tried_at)


def _hint(exam: Exam, watch: ExamWatch | None, now: int, full_pass_seconds: int) -> Reason | None:
    if watch is None or not watch.is_known:
        return None
    if exam.attempt_count != watch.exam.attempt_count:
        return Reason.TAKINGS_MOVED
    if watch.open_count:
        return Reason.OPEN_ATTEMPTS
    closed = watch.exam.available and not exam.available
    return Reason.CLOSED if closed and not _failed_lately(watch, now, full_pass_seconds) else None


def _due(watch: ExamWatch | None, now: int, full_pass_seconds: int) -> Reason | None:
    if watch is None:
        return Reason.NEW
    reason = Reason.DUE if watch.is_known else Reason.NEW
    if watch.progress is not None:
        return reason
    if _failed_lately(watch, now, full_pass_seconds):
        return None
    waited_s = _since(watch.passed_at, now)
    return reason if not watch.is_known or waited_s >= full_pass_interval_s(watch, full_pass_seconds) else None


def _failed_lately(watch: ExamWatch, now: int, full_pass_seconds: int) -> bool:
    return watch.failed_at is not None and _since(watch.failed_at, now) < min(RETRY_SECONDS, full_pass_seconds)


def full_pass_interval_s(watch: ExamWatch, full_pass_seconds: int) -> int:
    """Seconds between two full passes of an exam: as long as it had been quiet at the last, within bounds."""
    quiet_s = watch.passed_at - watch.changed_at
    return min(max(quiet_s, full_pass_seconds), full_pass_seconds * COLD_FACTOR)


def _busy(exam: Exam, watch: ExamWatch | None, now: int, *, takings_lie: bool) -> Reason | None:
    if watch is None or not exam.available or watch.order not in {RowOrder.NEWEST, RowOrder.OLDEST}:
        return None
    busy = _since(watch.changed_at, now) < BUSY_SECONDS and _since(watch.tried_at, now) >= LOOK_SECONDS
    return Reason.BUSY if takings_lie or busy else None


def _look(reason: Reason, watch: ExamWatch | None) -> Look:
    if watch is None or not watch.is_known or watch.order not in {RowOrder.NEWEST, RowOrder.OLDEST}:
        return Look.WHOLE
    match reason:
        case Reason.REQUESTED | Reason.NEW | Reason.DUE | Reason.CLOSED | Reason.UNLISTED:
            return Look.WHOLE
        case Reason.TAKINGS_MOVED | Reason.OPEN_ATTEMPTS | Reason.BUSY:
            return Look.EDGE
        case _:
            assert_never(reason)
