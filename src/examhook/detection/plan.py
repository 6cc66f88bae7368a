"""Which exams to read now, how much of each, and why: decided for all of them before any of them is read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum, auto

from examhook.detection.exam_state import ExamState, RowOrder
from examhook.detection.pace import (
    ACTIVE_ROTATION_SECONDS,
    IDLE_FACTOR,
    RETRY_SECONDS,
    Pace,
    full_scan_s,
    rotates,
    rotation_s,
    seconds_since,
)
from examhook.detection.reader import LIMIT
from examhook.model import Exam

_ROTATION_SHARE = 4
"""The rotation may use this fraction of a poll's requests: one in four."""
_SCAN_SHARE = 2
"""Full scans that are due may use this fraction of them: one in two."""


class Reason(IntEnum):
    """Why an exam's results are read, the most urgent first."""

    REQUESTED = auto()
    """A person asked for it."""
    COUNT_CHANGED = auto()
    """Its attempt count changed."""
    RUNNING = auto()
    """Attempts were running."""
    CLOSED = auto()
    """It became unavailable."""
    CONTINUED = auto()
    """Its last scan ran out of time."""
    NEW = auto()
    """It was never scanned completely."""
    FAILED = auto()
    """It could not be read completely."""
    DUE = auto()
    """Its full scan is due."""
    ROTATION = auto()
    """Its turn in the rotation came."""
    UNLISTED = auto()
    """It is no longer listed, and its results may still change."""


class Depth(StrEnum):
    """How much of an exam is read."""

    RUNNING = "running"
    """The running attempts, each by its candidate."""
    NEW_ROWS = "new_rows"
    """From where new rows appear until all rows are known, and the running attempts."""
    FULL = "full"
    """All rows."""


@dataclass(frozen=True, slots=True)
class ExamRequest:
    """One exam to read, how much of it, and why."""

    exam: Exam
    """As listed now."""
    state: ExamState
    reason: Reason
    depth: Depth

    @property
    def growth(self) -> int:
        """How much the attempt count grew since the exam was last read."""
        before, now = self.state.exam.attempt_count, self.exam.attempt_count
        return 0 if before is None or now is None else max(0, now - before)


@dataclass(frozen=True, slots=True)
class Rescan:
    """A person's wish to scan exams again, whatever suggests it."""

    before: int
    """Exams whose last full scan began before this instant (Unix seconds) are scanned."""
    exam_ids: frozenset[str] | None = None
    """None: all exams."""
    failed_after: int | None = None
    """An exam that failed at this instant or later is not tried again; None: every exam is tried."""

    def covers(self, state: ExamState) -> bool:
        """Whether the exam is still to be scanned."""
        if self.exam_ids is not None and state.exam_id not in self.exam_ids:
            return False
        return self.is_open(state) and not self.gave_up(state)

    def is_open(self, state: ExamState) -> bool:
        """Whether no complete scan of the exam is recent enough."""
        return state.cursor is not None or state.scanned_at is None or state.scanned_at < self.before

    def gave_up(self, state: ExamState) -> bool:
        """Whether the exam was tried for this rescan and could not be scanned."""
        failed = state.failed_since is not None and state.cursor is None
        return failed and self.failed_after is not None and state.read_at >= self.failed_after


