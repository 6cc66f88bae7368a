"""An incremental scan of one exam: the rows that are new, and the attempts that were running.

New rows appear at one place of the list: on the first page (newest first) or at the end (oldest first). The scan
reads from there until a page ends among known rows, and past the deepest running attempt, unless asking for each
running candidate alone takes fewer requests. What it cannot answer, a full scan must: rows that moved, a running
attempt that is gone, a count that says there are more rows.

As with a full scan, submissions are written first and the exam's state last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.diff import further_along
from examhook.detection.digest import after_change
from examhook.detection.exam_state import RUNNING_KEPT, ExamState, RowOrder, described
from examhook.detection.pace import RETRY_SECONDS
from examhook.detection.plan import Depth, ExamRequest
from examhook.detection.reader import LIMIT, Reader
from examhook.model import Attempt, AttemptKey, Status, Submission
from examhook.workflows.polling.exam_source import ExamSource, OutOfTimeError, PollTools
from examhook.workflows.polling.report import ExamOutcome
from examhook.workflows.polling.settlement import Settled, settle

MAX_PAGES = 10
"""A longer scan is made as a full scan, which can run out of time and continue."""


class _NeedsFullScanError(Exception):
    """Only a full scan can answer for the exam now."""


@dataclass(frozen=True, slots=True)
class Incremental:
    """What an incremental scan gave."""

    outcome: ExamOutcome
    needs_full_scan: bool = False


@dataclass(slots=True)
class IncrementalScan:
    """One incremental scan."""

    tools: PollTools
    request: ExamRequest
    source: ExamSource = field(init=False)
    rows: dict[AttemptKey, Attempt] = field(default_factory=dict)
    stored: dict[AttemptKey, Submission] = field(default_factory=dict)
    reach: int = field(init=False)
    """Rows to read for the sake of running attempts; 0 where each candidate is asked for alone."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Rows that could not be read, by reason."""
    _read: int = 0

    def __post_init__(self) -> None:
        self.source = ExamSource.of(self.tools, self.request)
        self.reach = _reach(self.request)

    def run(self) -> Incremental:
        """Read, write, remember; raises ProviderError, ClientError, LeaseLostError."""
        is_answered = True
        try:
            if self.request.depth is Depth.NEW_ROWS:
                self._read_new_rows()
            if not self.reach:
                self._read_running()
        except OutOfTimeError:
            return Incremental(ExamOutcome(problem="the time ran out before it was read", out_of_time=True))
        except _NeedsFullScanError:
            is_answered = False
        # What was shown is settled in any case: the full scan may not show it again.
        settled = settle(self.source, self.rows, self.stored)
        outcome = self._outcome(settled)
        if not is_answered or self._is_unexplained(settled):
            return Incremental(outcome, needs_full_scan=True)
        if outcome.problem is None:
            self.tools.exams.save(self._state(settled))
        return Incremental(outcome)

    def _read_new_rows(self) -> None:
        state = self.request.state
        is_newest = state.row_order is RowOrder.NEWEST
        reader = Reader(
            self.source.fetch,
            lambda row: row.key,
            start=0 if is_newest else max(0, state.row_count - 1 - max(0, self.reach - self.request.growth)),
            at_least=state.row_count,
            stop=self._is_known if is_newest else None,
        )
        for pages, rows in enumerate(reader.only_pass()):
            if not is_newest:
                self._take(rows)
            if pages == 0 and not is_newest and state.row_count and (not rows or not self._knows(rows[0])):
                # Rows were removed ahead of it, so the end is somewhere else.
                raise _NeedsFullScanError
            if pages == MAX_PAGES:
                raise _NeedsFullScanError
        self.unreadable = reader.unreadable
        if reader.problem is not None:
            raise _NeedsFullScanError

    def _take(self, rows: Sequence[Attempt]) -> None:
        visible = self.source.without_erased(rows)
        self._read += len(rows)
        if any(row.key not in self.rows for row in visible):
            self.stored |= self.source.stored_around(visible)
        for row in visible:
            held = self.rows.get(row.key)
            self.rows[row.key] = row if held is None else further_along(held, row)

    def _is_known(self, rows: Sequence[Attempt]) -> bool:
        """Whether a page ends among rows that are known, past the deepest running attempt."""
        self._take(rows)
        return bool(rows) and self._knows(rows[-1]) and self._read >= self.reach

    def _knows(self, row: Attempt) -> bool:
        if self.tools.erased.covers(row.key) or row.key in self.stored:
            return True
        same = (each.attempt.record_id == row.record_id for each in self.stored.values())
        return row.record_id is not None and any(same)

    def _read_running(self) -> None:
        """Ask for each running attempt that the pages did not show."""
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
        """Whether only a full scan can explain what was read."""
        state = self.request.state
        if set(state.running) - {attempt.key for attempt in settled.attempts}:
            return True
        scanned_lately = self.source.began_at - (state.scanned_at or 0) < RETRY_SECONDS
        return self._lacks_rows(settled) and not scanned_lately

    def _lacks_rows(self, settled: Settled) -> bool:
        """Whether the attempt count grew by more than the rows that appeared, and exceeds all that are known."""
        row_count = self.request.state.row_count + settled.appeared
        return self.request.growth > settled.appeared and (self.request.exam.attempt_count or 0) > row_count

    def _outcome(self, settled: Settled) -> ExamOutcome:
        return ExamOutcome(
            rows=len(self.rows),
            changes=len(settled.written),
            skipped=settled.skipped(self.unreadable),
            problem=_problem(settled),
            out_of_time=settled.out_of_time,
            unreadable_fields=dict(self.source.unreadable_fields),
        )

    def _state(self, settled: Settled) -> ExamState:
        state = self.tools.exams.states[self.request.exam.exam_id]
        began_at = self.source.began_at
        digest = state.digest if settled.is_certain else None
        for change in settled.written:
            digest = None if digest is None else after_change(digest, change)
        running = sorted(each.key for each in settled.attempts if each.status_code == Status.IN_TEST)
        changed = bool(settled.written) or self.request.exam.attempt_count != state.exam.attempt_count
        exam = described(state, self.request.exam)
        if self._lacks_rows(settled):
            # The count stays as of the last reading, so that the next poll looks again.
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
    return f"{settled.unanswered} of its rows have no status" if settled.unanswered else None


def _reach(request: ExamRequest) -> int:
    """Rows from where new ones appear down to the deepest running attempt, 0 where asking for each costs less.

    By page it takes one request per page down to the deepest, otherwise one for each candidate.
    """
    state = request.state
    if not state.running_count or request.depth is Depth.RUNNING:
        return 0
    reach = state.running_depth + request.growth + 1
    candidates = state.running_candidates
    further_pages = (reach - 1) // (LIMIT - 1)
    return 0 if candidates is not None and candidates < further_pages else reach
