"""The plan of a poll: which exams to read, how much of each, and why. It is complete before the first exam is read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum, auto

from examhook.detection.exam_state import ExamState, RowOrder
from examhook.detection.intervals import (
    ACTIVE_ROTATION_S,
    IDLE_FACTOR,
    RETRY_S,
    PollPace,
    full_scan_interval_s,
    is_in_rotation,
    rotation_interval_s,
    seconds_since,
)
from examhook.detection.reader import LIMIT
from examhook.model import Exam

_ROTATION_SHARE = 4
"""The rotation uses at most a quarter of a poll's requests."""
_SCAN_SHARE = 2
"""Due full scans use at most half of a poll's requests."""


class Reason(IntEnum):
    """Why an exam is read, the most urgent reason first."""

    REQUESTED = auto()
    """An operator requested it."""
    COUNT_CHANGED = auto()
    """Its attempt count changed."""
    RUNNING = auto()
    """Attempts were running."""
    CLOSED = auto()
    """It became unavailable."""
    CONTINUED = auto()
    """Its last scan ran out of time."""
    NEW = auto()
    """No full scan completed yet."""
    FAILED = auto()
    """The last reading was incomplete."""
    DUE = auto()
    """Its full scan is due."""
    ROTATION = auto()
    """Its rotation interval passed."""
    UNLISTED = auto()
    """It is no longer listed, and its results may still change."""


class Depth(StrEnum):
    """How much of an exam is read."""

    RUNNING = "running"
    """Each running attempt, by its candidate."""
    NEW_ROWS = "new_rows"
    """New rows and running attempts."""
    FULL = "full"
    """All rows."""


@dataclass(frozen=True, slots=True)
class ExamRequest:
    """One exam to read."""

    exam: Exam
    """As listed now."""
    state: ExamState
    reason: Reason
    depth: Depth

    @property
    def growth(self) -> int:
        """Increase of the attempt count since the exam was last read."""
        before, now = self.state.exam.attempt_count, self.exam.attempt_count
        return 0 if before is None or now is None else max(0, now - before)


@dataclass(frozen=True, slots=True)
class Rescan:
    """A request to scan exams whether or not they are due."""

    before: int
    """Scan exams whose last full scan began before this instant (Unix seconds)."""
    exam_ids: frozenset[str] | None = None
    """None: all exams."""
    failed_after: int | None = None
    """Skip exams that failed at this instant or later; None: skip no exam."""

    def covers(self, state: ExamState) -> bool:
        """Whether the rescan still has to scan the exam."""
        if self.exam_ids is not None and state.exam_id not in self.exam_ids:
            return False
        is_open = state.cursor is not None or state.scanned_at is None or state.scanned_at < self.before
        return is_open and not self.gave_up(state)

    def gave_up(self, state: ExamState) -> bool:
        """Whether a scan of the exam failed during this rescan."""
        failed = state.failed_since is not None and state.cursor is None
        return failed and self.failed_after is not None and state.read_at >= self.failed_after


