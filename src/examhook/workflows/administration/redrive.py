"""Redrive: rebuild from the Submissions table every event that was never dispatched, and send it.

The stream forgets after a day; the table does not. Each submission and each exam keeps its last few transitions,
and the id of an event derives from them, so what was dispatched is recognised and left alone::

    scan ─▶ transitions seen, or recalled, since a time ─▶ dispatched? ── yes ──▶ leave
                                                               │ no
                                                               └──▶ the steps of Dispatch, in the same order

Doing it twice, or while Dispatch works on the same, sends nothing twice but what a crash would.
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
from examhook.workflows.dispatching.batch import Batch, Outgoing
from examhook.workflows.dispatching.dispatch import Dispatch

_PARALLEL_READS = 8
_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class RedriveReport:
    """What one go did."""

    scanned: int
    missing: int
    """Events that had not been dispatched."""
    dispatched: int
    """Those of them that now are; 0 in a dry run."""
    failed: int
    """Submissions with an event that could not be sent now; trying again helps."""
    unreadable: int
    """Submissions that this version cannot make events of; trying again does not help."""
    reason: str | None
    """Why some failed: codes with commas between them."""
    next_place: Mapping[str, str] | None
    """Where to go on; None when all that was to be looked through was."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """Repairs what the stream could not bring; one instance serves many goes."""

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
        """Send what was noticed since ``since`` (Unix seconds) and never dispatched, from ``place`` to ``until``.

        After ``stop_at`` (by ``monotonic``) no further page is begun; at least one is.

        No further back than events are kept, because beyond that nothing tells what was dispatched.
        Raises botocore's errors where the table, the events or the endpoints cannot be read.
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
        """The events of a page that were not dispatched, and how many submissions none could be made of."""
        made: list[Outgoing] = []
        unwritable = 0
        found: list[Submission | ExamState] = [*page.submissions, *page.exams]
        for number, stored in enumerate(found):
            try:
                made += [Outgoing(number, str(number), event) for event in _events(stored, since)]
            except UnwritableInstantError:
                unwritable += 1
        batch = Batch()
        batch.add(self._not_dispatched(made))
        return batch, unwritable

    def _not_dispatched(self, made: Sequence[Outgoing]) -> list[Outgoing]:
        if not made:
            return []
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            done = pool.map(lambda each: self.dispatch.events.is_dispatched(each.event.event_id), made)
            return [each for each, is_done in zip(made, done, strict=True) if not is_done]


def _events(stored: Submission | ExamState, since: int) -> list[Event]:
    if isinstance(stored, Submission):
        return [submission_event(stored, each) for each in stored.transitions if each.announced_at >= since]
    return [exam_event(stored.account, stored.exam, each) for each in stored.transitions if each.observed_at >= since]