def plan(
    listing: Sequence[Exam], states: Mapping[str, ExamState], *, now: int, pace: Pace, rescan: Rescan | None = None
) -> list[ExamRequest]:
    """Exams to read at ``now`` (Unix seconds, our clock), in the order in which to read them.

    ``states`` holds the state of every listed exam, and of those that are no longer listed. What is urgent is always
    planned. The rotation and the full scans that are due share what is left, and wait for a later poll otherwise.
    """
    urgent: list[ExamRequest] = []
    due: list[ExamRequest] = []
    rotation: list[ExamRequest] = []
    for exam in listing:
        state = states[exam.exam_id]
        request = _urgent(exam, state, now, pace, rescan)
        if request is not None:
            urgent.append(request)
        elif rescan is None and _scan_is_due(state, now, pace):
            due.append(ExamRequest(exam, state, Reason.DUE, Depth.FULL))
        elif rotates(exam, state, now) and _rests_for(state, now) >= rotation_s(state, now):
            rotation.append(ExamRequest(exam, state, Reason.ROTATION, _depth(state, Depth.FULL)))
    listed = {exam.exam_id for exam in listing}
    unlisted = (_unlisted(state, now, pace, rescan) for exam_id, state in states.items() if exam_id not in listed)
    urgent += [request for request in unlisted if request is not None]
    turning = [states[exam.exam_id] for exam in listing if rotates(exam, states[exam.exam_id], now)]
    turns = sum(pace.poll_seconds / rotation_s(state, now) for state in turning)
    chosen = [
        *urgent,
        *_within(due, pace.requests_per_poll // _SCAN_SHARE),
        *_within(rotation, min(math.ceil(turns), pace.requests_per_poll // _ROTATION_SHARE)),
    ]
    return sorted(chosen, key=_urgency)


def rests(request: ExamRequest, now: int) -> bool:
    """Whether an exam that failed lately is left alone at ``now``: in pauses that double up to RETRY_SECONDS."""
    state = request.state
    if state.failed_since is None or request.reason is Reason.CONTINUED:
        return False
    return _rests_for(state, now) < min(state.read_at - state.failed_since, RETRY_SECONDS)


def _urgent(exam: Exam, state: ExamState, now: int, pace: Pace, rescan: Rescan | None) -> ExamRequest | None:
    reason = _reason(exam, state, rescan)
    if reason is None:
        return None
    depth = Depth.FULL
    # A full scan that is due is not put off by changes that call for less, however frequent they are.
    if rescan is not None or not _scan_is_due(state, now, pace):
        if reason is Reason.COUNT_CHANGED:
            depth = _depth(state, Depth.FULL)
        elif reason is Reason.RUNNING:
            depth = _depth(state, _by_candidate(state))
    return ExamRequest(exam, state, reason, depth)


def _reason(exam: Exam, state: ExamState, rescan: Rescan | None) -> Reason | None:
    """The reason to read a listed exam now, whatever the time; reasons that call for a full scan come first."""
    is_true = {
        Reason.REQUESTED: rescan is not None and rescan.covers(state),
        Reason.CONTINUED: state.cursor is not None,
        Reason.NEW: state.scanned_at is None,
        Reason.FAILED: state.failed_since is not None,
        Reason.CLOSED: _closed_since_scan(state),
        Reason.COUNT_CHANGED: exam.attempt_count != state.exam.attempt_count,
        Reason.RUNNING: state.running_count > 0,
    }
    return next((reason for reason, holds in is_true.items() if holds), None)


def _unlisted(state: ExamState, now: int, pace: Pace, rescan: Rescan | None) -> ExamRequest | None:
    """What to read of an exam that the list lacks: the list may be wrong, and its attempts may still end."""
    if rescan is not None and rescan.before > now:
        return ExamRequest(state.exam, state, Reason.UNLISTED, Depth.FULL)
    if _rests_for(state, now) < ACTIVE_ROTATION_SECONDS:
        return None
    if state.failed_since is not None:
        pause_s = pace.full_scan_seconds * IDLE_FACTOR
        is_due = _rests_for(state, now) >= pause_s or now - state.failed_since < 2 * RETRY_SECONDS
    else:
        is_due = _scan_is_due(state, now, pace)
    if state.cursor is not None or is_due:
        return ExamRequest(state.exam, state, Reason.UNLISTED, Depth.FULL)
    if state.running_count and state.failed_since is None:
        return ExamRequest(state.exam, state, Reason.UNLISTED, _depth(state, _by_candidate(state)))
    return None


def _scan_is_due(state: ExamState, now: int, pace: Pace) -> bool:
    return seconds_since(state.scanned_at or 0, now) >= full_scan_s(state, pace.full_scan_seconds)


def _closed_since_scan(state: ExamState) -> bool:
    """Whether the exam became unavailable after its last full scan began."""
    closed_at = max((each.observed_at for each in state.transitions if each.available is False), default=0)
    return state.exam.available is False and closed_at > (state.scanned_at or 0)


def _depth(state: ExamState, otherwise: Depth) -> Depth:
    """NEW_ROWS where it is known where new rows appear."""
    return Depth.NEW_ROWS if state.row_order in {RowOrder.NEWEST, RowOrder.OLDEST} else otherwise


def _by_candidate(state: ExamState) -> Depth:
    """How to follow running attempts where new rows may appear anywhere: as few requests as possible."""
    candidates = state.running_candidates
    is_quick = candidates is not None and candidates <= state.row_count // LIMIT
    return Depth.RUNNING if is_quick else Depth.FULL


def _rests_for(state: ExamState, now: int) -> int:
    return seconds_since(state.read_at, now)


def _within(requests: Sequence[ExamRequest], most: int) -> list[ExamRequest]:
    """The requests that waited longest, as many as fit into ``most`` requests to the provider, but always one."""
    chosen: list[ExamRequest] = []
    used = 0
    for request in sorted(requests, key=lambda each: each.state.read_at):
        used += 1 if request.depth is not Depth.FULL else request.state.row_count // LIMIT + 1
        if chosen and used > most:
            break
        chosen.append(request)
    return chosen


def _urgency(request: ExamRequest) -> tuple[bool, bool, int, int]:
    """Exams that failed come last, what is quick to read comes first, then the more urgent, then the longest unread."""
    state = request.state
    return (state.failed_since is not None, request.depth is Depth.FULL, request.reason, state.read_at)
