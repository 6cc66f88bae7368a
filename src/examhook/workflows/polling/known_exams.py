"""The exam states of one account during one poll. The poll reads them once and writes the ones that change.

Each write is also the outbox of the events that it adds. If a poll dies between two writes, the next poll finds the
remaining differences again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from examhook.delivery.endpoint import Endpoint
from examhook.detection.exam_state import ExamState
from examhook.detection.exam_transition import ExamChange, change_of_availability, first_state
from examhook.events.catalogue import ExamEventType
from examhook.model import Exam
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import ExamStates
from examhook.workflows.polling.lease import Lease


@dataclass(slots=True)
class KnownExams:
    """The exam states of one account; one instance serves one poll."""

    account: str
    table: ExamStates
    lease: Lease
    endpoints: Callable[[], Sequence[Endpoint]]
    """Returns every endpoint. It is called at most once, and only after a complete full scan."""
    states: dict[str, ExamState] = field(default_factory=dict)
    """Stored states by exam id."""
    _endpoints: Sequence[Endpoint] | None = None

    def read(self) -> None:
        """Read all states; raises UnreadableItemError, ClientError."""
        self.states = self.table.of_account(self.account)

    def adopt(self, exams: ExamsTable, legacy: dict[str, ExamState]) -> None:
        """Move states that an older version stored in the Exams table; raises ClientError, LeaseLostError."""
        if not legacy:
            return
        self.lease.keep()
        moved: list[ExamState] = []
        for exam_id, state in legacy.items():
            stored = self.states.get(exam_id)
            if stored is None:
                moved.append(state)
            elif stored.scanned_at is None:
                moved.append(replace(state, transitions=stored.transitions, sequence=stored.sequence))
        self.save(*moved)
        exams.delete_legacy(self.account, legacy)

    def compare(self, listed: Sequence[Exam], *, observed_at: int, predates_watch: bool, announce_new: bool) -> None:
        """Record new exams, and announce exams that opened or closed; raises as ``save`` does.

        ``predates_watch``: new exams existed before the watch began.
        """
        changed: list[ExamState] = []
        for exam in listed:
            stored = self.states.get(exam.exam_id)
            after = (
                first_state(
                    self.account, exam, observed_at=observed_at, predates_watch=predates_watch, announce=announce_new
                )
                if stored is None
                else change_of_availability(stored, exam, observed_at=observed_at)
            )
            if after is not None:
                changed.append(after)
        self.save(*changed)

    def save(self, *states: ExamState) -> None:
        """Write states; raises ClientError, LeaseLostError."""
        if not states:
            return
        self.lease.keep()
        changes = [self._change(state) for state in states]
        # If another poll wrote a state first, the table keeps that one. This poll continues with its own.
        self.table.write(changes)
        self.states |= {change.after.exam_id: change.after for change in changes}

    def asks_for_receipt(self, exam_id: str) -> bool:
        """Whether an enabled endpoint subscribes to ``exam.verified`` of this exam; raises ClientError."""
        if self._endpoints is None:
            self._endpoints = self.endpoints()
        return any(
            endpoint.is_enabled and endpoint.asks_for(ExamEventType.VERIFIED, self.account, exam_id)
            for endpoint in self._endpoints
        )

    def _change(self, state: ExamState) -> ExamChange:
        before = self.states.get(state.exam_id)
        version = 1 if before is None else before.version + 1
        return ExamChange(before, replace(state, version=version, fence=self.lease.fence))
