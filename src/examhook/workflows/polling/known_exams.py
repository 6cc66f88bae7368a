"""The exams' states within one poll: read once, written when they change.

Each write is the outbox of the events that it adds. A poll that dies between two writes leaves the rest to the next,
which finds the same differences.
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
    """The states of one account's exams; one instance serves one poll."""

    account: str
    table: ExamStates
    lease: Lease
    endpoints: Callable[[], Sequence[Endpoint]]
    """Returns every endpoint; asked at most once, and only after a complete full scan."""
    states: dict[str, ExamState] = field(default_factory=dict)
    """As they are stored."""
    _endpoints: Sequence[Endpoint] | None = None

    def read(self) -> None:
        """Read all states; raises UnreadableItemError, ClientError."""
        self.states = self.table.of_account(self.account)

    def adopt(self, exams: ExamsTable, legacy: dict[str, ExamState]) -> None:
        """Move states that an older version kept in the Exams table; raises ClientError, LeaseLostError."""
        if not legacy:
            return
        self.lease.keep()
        known = [(exam_id, self.states.get(exam_id), state) for exam_id, state in legacy.items()]
        moved = [
            state if stored is None else replace(state, transitions=stored.transitions, sequence=stored.sequence)
            for _, stored, state in known
            if stored is None or stored.scanned_at is None
        ]
        self.save_all(moved)
        exams.delete_legacy(self.account, legacy)

    def compare(self, listed: Sequence[Exam], *, observed_at: int, predates_watch: bool, announce_new: bool) -> None:
        """Record exams that are new on the list, and announce what opened or closed; raises as ``save`` does.

        ``predates_watch``: exams that are new here were there before the watch began.
        """
        changed: list[ExamState] = []
        for exam in listed:
            stored = self.states.get(exam.exam_id)
            if stored is None:
                changed.append(
                    first_state(
                        self.account,
                        exam,
                        observed_at=observed_at,
                        predates_watch=predates_watch,
                        announce=announce_new,
                    )
                )
            elif (after := change_of_availability(stored, exam, observed_at=observed_at)) is not None:
                changed.append(after)
        self.save_all(changed)

    def save(self, state: ExamState) -> None:
        """Write one state; raises ClientError, LeaseLostError."""
        self.save_all([state])

    def save_all(self, states: Sequence[ExamState]) -> None:
        """Write states; raises ClientError, LeaseLostError."""
        if not states:
            return
        self.lease.keep()
        changes = [self._change(state) for state in states]
        # One with which another poll was faster stays as that poll wrote it; this poll goes by what it saw.
        self.table.write(changes)
        self.states |= {change.after.exam_id: change.after for change in changes}

    def asks_for_receipt(self, exam_id: str) -> bool:
        """Whether an enabled endpoint asks for ``exam.verified`` of this exam; raises ClientError."""
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
