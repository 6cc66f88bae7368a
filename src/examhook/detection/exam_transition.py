"""What a list of exams, or a full scan, makes of an exam's state: nothing, a silent record, or one event.

===============================================  =====================
stored → listed                                  event
===============================================  =====================
unavailable → available                          ``exam.opened``
available → unavailable                          ``exam.closed``
nothing → available, where the exam is new       ``exam.opened``
nothing → anything else                          none, it is recorded
a complete full scan                             ``exam.verified``
===============================================  =====================

An exam that the list lacks, and one of which it does not say whether it is available, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from examhook.detection.exam_state import ExamState
from examhook.events.catalogue import ExamEventType
from examhook.events.identity import exam_event_id
from examhook.model import Exam, ExamTransition, Receipt

KEPT_CHANGES = 5
"""Openings and closings that an exam's state keeps, so that missed events can be rebuilt from it."""

_FIRST = "first"
"""Names the opening of an exam at first sight in its id, which a first contact after a loss derives again."""


@dataclass(frozen=True, slots=True)
class ExamChange:
    """One exam's state to write, and the stored one that it replaces (None: none was stored)."""

    before: ExamState | None
    after: ExamState

    @property
    def announces(self) -> bool:
        """Whether the write adds a transition, so that an event follows from it."""
        return self.after.sequence > (self.before.sequence if self.before else 0)


def first_state(account: str, exam: Exam, *, observed_at: int, predates_watch: bool, announce: bool) -> ExamState:
    """State of an exam that is listed for the first time; ``announce``: announce it if it is available."""
    state = ExamState(account, exam, predates_watch=predates_watch, version=1)
    return _with_availability(state, exam, observed_at, previously=None) if announce and exam.available else state


def change_of_availability(state: ExamState, exam: Exam, *, observed_at: int) -> ExamState | None:
    """The state after ``exam`` was listed as available or not; None where that says nothing new."""
    before = state.exam.available
    if exam.available is None or exam.available is before:
        return None
    if before is None:
        return replace(state, exam=replace(state.exam, available=exam.available))
    return _with_availability(state, exam, observed_at, previously=before)


def _with_availability(state: ExamState, exam: Exam, observed_at: int, *, previously: bool | None) -> ExamState:
    """``state`` with an opening or closing announced."""
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
    # The count stays as of the last reading, so that its change still calls for one.
    described = replace(exam, attempt_count=state.exam.attempt_count)
    return _announced(replace(state, exam=described), transition)


def with_receipt(state: ExamState, receipt: Receipt) -> ExamState:
    """``state`` with the receipt of a full scan announced; the same state where that scan has one."""
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
    """About the second of the observation, so that it grows even after the stored state was lost."""
    return max(state.sequence + 1, observed_at)


def _newest_id(state: ExamState, *, receipts: bool) -> str | None:
    """Id of the newest receipt, or of the newest other: receipts are a chain of their own for who filters them out."""
    chain = [each.event_id for each in state.transitions if (each.receipt is not None) is receipts]
    return chain[-1] if chain else None


def _announced(state: ExamState, transition: ExamTransition) -> ExamState:
    return replace(state, transitions=_kept((*state.transitions, transition)), sequence=transition.sequence)


def _kept(transitions: Sequence[ExamTransition]) -> tuple[ExamTransition, ...]:
    """The last few openings and closings, and the last receipt, which says all that earlier ones said."""
    changes = [each for each in transitions if each.receipt is None][-KEPT_CHANGES:]
    receipts = [each for each in transitions if each.receipt is not None][-1:]
    return tuple(sorted([*changes, *receipts], key=lambda each: each.sequence))