def plan(
    listing: Sequence[Exam], states: Mapping[str, ExamState], *, now: int, pace: PollPace, rescan: Rescan | None = None
) -> list[ExamRequest]:
    """Return the exams to read, in order.

    Urgent exams are always planned. Due full scans and the rotation share the other requests of a poll, and wait for
    a later poll otherwise.

    Args:
        listing: Exams as listed now.
        states: States of listed and unlisted exams, by exam id.
        now: Unix seconds by our clock.
        pace: Configured intervals.
        rescan: Further exams to scan.
    """
    urgent: list[ExamRequest] = []
    due: list[ExamRequest] = []
    rotation: list[ExamRequest] = []
    rotation_requests = 0.0
    for exam in listing:
        state = states[exam.exam_id]
        is_rotated, interval_s = is_in_rotation(exam, state, now), rotation_interval_s(state, now)
        rotation_requests += pace.poll_s / interval_s if is_rotated else 0
        request = _urgent(exam, state, now, pace, rescan)
        if request is not None:
            urgent.append(request)
        elif rescan is None and _is_scan_due(state, now, pace):
            due.append(ExamRequest(exam, state, Reason.DUE, Depth.FULL))
        elif is_rotated and _unread_s(state, now) >= interval_s:
            rotation.append(ExamRequest(exam, state, Reason.ROTATION, _new_rows_or(state, Depth.FULL)))
    listed = {exam.exam_id for exam in listing}
    unlisted = (_unlisted(state, now, pace, rescan) for exam_id, state in states.items() if exam_id not in listed)
    chosen = [
        *urgent,
        *(request for request in unlisted if request is not None),
        *_longest_unread(due, pace.requests_per_poll // _SCAN_SHARE),
        *_longest_unread(rotation, min(math.ceil(rotation_requests), pace.requests_per_poll // _ROTATION_SHARE)),
    ]
    return sorted(chosen, key=_urgency)


def is_paused(request: ExamRequest, now: int) -> bool:
    """Whether a failed exam must wait. The wait doubles with each failure, up to RETRY_S."""
    state = request.state
    if state.failed_since is None or request.reason is Reason.CONTINUED:
        return False
    return _unread_s(state, now) < min(state.read_at - state.failed_since, RETRY_S)


def _urgent(exam: Exam, state: ExamState, now: int, pace: PollPace, rescan: Rescan | None) -> ExamRequest | None:
    """Return the request for a listed exam that must be read now; None if it can wait."""
    # Reasons that require a full scan come first.
    applies = {
        Reason.REQUESTED: rescan is not None and rescan.covers(state),
        Reason.CONTINUED: state.cursor is not None,
        Reason.NEW: state.scanned_at is None,
        Reason.FAILED: state.failed_since is not None,
        Reason.CLOSED: _closed_since_scan(state),
        Reason.COUNT_CHANGED: exam.attempt_count != state.exam.attempt_count,
        Reason.RUNNING: state.running_count > 0,
    }
    reason = next((reason for reason, is_true in applies.items() if is_true), None)
    if reason is None:
        return None
    depth = Depth.FULL
    # Frequent small changes must not postpone a due full scan.
    if rescan is not None or not _is_scan_due(state, now, pace):
        if reason is Reason.COUNT_CHANGED:
            depth = _new_rows_or(state, Depth.FULL)
        elif reason is Reason.RUNNING:
            depth = _new_rows_or(state, _by_candidate(state))
    return ExamRequest(exam, state, reason, depth)


def _unlisted(state: ExamState, now: int, pace: PollPace, rescan: Rescan | None) -> ExamRequest | None:
    """Return the request for an unlisted exam: the list may be wrong, and running attempts may still end."""
    full = ExamRequest(state.exam, state, Reason.UNLISTED, Depth.FULL)
    if rescan is not None and rescan.before > now:
        return full
    unread_s = _unread_s(state, now)
    if unread_s < ACTIVE_ROTATION_S:
        return None
    if state.failed_since is not None:
        is_due = unread_s >= pace.full_scan_s * IDLE_FACTOR or now - state.failed_since < 2 * RETRY_S
    else:
        is_due = _is_scan_due(state, now, pace)
    if state.cursor is not None or is_due:
        return full
    if state.running_count and state.failed_since is None:
        return ExamRequest(state.exam, state, Reason.UNLISTED, _new_rows_or(state, _by_candidate(state)))
    return None


def _is_scan_due(state: ExamState, now: int, pace: PollPace) -> bool:
    return seconds_since(state.scanned_at or 0, now) >= full_scan_interval_s(state, pace.full_scan_s)


def _closed_since_scan(state: ExamState) -> bool:
    """Whether the exam became unavailable after its last full scan began."""
    closed_at = max((each.observed_at for each in state.transitions if each.available is False), default=0)
    return state.exam.available is False and closed_at > (state.scanned_at or 0)


def _new_rows_or(state: ExamState, otherwise: Depth) -> Depth:
    """NEW_ROWS if the position of new rows is known."""
    return Depth.NEW_ROWS if state.row_order in {RowOrder.NEWEST, RowOrder.OLDEST} else otherwise


def _by_candidate(state: ExamState) -> Depth:
    """RUNNING if that takes at most as many requests as a full scan."""
    candidates = state.running_candidates
    is_quick = candidates is not None and candidates <= state.row_count // LIMIT
    return Depth.RUNNING if is_quick else Depth.FULL


def _unread_s(state: ExamState, now: int) -> int:
    """Seconds since the exam was last read."""
    return seconds_since(state.read_at, now)


def _longest_unread(requests: Sequence[ExamRequest], budget: int) -> list[ExamRequest]:
    """Choose the longest unread exams that fit into ``budget`` requests to the provider, at least one."""
    chosen: list[ExamRequest] = []
    used = 0
    for request in sorted(requests, key=lambda each: each.state.read_at):
        used += 1 if request.depth is not Depth.FULL else request.state.row_count // LIMIT + 1
        if chosen and used > budget:
            break
        chosen.append(request)
    return chosen


def _urgency(request: ExamRequest) -> tuple[bool, bool, int, int]:
    """Sort key: failed exams last, then incremental scans before full scans, by reason, the longest unread first."""
    state = request.state
    return (state.failed_since is not None, request.depth is Depth.FULL, request.reason, state.read_at)
