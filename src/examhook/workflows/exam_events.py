"""The events of exams within one poll: what the list says, and receipts of full passes.

::

    read the histories ─▶ compare with the list ─▶ write what changed ─▶ note that the list was whole (once)

Each write is the outbox of its event. A poll that dies between two writes leaves the rest to the next,
which finds the same differences: what is written says nothing new then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from examhook.delivery.endpoint import Endpoint
from examhook.detection.exam_transition import Sight, change_of_availability, change_of_receipt, is_new
from examhook.detection.watch import AccountWatch
from examhook.events.catalogue import ExamEventType
from examhook.model import Exam, ExamHistory, Receipt
from examhook.settings import InitialSync, PollSettings
from examhook.storage.account_state import AccountState
from examhook.storage.exam_histories import ExamHistories
from examhook.storage.exams import ExamsTable
from examhook.workflows.exam_list import ExamList
from examhook.workflows.lease import Lease


@dataclass(slots=True)
class ExamEvents:
    """Writes the histories of one account's exams; one instance serves one poll."""

    settings: PollSettings
    histories: ExamHistories
    exams: ExamsTable
    lease: Lease
    endpoints: Callable[[], Sequence[Endpoint]]
    """Every endpoint; asked at most once, and only when a full pass has ended."""
    _known: dict[str, ExamHistory] = field(default_factory=dict)
    _endpoints: Sequence[Endpoint] | None = None

    def compare(self, found: ExamList, state: AccountState, watch: AccountWatch) -> None:
        """Hold the list against the histories and write what changed; raises ClientError, LeaseLostError.

        ``state`` is from before the poll, ``watch`` stands since then at the latest.
        """
        self._known = self.histories.of_account(self.settings.account)
        listed_whole = state.watch is not None and state.watch.listed_whole
        sight = Sight(self.settings.account, found.listed_at, self.lease.fence)

        def announces(exam: Exam) -> bool:
            if exam.exam_id in state.exams:
                return False  # it was watched before exams had histories
            if self.settings.initial_sync is InitialSync.ANNOUNCE:
                return True
            at_first_poll = state.watch is None
            return not at_first_poll and is_new(exam, watch_began_at=watch.began_at, listed_whole=listed_whole)

        compared = (
            change_of_availability(self._known.get(exam.exam_id), exam, sight, announce_first=announces(exam))
            for exam in found.exams
        )
        changes = [change for change in compared if change is not None]
        if changes:
            self.lease.keep()
            overtaken = {change.after.exam_id for change in self.histories.write(changes)}
            self._known |= {
                change.after.exam_id: change.after for change in changes if change.after.exam_id not in overtaken
            }
        if found.whole and not listed_whole and any(exam.availability_known for exam in found.exams):
            self.exams.note_whole_list(self.settings.account)

    def verified(self, exam: Exam, receipt: Receipt) -> None:
        """Write the receipt of a full pass if anyone asks for it; raises ClientError, LeaseLostError.

        Where another poll wrote the exam's history meanwhile, there is none: the next full pass makes one.
        """
        if not self._is_asked_for(exam):
            return
        stored = self._known.get(exam.exam_id)
        sight = Sight(self.settings.account, receipt.watermark, self.lease.fence)
        change = change_of_receipt(stored, exam, receipt, sight)
        if change is not None and not self.histories.write([change]):
            self._known[exam.exam_id] = change.after

    def _is_asked_for(self, exam: Exam) -> bool:
        if self._endpoints is None:
            self._endpoints = self.endpoints()
        return any(
            endpoint.is_enabled and endpoint.asks_for(ExamEventType.VERIFIED, self.settings.account, exam.exam_id)
            for endpoint in self._endpoints
        )
