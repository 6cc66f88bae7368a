"""A full scan of one exam: reads all rows, writes changes, and stores the exam state.

Submissions are written first and the state last. If a poll dies in between, the next one reads the same rows again and
finds no changes::

    pages ─▶ held rows ── digest unchanged ──▶ state
                 └─────── otherwise ──▶ settled ─▶ missing rows ─▶ state

A first scan settles each page and writes it while the next page is read. It saves a cursor every few pages, so that
the next poll continues there if this one dies or runs out of time. At the end of a scan
over several polls, not all rows are in memory. The state is then computed from the stored submissions, and a later scan
looks for missing rows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from operator import attrgetter

from examhook.detection.exam_state import ExamState, RowOrder, ScanCursor
from examhook.detection.exam_transition import with_receipt
from examhook.detection.intervals import is_weekly_check_due
from examhook.detection.plan import ExamRequest
from examhook.detection.reader import Reader, limits_at
from examhook.detection.scan_result import ScanResult, after_complete_scan, after_incomplete_scan
from examhook.model import Attempt, AttemptKey
from examhook.provider.port import NO_STATUS
from examhook.workflows.polling.exam_source import ExamSource, OutOfTimeError, PollContext
from examhook.workflows.polling.report import ExamOutcome
from examhook.workflows.polling.scan_rows import ScanRows

FIRST_SCAN_PAGES = 5
"""Pages of a first scan between two cursors."""
HELD_PAGES = 100
"""Pages of a later scan that are held in memory."""
PATIENCE_S = 1800
"""Time after which a scan accepts an answer that contradicts the stored state (no rows, no status)."""


@dataclass(slots=True)
class FullScan:
    """One full scan, or its part in one poll."""

    context: PollContext
    request: ExamRequest
    source: ExamSource = field(init=False)
    reader: Reader[Attempt] = field(init=False)
    rows: ScanRows = field(init=False)

    def __post_init__(self) -> None:
        self.source = ExamSource(self.context, self.request)
        state, cursor = self.request.state, self.request.state.cursor
        self.rows = ScanRows(self.source, had_stored=state.scanned_at is not None or self.source.holds_any())
        if cursor is not None and cursor.last is not None:
            self.rows.result.listed_before = cursor.last.started_at
        self.reader = Reader(
            self.source.fetch,
            attrgetter("key"),
            start=0 if cursor is None else cursor.start,
            after=None if cursor is None else cursor.last,
            at_least=self._min_rows,
            limits=limits_at(self.source.began_at),
        )

    def run(self) -> ExamOutcome:
        """Make the scan; raises ProviderError, ClientError, LeaseLostError."""
        is_first = self.request.state.scanned_at is None
        try:
            for pages, rows in enumerate(self.reader.pages(), start=1):
                self.rows.hold(rows, in_order=self.reader.is_in_first_pass)
                saves_cursor = pages % (FIRST_SCAN_PAGES if is_first else HELD_PAGES) == 0
                if is_first or saves_cursor:
                    self.rows.flush()
                if saves_cursor:
                    self._save_cursor()
        except OutOfTimeError:
            self.rows.flush()
            self._save_cursor()
            return self._outcome("the poll ran out of time before all of it was read", out_of_time=True)
        finally:
            # A write must not outlive the lease.
            self.rows.wait()
        return self._finish()

    @property
    def _is_continued(self) -> bool:
        return self.request.state.cursor is not None

    @property
    def _expected_rows(self) -> int:
        """Number of rows by the last scan, or by the provider's count before the first scan."""
        state = self.request.state
        return state.row_count if state.scanned_at is not None else self.request.exam.attempt_count or 0

    @property
    def _min_rows(self) -> int:
        """Number of rows that a pass must show to be a proof."""
        if self._is_continued:
            # A further pass may take longer than a poll.
            return 0
        # At first contact, another answer must confirm an empty one.
        is_first = self.request.state.scanned_at is None
        return max(1, self._expected_rows) if is_first else self._expected_rows

    def _save_cursor(self) -> None:
        """Store where the next poll continues, unless this one skipped rows."""
        self.rows.wait()
        last = self.reader.last
        if not isinstance(last, AttemptKey) or self.context.erased.covers(last) or not self.reader.is_in_first_pass:
            return
        if self.rows.settled.out_of_time:
            # Rows without a status were not stored.
            return
        state = self.context.exams.states[self.request.exam.exam_id]
        began_at = state.cursor.began_at if state.cursor is not None else self.source.began_at
        self.context.exams.save(
            replace(
                state,
                cursor=ScanCursor(self.reader.next_start, last, began_at),
                row_order=self._row_order,
                digest=None,
                read_at=self.source.began_at,
                skipped=self._skipped(),
            )
        )

    def _finish(self) -> ExamOutcome:
        problem = self.reader.problem or self._doubtful_emptiness()
        holds_all = not self.rows.counted and not self._is_continued
        if problem is None and holds_all and (unchanged := self._unchanged()) is not None:
            self.rows.result = unchanged
            return self._save(is_settled=True)
        self.rows.flush(self.source.all_stored() if holds_all and self.rows.had_stored else None)
        self.rows.wait()
        if problem is not None or self.reader.unreadable:
            # A missing row may be one of the unreadable rows.
            return self._save(problem, is_settled=False)
        checks_absences = self.rows.had_stored and not self._is_continued
        return self._save(is_settled=self.rows.settle_absences() if checks_absences else True)

    def _doubtful_emptiness(self) -> str | None:
        """Why an exam without rows is not believed to be empty, as a clause."""
        if self.reader.seen or self.reader.unreadable or not self._expected_rows or self._is_patience_over:
            return None
        return f"it showed no rows, and should have about {self._expected_rows}"

    @property
    def _is_patience_over(self) -> bool:
        """Whether readings of the exam have been incomplete for PATIENCE_S."""
        since = self.request.state.failed_since
        return since is not None and self.source.began_at - since >= PATIENCE_S

    def _unchanged(self) -> ScanResult | None:
        """Return the result of the held rows if their digest is that of the stored attempts."""
        state = self.request.state
        if state.digest is None or self.reader.unreadable or len(self.rows.held) != state.row_count:
            return None
        # A poll that lost its lease may have written a row after the digest was stored.
        if is_weekly_check_due(state.exam_id, state.scanned_at or 0, self.source.began_at):
            return None
        rows = list(self.rows.held.values())
        if any(row.status_code == NO_STATUS for row in rows):
            return None
        result = self.rows.result.without_counts()
        result.count(rows)
        return result if result.digest == state.digest else None

    def _save(self, problem: str | None = None, *, is_settled: bool) -> ExamOutcome:
        """Store the state; ``is_settled``: the stored attempts are those of the scan."""
        settled = self.rows.settled
        if self._is_continued and problem is None:
            self.rows.count_stored()
            problem = self._shortfall()
        state = self.context.exams.states[self.request.exam.exam_id]
        exam = state.exam_as(self.request.exam)
        state = replace(state, exam=exam, read_at=self.source.began_at, cursor=None, skipped=self._skipped())
        problem = problem or self._doubt()
        if problem is None:
            state = self._complete(state, is_digest_valid=is_settled and settled.is_certain)
        else:
            count = self.request.state.exam.attempt_count
            failed_at = None if settled.out_of_time else self.source.began_at
            state = after_incomplete_scan(state, self.rows.result, attempt_count=count, failed_at=failed_at)
        self.context.exams.save(state)
        return self._outcome(problem, out_of_time=settled.out_of_time)

    def _shortfall(self) -> str | None:
        """Why a first scan over several polls may lack rows, as a clause: rows may have moved between its parts."""
        stored, counted = self.rows.result.row_count, self.request.exam.attempt_count or 0
        if self.request.state.scanned_at is not None or stored >= counted or self._is_patience_over:
            return None
        return f"it showed {stored} rows in several polls, and should have {counted}"

    def _doubt(self) -> str | None:
        """Why the exam stays due after its rows were settled, as a clause."""
        if (problem := self.rows.settled.problem) is not None:
            return problem
        skipped = Counter(self._skipped())
        before = self.request.state
        # Rows that the parts of a first scan skipped were not tried again.
        is_known = before.scanned_at is not None and before.failed_since is None
        is_known = is_known and not skipped - Counter(before.skipped)
        if skipped and not is_known and not self._is_patience_over:
            return f"{skipped.total()} of its rows cannot be announced yet: {', '.join(sorted(skipped))}"
        return None

    def _complete(self, state: ExamState, *, is_digest_valid: bool) -> ExamState:
        cursor, settled = self.request.state.cursor, self.rows.settled
        after = after_complete_scan(
            state,
            self.rows.result,
            began_at=self.source.began_at if cursor is None else cursor.began_at,
            row_order=self._row_order,
            # Rows may have moved between the parts of a scan.
            changed=bool(settled.written or self.request.growth or self._is_continued),
            is_digest_valid=is_digest_valid,
        )
        is_proven = is_digest_valid and not state.skipped and not settled.trusted and not self._is_continued
        if is_proven and self.context.exams.asks_for_receipt(state.exam_id):
            return with_receipt(after, self.rows.result.receipt(self.source.began_at))
        return after

    @property
    def _row_order(self) -> RowOrder:
        return self.rows.result.row_order(self.request.state.row_order, is_continued=self._is_continued)

    def _skipped(self) -> dict[str, int]:
        """Rows that cannot be announced, by reason."""
        here = self.rows.settled.skipped(self.reader.unreadable)
        return dict(Counter(self.request.state.skipped) | Counter(here)) if self._is_continued else here

    def _outcome(self, problem: str | None, *, out_of_time: bool = False) -> ExamOutcome:
        changes = sum(change.announces or not change.after.missing_since for change in self.rows.settled.written)
        return ExamOutcome(
            rows=len(self.reader.seen) + self.reader.unreadable.total(),
            changes=changes,
            skipped=self._skipped(),
            problem=problem,
            out_of_time=out_of_time,
            unreadable_fields=dict(self.source.unreadable_fields),
        )
