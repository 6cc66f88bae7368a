"""A full scan of one exam: read all its rows, write what changed, remember that it was done.

Submissions are written first and the exam's state last. A poll that dies between the two reads the same rows again,
and they change nothing then::

    pages ─▶ rows held ── digest unchanged ──▶ state
                 └─────── otherwise ──▶ settled ─▶ rows that are missing ─▶ state

A first scan settles each page, and writes it while the next one is read. Every few pages it saves a cursor, so that
little is read again after a poll died or ran out of time. What a scan over several polls showed is not all in hand at
its end, so the state is then made from what is stored, and missing rows are left to a later scan.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from operator import attrgetter

from examhook.detection.after_scan import after_complete_scan, after_incomplete_scan, certified, row_order_after
from examhook.detection.exam_state import ExamState, RowOrder, ScanCursor, described
from examhook.detection.pace import is_weekly_turn
from examhook.detection.plan import ExamRequest
from examhook.detection.reader import Reader, limits_at
from examhook.detection.scan import Scan
from examhook.model import Attempt, AttemptKey
from examhook.provider.port import NO_STATUS
from examhook.workflows.polling.exam_source import ExamSource, OutOfTimeError, PollTools
from examhook.workflows.polling.report import ExamOutcome
from examhook.workflows.polling.scan_rows import ScanRows

FIRST_SCAN_PAGES = 5
"""Pages of a first scan between two points from which it can continue."""
HELD_PAGES = 100
"""Pages of a later scan that are held in memory until they are settled."""
PATIENCE_SECONDS = 1800
"""An answer that contradicts what is known (no rows, no status) is believed only after it was given for this long."""


@dataclass(slots=True)
class FullScan:
    """One full scan, or the part of it that one poll has time for."""

    tools: PollTools
    request: ExamRequest
    source: ExamSource = field(init=False)
    reader: Reader[Attempt] = field(init=False)
    rows: ScanRows = field(init=False)

    def __post_init__(self) -> None:
        self.source = ExamSource.of(self.tools, self.request)
        state, cursor = self.request.state, self.request.state.cursor
        self.rows = ScanRows(self.source, had_stored=state.scanned_at is not None or self.source.holds_any())
        if cursor is not None and cursor.last is not None:
            self.rows.scan.listed_before = cursor.last.started_at
        self.reader = Reader(
            self.source.fetch,
            attrgetter("key"),
            start=0 if cursor is None else cursor.start,
            after=None if cursor is None else cursor.last,
            at_least=self._known_rows(),
            limits=limits_at(self.source.began_at),
        )

    def run(self) -> ExamOutcome:
        """Read, write, remember; raises ProviderError, ClientError, LeaseLostError."""
        is_first = self.request.state.scanned_at is None
        try:
            for pages, rows in enumerate(self.reader.pages(), start=1):
                self.rows.hold(rows, in_order=self.reader.is_in_first_pass)
                is_turn = pages % (FIRST_SCAN_PAGES if is_first else HELD_PAGES) == 0
                if is_first or is_turn:
                    self.rows.flush()
                if is_turn:
                    self._save_cursor()
        except OutOfTimeError:
            self.rows.flush()
            self._save_cursor()
            return self._outcome("the time ran out before all of it was read", out_of_time=True)
        finally:
            # A write that is under way must not outlive the lease.
            self.rows.wait()
        return self._finish()

    @property
    def _is_continued(self) -> bool:
        return self.request.state.cursor is not None

    def _known_rows(self) -> int:
        """Rows that a pass must show to prove the end."""
        state = self.request.state
        if state.cursor is not None:
            # A further pass may take longer than any poll has.
            return 0
        if state.scanned_at is not None:
            return state.row_count
        # An empty answer at first contact is confirmed by another one.
        return max(1, self.request.exam.attempt_count or 0)

    def _save_cursor(self) -> None:
        """Remember where the next poll continues, if this one read that far without passing over anything."""
        self.rows.wait()
        last = self.reader.last
        if not isinstance(last, AttemptKey) or self.tools.erased.covers(last) or not self.reader.is_in_first_pass:
            return
        if self.rows.settled.out_of_time:
            # There was no time to ask for the status of some rows, which are not stored.
            return
        state = self.tools.exams.states[self.request.exam.exam_id]
        began_at = state.cursor.began_at if state.cursor is not None else self.source.began_at
        self.tools.exams.save(
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
        problem = self.reader.problem or self._emptiness()
        whole = not self.rows.counted and not self._is_continued
        if problem is None and whole and (unchanged := self._unchanged()) is not None:
            self.rows.scan = unchanged
            return self._remember(is_settled=True)
        self.rows.flush(self.source.all_stored() if whole and self.rows.had_stored else None)
        self.rows.wait()
        if problem is not None or self.reader.unreadable:
            # A row that is missing may be one that cannot be read.
            return self._remember(problem, is_settled=False)
        needs_absences = self.rows.had_stored and not self._is_continued
        return self._remember(is_settled=self.rows.settle_absences() if needs_absences else True)

    def _emptiness(self) -> str | None:
        """Why an exam that shows no rows at all is not believed to have none."""
        request, state = self.request, self.request.state
        expected = state.row_count if state.scanned_at is not None else request.exam.attempt_count
        if self.reader.seen or self.reader.unreadable or not expected:
            return None
        return None if self._has_lasted else f"it showed no rows, and should have about {expected}"

    @property
    def _has_lasted(self) -> bool:
        """Whether the exam has been incomplete for PATIENCE_SECONDS, so that its answers are believed."""
        since = self.request.state.failed_since
        return since is not None and self.source.began_at - since >= PATIENCE_SECONDS

    def _unchanged(self) -> Scan | None:
        """The scan of the rows in hand if they are those that are stored, by their digest."""
        state = self.request.state
        if state.digest is None or self.reader.unreadable or len(self.rows.held) != state.row_count:
            return None
        # A write that was under way when its poll lost the lease may come after the digest.
        if is_weekly_turn(state.exam_id, state.scanned_at or 0, self.source.began_at):
            return None
        rows = list(self.rows.held.values())
        if any(row.status_code == NO_STATUS for row in rows):
            return None
        scan = self.rows.scan.uncounted()
        scan.count(rows)
        return scan if scan.digest == state.digest else None

    def _remember(self, problem: str | None = None, *, is_settled: bool) -> ExamOutcome:
        """Write the exam's state; ``is_settled``: what is stored is what was seen, so that its digest counts."""
        settled, began_at = self.rows.settled, self.source.began_at
        if self._is_continued and problem is None:
            self.rows.count_stored()
            problem = self._shortfall()
        state = self.tools.exams.states[self.request.exam.exam_id]
        exam = described(state, self.request.exam)
        state = replace(state, exam=exam, read_at=began_at, cursor=None, skipped=self._skipped())
        problem = problem or self._doubt()
        if problem is not None:
            state = self._incomplete(state)
        else:
            state = self._complete(state, is_digest_valid=is_settled and settled.is_certain)
        self.tools.exams.save(state)
        return self._outcome(problem, out_of_time=settled.out_of_time)

    def _shortfall(self) -> str | None:
        """Why the parts of a first scan may not fit together: rows may have changed their order between them."""
        stored, counted = self.rows.scan.row_count, self.request.exam.attempt_count or 0
        if self.request.state.scanned_at is not None or stored >= counted or self._has_lasted:
            return None
        return f"it showed {stored} rows in several polls, and should have {counted}"

    def _doubt(self) -> str | None:
        """Why what was settled leaves the exam due, as a clause; None where it does not."""
        if (problem := self.rows.settled.problem) is not None:
            return problem
        here = Counter(self._skipped())
        before = self.request.state
        # What the parts of a first scan skipped was never tried again.
        is_known = before.scanned_at is not None and before.failed_since is None and not here - Counter(before.skipped)
        if here and not is_known and not self._has_lasted:
            return f"{here.total()} of its rows cannot be announced yet: {', '.join(sorted(here))}"
        return None

    def _complete(self, state: ExamState, *, is_digest_valid: bool) -> ExamState:
        cursor = self.request.state.cursor
        after = after_complete_scan(
            state,
            self.rows.scan,
            began_at=self.source.began_at if cursor is None else cursor.began_at,
            row_order=self._row_order,
            # Rows may have moved between the parts of a scan.
            changed=bool(self.rows.settled.written or self.request.growth or self._is_continued),
            is_digest_valid=is_digest_valid,
        )
        certifies = is_digest_valid and not state.skipped and not self.rows.settled.trusted and not self._is_continued
        if certifies and self.tools.exams.asks_for_receipt(state.exam_id):
            return certified(after, self.rows.scan)
        return after

    @property
    def _row_order(self) -> RowOrder:
        return row_order_after(self.request.state.row_order, self.rows.scan, is_continued=self._is_continued)

    def _incomplete(self, state: ExamState) -> ExamState:
        count = self.request.state.exam.attempt_count
        failed_at = None if self.rows.settled.out_of_time else self.source.began_at
        return after_incomplete_scan(state, self.rows.scan, attempt_count=count, failed_at=failed_at)

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
