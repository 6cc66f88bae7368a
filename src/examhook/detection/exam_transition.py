"""Changes that the exam list or a full scan makes to an exam state, and the event of each change.

===============================================  =====================
stored → listed                                  event
===============================================  =====================
unavailable → available                          ``exam.opened``
available → unavailable                          ``exam.closed``
nothing → available, if the exam is new          ``exam.opened``
nothing → anything else                          none
a complete full scan                             ``exam.verified``
===============================================  =====================

A missing exam, or a missing availability, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from examhook.detection.exam_state import ExamState
from examhook.events.catalogue import ExamEventType
from examhook.events.identity import exam_event_id
from examhook.model import Exam, ExamTransition, Receipt

KEPT_CHANGES = 5
"""Openings and closings that a state keeps, so that missed events can be rebuilt from it."""

_FIRST = "first"
"""Replaces the sequence in the event id of a new exam's opening, so that the id survives a loss of the tables."""


@dataclass(frozen=True, slots=True)
class ExamChange:
    """One exam state to write."""

    before: ExamState | None
    """The stored state that it replaces; None for a new one."""
    after: ExamState

    @property
    def announces(self) -> bool:
        """Whether the write causes an event."""
        return self.after.sequence > (self.before.sequence if self.before else 0)


def first_state(account: str, exam: Exam, *, observed_at: int, predates_watch: bool, announce: bool) -> ExamState:
    """Return the state of a new exam, with its opening announced if it is available and ``announce`` is set."""
    state = ExamState(account, exam, predates_watch=predates_watch, version=1)
    return _with_availability(state, exam, observed_at, previously=None) if announce and exam.available else state


def change_of_availability(state: ExamState, exam: Exam, *, observed_at: int) -> ExamState | None:
    """Return the state after ``exam`` was listed; None if its availability did not change."""
    before = state.exam.available
    if exam.available is None or exam.available is before:
        return None
    if before is None:
        return replace(state, exam=replace(state.exam, available=exam.available))
    return _with_availability(state, exam, observed_at, previously=before)


def _with_availability(state: ExamState, exam: Exam, observed_at: int, *, previously: bool | None) -> ExamState:
    """Return ``state`` with an opening or closing announced."""
    event_type = ExamEventType.OPENED if exam.available else ExamEventType.CLOSED
    sequence = _next_sequence(state, observed_at)
    which = _FIRST if previously is None else str(sequence)
    transition = ExamTransition(
        event_id=exam_event_id(state.account, exam.exam_id, event_type, which),
        event_type=event_type.value,
        sequence=sequence,
        previous_id=_newest_id(state, receipts=False),
        observed_at=observed_at,
        available=exam.available,
        previously_available=previously,
    )
    # Keep the attempt count of the last reading, so that a changed count still causes a reading.
    return _announced(replace(state, exam=replace(exam, attempt_count=state.exam.attempt_count)), transition)


def with_receipt(state: ExamState, receipt: Receipt) -> ExamState:
    """Return ``state`` with the receipt of a full scan announced, unless it was announced before."""
    if any(each.receipt is not None and each.receipt.watermark == receipt.watermark for each in state.transitions):
        return state
    event_type = ExamEventType.VERIFIED
    transition = ExamTransition(
        event_id=exam_event_id(state.account, state.exam_id, event_type, str(receipt.watermark)),
        event_type=event_type.value,
        sequence=_next_sequence(state, receipt.watermark),
        previous_id=_newest_id(state, receipts=True),
        observed_at=receipt.watermark,
        receipt=receipt,
    )
    return _announced(state, transition)


def _next_sequence(state: ExamState, observed_at: int) -> int:
    # Based on the time, so that it grows even after the stored state was lost.
    return max(state.sequence + 1, observed_at)


def _newest_id(state: ExamState, *, receipts: bool) -> str | None:
    """Id of the newest event of the same kind. Receivers may filter out receipts, so these are linked separately."""
    chain = [each.event_id for each in state.transitions if (each.receipt is not None) is receipts]
    return chain[-1] if chain else None


def _announced(state: ExamState, transition: ExamTransition) -> ExamState:
    transitions = (*state.transitions, transition)
    changes = [each for each in transitions if each.receipt is None][-KEPT_CHANGES:]
    # A receipt replaces all earlier ones.
    receipts = [each for each in transitions if each.receipt is not None][-1:]
    kept = tuple(sorted([*changes, *receipts], key=lambda each: each.sequence))
    return replace(state, transitions=kept, sequence=transition.sequence)
