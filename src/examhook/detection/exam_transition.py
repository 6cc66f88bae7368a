"""What a list of exams, or a full pass, makes of an exam's history: nothing, a silent record, or one event.

===============================================  =====================
stored → listed                                  event
===============================================  =====================
unavailable → available                          ``exam.opened``
available → unavailable                          ``exam.closed``
nothing → available, where the exam is new       ``exam.opened``
nothing → anything else                          none, it is recorded
a full pass ended, and the stored is what it saw ``exam.verified``
===============================================  =====================

An exam that the list lacks, and one of which it does not say whether it is available, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from examhook.events.catalogue import ExamEventType
from examhook.events.identity import exam_event_id
from examhook.model import Exam, ExamHistory, ExamTransition, Receipt

KEPT_CHANGES = 5
"""How many openings and closings an exam's item keeps, so that missed events can be rebuilt from it."""

_FIRST = "first"
"""Names the opening of an exam at first sight in its id, which a contact after a loss finds again."""


@dataclass(frozen=True, slots=True)
class ExamChange:
    """One exam's history to write, and the stored one that it replaces (None: none was stored)."""

    before: ExamHistory | None
    after: ExamHistory

    @property
    def announces(self) -> bool:
        """Whether the write adds a transition, so that an event follows from it."""
        return self.after.sequence > (self.before.sequence if self.before else 0)


@dataclass(frozen=True, slots=True)
class Sight:
    """The circumstances under which exams were seen."""

    account: str
    observed_at: int
    """By the provider's clock, Unix seconds."""
    fence: int
    """Fencing value of the poll that saw them."""


def is_new(exam: Exam, *, watch_began_at: int, listed_whole: bool) -> bool:
    """Whether an exam without a history came into being under the watch, and did not only lack in a list.

    ``listed_whole``: the whole list was seen and recorded before.
    """
    return listed_whole if exam.created_at is None else exam.created_at >= watch_began_at


def change_of_availability(
    stored: ExamHistory | None, exam: Exam, sight: Sight, *, announce_first: bool
) -> ExamChange | None:
    """The change that an exam's place on the list makes of its history, None when it says nothing new.

    ``announce_first``: announce it if it is available and has no history yet.
    """
    if not exam.availability_known:
        return None
    if stored is None:
        record = _record(exam, sight, exam.available)
        if not (announce_first and exam.available):
            return ExamChange(None, record)
        return ExamChange(None, _announced(record, _availability(record, exam, sight, None)))
    # Which of two polls is the newer one, their fences tell: the provider's clock may have been ahead, and put right.
    if stored.available is exam.available or stored.fence > sight.fence:
        return None
    after = _seen(stored, exam, sight)
    if stored.available is None:
        return ExamChange(stored, replace(after, available=exam.available))
    transition = _availability(stored, exam, sight, stored.available)
    return ExamChange(stored, _announced(replace(after, available=exam.available), transition))


def change_of_receipt(stored: ExamHistory | None, exam: Exam, receipt: Receipt, sight: Sight) -> ExamChange | None:
    """The change that the end of a full pass makes of an exam's history; None for a pass that is no news."""
    before = stored or _record(exam, sight, None)
    given = {each.receipt.watermark for each in before.transitions if each.receipt is not None}
    if receipt.watermark in given or before.fence > sight.fence:
        return None
    event_type = ExamEventType.VERIFIED
    transition = ExamTransition(
        event_id=exam_event_id(sight.account, exam.exam_id, event_type, str(receipt.watermark)),
        event_type=event_type.value,
        sequence=_next_sequence(before, sight),
        previous_id=_newest_id(before, receipts=True),
        observed_at=sight.observed_at,
        receipt=receipt,
    )
    after = before if stored is None else _seen(stored, exam, sight)
    return ExamChange(stored, _announced(after, transition))


def _availability(before: ExamHistory, exam: Exam, sight: Sight, previously: bool | None) -> ExamTransition:  # noqa: FBT001 - a fact
    event_type = ExamEventType.OPENED if exam.available else ExamEventType.CLOSED
    sequence = _next_sequence(before, sight)
    which = _FIRST if previously is None else str(sequence)
    return ExamTransition(
        event_id=exam_event_id(sight.account, exam.exam_id, event_type, which),
        event_type=event_type.value,
        sequence=sequence,
        previous_id=_newest_id(before, receipts=False),
        observed_at=sight.observed_at,
        available=exam.available,
        previously_available=previously,
    )


def _next_sequence(history: ExamHistory, sight: Sight) -> int:
    """About the second of the observation, so that it grows even when what was stored is lost."""
    return max(history.sequence + 1, sight.observed_at)


def _newest_id(history: ExamHistory, *, receipts: bool) -> str | None:
    """Receipts are a chain of their own: whoever does not ask for them must not miss them between the others."""
    chain = [each.event_id for each in history.transitions if (each.receipt is not None) is receipts]
    return chain[-1] if chain else None


def _record(exam: Exam, sight: Sight, available: bool | None) -> ExamHistory:  # noqa: FBT001 - a fact
    return ExamHistory(
        account=sight.account,
        exam_id=exam.exam_id,
        title=exam.title,
        url=exam.url,
        category=exam.category,
        available=available,
        observed_at=sight.observed_at,
        fence=sight.fence,
    )


def _seen(stored: ExamHistory, exam: Exam, sight: Sight) -> ExamHistory:
    return replace(
        stored,
        title=exam.title,
        url=exam.url,
        category=exam.category,
        observed_at=sight.observed_at,
        version=stored.version + 1,
        fence=sight.fence,
    )


def _announced(history: ExamHistory, transition: ExamTransition) -> ExamHistory:
    return replace(history, transitions=_kept((*history.transitions, transition)), sequence=transition.sequence)


def _kept(transitions: Sequence[ExamTransition]) -> tuple[ExamTransition, ...]:
    """The last few openings and closings, and the last receipt: it says all that earlier ones said."""
    changes = [each for each in transitions if each.receipt is None][-KEPT_CHANGES:]
    receipts = [each for each in transitions if each.receipt is not None][-1:]
    return tuple(sorted([*changes, *receipts], key=lambda each: each.sequence))
