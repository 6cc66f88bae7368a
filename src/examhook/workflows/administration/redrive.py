"""Redrive: rebuild and dispatch every event of the Submissions table that was never dispatched.

The stream expires after a day, but the table keeps the last transitions of each submission and exam. Event ids derive
from them, so events that were already dispatched are recognized and skipped::

    scan ─▶ transitions observed or announced again since a time ─▶ dispatched? ── yes ──▶ skip
                                                                        │ no
                                                                        └──▶ the steps of Dispatch

A redrive may be repeated, and may run at the same time as Dispatch. It sends duplicates only after a crash, as
Dispatch does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from examhook.detection.exam_state import ExamState
from examhook.events.build import Event, exam_event, submission_event
from examhook.events.encoding import UnwritableInstantError
from examhook.model import Submission
from examhook.storage.submission_outbox import ScannedPage, SubmissionScan
from examhook.workflows.dispatching.batch import Batch, OutgoingEvent
from examhook.workflows.dispatching.dispatch import Dispatch

_PARALLEL_READS = 8
_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class RedriveReport:
    """Result of one run; also the output of the redrive command."""

    scanned: int
    missing: int
    """Events that had not been dispatched."""
    dispatched: int
    """Missing events that were dispatched now; 0 in a dry run."""
    failed: int
    """Submissions with an event that could not be sent; a retry helps."""
    unreadable: int
    """Submissions that this version cannot create events from; a retry does not help."""
    reason: str | None
    """Error codes of the failures, separated by commas."""
    next_place: Mapping[str, str] | None
    """Key of the table to continue after; None if the range is complete."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """Finds and dispatches events that Dispatch missed."""

    dispatch: Dispatch
    scan: SubmissionScan
    monotonic: Callable[[], float]

    def run(
        self,
        since: int,
        place: Mapping[str, str] | None,
        until: Mapping[str, str] | None = None,
        *,
        stop_at: float,
        dry_run: bool = False,
    ) -> RedriveReport:
        """Dispatch missing events since ``since`` (Unix seconds), from key ``place`` to key ``until`` of the table.

        The run starts no page after ``stop_at`` (by ``monotonic``), but processes at least one. ``since`` is limited
        to the retention of events, because older events cannot be recognized as dispatched. Raises botocore's errors
        if the table, the events or the endpoints cannot be read.
        """
        kept_since = int(self.dispatch.now()) - self.dispatch.retention_days * _DAY_S + _HOUR_S
        since = max(since, kept_since)
        scanned = missing = dispatched = failed = unreadable = 0
        reasons: set[str] = set()
        next_place = place
        for page in self.scan.announced_since(since, place, until):
            batch, unwritable = self._batch(page, since)
            missing += len(batch.outgoing)
            if not dry_run and batch.outgoing:
                self.dispatch.send(batch)
                dispatched += len(batch.outgoing)
                failed += len(batch.failures)
                reasons |= set(batch.failures.values())
            scanned += page.read
            unreadable += page.unreadable + unwritable
            next_place = page.next_place
            if self.monotonic() >= stop_at:
                break
        return RedriveReport(
            scanned, missing, dispatched, failed, unreadable, ", ".join(sorted(reasons)) or None, next_place
        )

    def _batch(self, page: ScannedPage, since: int) -> tuple[Batch, int]:
        """Return the undispatched events of a page, and the number of items that no event can be built from."""
        built: list[OutgoingEvent] = []
        unwritable = 0
        items: list[Submission | ExamState] = [*page.submissions, *page.exams]
        for number, item in enumerate(items):
            try:
                built += [OutgoingEvent(number, str(number), event) for event in _events(item, since)]
            except UnwritableInstantError:
                unwritable += 1
        return Batch(self._not_dispatched(built)), unwritable

    def _not_dispatched(self, built: Sequence[OutgoingEvent]) -> list[OutgoingEvent]:
        if not built:
            return []
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            dispatched = pool.map(lambda each: self.dispatch.events.is_dispatched(each.event.event_id), built)
            return [each for each, is_dispatched in zip(built, dispatched, strict=True) if not is_dispatched]


def _events(item: Submission | ExamState, since: int) -> list[Event]:
    if isinstance(item, Submission):
        return [submission_event(item, each) for each in item.transitions if each.announced_at >= since]
    return [exam_event(item.account, item.exam, each) for each in item.transitions if each.observed_at >= since]
