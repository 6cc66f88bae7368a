"""An incremental scan of one exam: reads new rows and running attempts.

New rows appear on the first page (newest first) or at the end (oldest first). The scan reads from there until a page
ends with known rows, and past the running attempt that started first. If reading that far takes more requests, it
requests each running candidate instead. A full scan follows if rows moved, a running attempt is missing, or the attempt
count says that there are more rows.

As in a full scan, submissions are written first and the exam state last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.exam_state import RUNNING_KEPT, ExamState, RowOrder
from examhook.detection.intervals import RETRY_S
from examhook.detection.plan import Depth, ExamRequest
from examhook.detection.reader import LIMIT, Reader
from examhook.detection.scan_result import digest_after_change
from examhook.detection.transition import further_along
from examhook.model import Attempt, AttemptKey, Status, Submission
from examhook.workflows.polling.exam_source import ExamSource, OutOfTimeError, PollContext
from examhook.workflows.polling.report import ExamOutcome
from examhook.workflows.polling.settlement import Settled, start_settling

MAX_PAGES = 10
"""Maximum pages of a scan. A longer one becomes a full scan, which a later poll can continue."""


class _NeedsFullScanError(Exception):
    """Only a full scan can read the exam now."""


@dataclass(slots=True)
class IncrementalScan:
    """One incremental scan."""

    context: PollContext
    request: ExamRequest
    source: ExamSource = field(init=False)
    rows: dict[AttemptKey, Attempt] = field(default_factory=dict)
    stored: dict[AttemptKey, Submission] = field(default_factory=dict)
    reach: int = field(init=False)
    """Rows to read to see all running attempts; 0 if each running candidate is requested."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Unreadable rows by reason."""
    _rows_read: int = 0

    def __post_init__(self) -> None:
        self.source = ExamSource(self.context, self.request)
        self.reach = _reach(self.request)

    def run(self) -> ExamOutcome:
        """Make the scan; raises ProviderError, ClientError, LeaseLostError."""
        needs_full_scan = False
        try:
            if self.request.depth is Depth.NEW_ROWS:
                self._read_new_rows()
            if not self.reach:
                self._read_running()
        except OutOfTimeError:
            return ExamOutcome(problem="the poll ran out of time before it was read", out_of_time=True)
        except _NeedsFullScanError:
            needs_full_scan = True
        # Settle these rows in any case: the full scan may not show them again.
        settled = start_settling(self.source, self.rows, self.stored)()
        outcome = ExamOutcome(
            rows=len(self.rows),
            changes=len(settled.written),
            skipped=settled.skipped(self.unreadable),
            problem=_problem(settled),
            out_of_time=settled.out_of_time,
            unreadable_fields=dict(self.source.unreadable_fields),
            needs_full_scan=needs_full_scan or self._is_unexplained(settled),
        )
        if outcome.problem is None and not outcome.needs_full_scan:
            self.context.exams.save(self._state(settled))
        return outcome

    def _read_new_rows(self) -> None:
        state = self.request.state
        is_newest = state.row_order is RowOrder.NEWEST
        reader = Reader(
            self.source.fetch,
            lambda row: row.key,
            start=0 if is_newest else max(0, state.row_count - 1 - max(0, self.reach - self.request.growth)),
            at_least=state.row_count,
            stop=self._ends_known if is_newest else None,
            limits=(LIMIT,),
        )
        for pages, rows in enumerate(reader.pages()):
            if not is_newest:
                self._take(rows)
            if pages == 0 and not is_newest and state.row_count and (not rows or not self._is_known(rows[0])):
                # Rows were removed ahead of this page, so the new rows are not here.
                raise _NeedsFullScanError
            if pages == MAX_PAGES:
                raise _NeedsFullScanError
        self.unreadable = reader.unreadable
        if reader.problem is not None:
            raise _NeedsFullScanError

    def _take(self, rows: Sequence[Attempt]) -> None:
        visible = self.source.without_erased(rows)
        self._rows_read += len(rows)
        if any(row.key not in self.rows for row in visible):
            self.stored |= self.source.stored_around(visible)
        for row in visible:
            held = self.rows.get(row.key)
            self.rows[row.key] = row if held is None else further_along(held, row)

    def _ends_known(self, rows: Sequence[Attempt]) -> bool:
        """Whether a page ends with a known row, past the running attempt that started first."""
        self._take(rows)
        return bool(rows) and self._is_known(rows[-1]) and self._rows_read >= self.reach

    def _is_known(self, row: Attempt) -> bool:
        if self.context.erased.covers(row.key) or row.key in self.stored:
            return True
        same_record = (each.attempt.record_id == row.record_id for each in self.stored.values())
        return row.record_id is not None and any(same_record)

    def _read_running(self) -> None:
        """Request each running attempt that the pages did not show."""
        for key in self.request.state.running:
            if key in self.rows:
                continue
            row = self.source.row_of(key)
            if row is None:
                raise _NeedsFullScanError
            self.rows[row.key] = row
        missing = [row for key, row in self.rows.items() if key not in self.stored]
        self.stored |= self.source.stored_around(missing)

    def _is_unexplained(self, settled: Settled) -> bool:
        """Whether a running attempt is missing, or rows are missing and no full scan looked for them recently."""
        state = self.request.state
        if set(state.running) - {attempt.key for attempt in settled.attempts}:
            return True
        scanned_lately = self.source.began_at - (state.scanned_at or 0) < RETRY_S
        return self._lacks_rows(settled) and not scanned_lately

    def _lacks_rows(self, settled: Settled) -> bool:
        """Whether the attempt count grew by more than the new rows, and exceeds the number of known rows."""
        row_count = self.request.state.row_count + settled.appeared
        return self.request.growth > settled.appeared and (self.request.exam.attempt_count or 0) > row_count

    def _state(self, settled: Settled) -> ExamState:
        state = self.context.exams.states[self.request.exam.exam_id]
        began_at = self.source.began_at
        digest = state.digest if settled.is_certain else None
        for change in settled.written:
            digest = None if digest is None else digest_after_change(digest, change)
        running = sorted(each.key for each in settled.attempts if each.status_code == Status.IN_TEST)
        changed = bool(settled.written) or self.request.exam.attempt_count != state.exam.attempt_count
        exam = state.exam_as(self.request.exam)
        if self._lacks_rows(settled):
            # Keep the earlier count, so that the next poll reads the exam again.
            exam = replace(exam, attempt_count=state.exam.attempt_count)
        return replace(
            state,
            exam=exam,
            row_count=state.row_count + settled.appeared,
            running=tuple(running[:RUNNING_KEPT]),
            running_count=len(running),
            running_depth=self._running_depth(running, settled),
            digest=digest,
            read_at=began_at,
            changed_at=began_at if changed else state.changed_at,
            failed_since=None,
            skipped=dict(Counter(state.skipped) | Counter(settled.skipped(self.unreadable))),
        )

    def _running_depth(self, running: Sequence[AttemptKey], settled: Settled) -> int:
        if not running:
            return 0
        if not self.reach:
            return self.request.state.running_depth + settled.appeared
        deepest = running[0].started_at
        return sum(row.started_at >= deepest for row in self.rows.values())


def _problem(settled: Settled) -> str | None:
    if settled.problem is not None:
        return settled.problem
    return f"{settled.without_status} of its rows have no status" if settled.without_status else None


def _reach(request: ExamRequest) -> int:
    """Return the number of rows to read to see all running attempts, 0 if requests by candidate are fewer."""
    state = request.state
    if not state.running_count or request.depth is Depth.RUNNING:
        return 0
    reach = state.running_depth + request.growth + 1
    candidates = state.running_candidates
    further_pages = (reach - 1) // (LIMIT - 1)
    return 0 if candidates is not None and candidates < further_pages else reach
