"""The simulated world: exams, candidates and attempts on a virtual clock, and the ledger of all changes.

All randomness comes from the seed: the same seed and the same script give the same world and the same ledger. Public
methods are safe for threads.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from examhook.model import Status
from examhook_simulator.activity import LiveActivity, planned_past
from examhook_simulator.attempt_rows import Row
from examhook_simulator.candidates import CATEGORIES, CandidateBook, exam_title
from examhook_simulator.clock import VirtualClock
from examhook_simulator.exam_book import ExamBook
from examhook_simulator.facts import AttemptCount, AttemptRef, LedgerEntry, LedgerKind, TruthRow, WorldError
from examhook_simulator.ledger import KIND_OF_END, Ledger


class World:
    """Exams and attempts. A script changes them, or live activity, or both.

    ``at`` is the time of a change in Unix seconds, also in the past; the default is now.
    """

    def __init__(self, seed: int = 1, clock: VirtualClock | None = None) -> None:
        self.seed = seed
        self.clock = clock or VirtualClock()
        self._rng = random.Random(f"{seed}/world")  # noqa: S311 - reproducible on purpose
        self._lock = threading.RLock()
        self._exams: dict[int, ExamBook] = {}
        self._candidates = CandidateBook(self._rng)
        self._ledger = Ledger()
        self._last_exam_id = 23_000
        self._last_record_id = 0
        self._live: LiveActivity | None = None

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Lock the world and execute due live activity; the ``with`` block gets the virtual time."""
        with self._lock:
            now = int(self.clock.now())
            if self._live is not None:
                self._live.catch_up(self, now)
            yield now

    def now(self) -> int:
        """Return the virtual time in Unix seconds."""
        return int(self.clock.now())

    def advance(self, seconds: float) -> int:
        """Move the clock ahead; return the new time."""
        if seconds < 0:
            raise WorldError("The clock cannot go back")
        with self._lock:
            self.clock.advance(seconds)
        with self.locked() as now:
            return now

    def run_at(self, speed: float) -> None:
        """Let the clock run at ``speed`` virtual seconds per real second; 0 stops it."""
        if speed < 0:
            raise WorldError("The clock cannot go back")
        with self.locked():
            self.clock.run_at(speed)

    def live(self, per_minute: float) -> None:
        """Set the average number of live candidates per virtual minute; 0 ends live activity."""
        with self.locked() as now:
            seed = self._rng.random()
            self._live = LiveActivity(per_minute, now, random.Random(seed)) if per_minute > 0 else None  # noqa: S311

    def create_exam(
        self,
        title: str | None = None,
        *,
        category: str | None = None,
        available: bool = True,
        counts: AttemptCount = AttemptCount.STARTS,
        at: int | None = None,
    ) -> str:
        """Create an exam; return its id."""
        with self.locked() as now:
            self._last_exam_id += self._rng.randint(1, 9)
            exam = ExamBook(
                exam_id=self._last_exam_id,
                title=exam_title(self._rng, len(self._exams) + 1) if title is None else title,
                category=self._rng.choice(CATEGORIES) if category is None else category,
                created_at=now if at is None else at,
                available=available,
                counts=counts,
            )
            self._exams[exam.exam_id] = exam
            self._ledger.note(LedgerKind.EXAM_CREATED, exam.exam_id, exam.created_at)
            return str(exam.exam_id)

    def open_exam(self, exam_id: str, *, at: int | None = None) -> None:
        """Make an exam available."""
        self._set_available(exam_id, LedgerKind.EXAM_OPENED, at, available=True)

    def close_exam(self, exam_id: str, *, at: int | None = None) -> None:
        """Make an exam unavailable; its running attempts keep running."""
        self._set_available(exam_id, LedgerKind.EXAM_CLOSED, at, available=False)

    def set_attempt_count(self, counts: AttemptCount, exam_id: str | None = None) -> None:
        """Change what ``times`` counts, for one exam or for all."""
        with self.locked():
            for exam in self._exams.values() if exam_id is None else [self.exam(exam_id)]:
                exam.counts = counts

    def populate(self, exam_id: str, attempts: int, until: int | None = None) -> tuple[AttemptRef, ...]:
        """Add attempts that started and ended in the days before ``until`` (default: a second ago)."""
        with self.locked() as now:
            exam = self.exam(exam_id)
            refs: dict[int, AttemptRef] = {}
            for step in planned_past(self._rng, attempts, now - 1 if until is None else until):
                if step.ends_as is None:
                    earlier = None if step.same_candidate_as is None else refs[step.same_candidate_as].candidate_id
                    refs[step.nth] = self.start(exam_id, earlier, at=step.at)
                else:
                    self._end(exam, self.row(refs[step.nth]), step.ends_as, None, step.at)
            return tuple(refs.values())

    def start(
        self, exam_id: str, candidate_id: str | None = None, name: str | None = None, *, at: int | None = None
    ) -> AttemptRef:
        """Start an attempt of a candidate (default: a new one)."""
        with self.locked() as now:
            exam = self.exam(exam_id)
            if not exam.available and at is None:
                raise WorldError(f"Exam {exam_id} is closed, so no attempt can start")
            candidate, known_name = self._candidates.enrol(candidate_id, name)
            started_at = now if at is None else at
            if exam.get(candidate, started_at):
                raise WorldError(
                    f"Candidate {candidate} already started exam {exam_id} in this second: advance the clock"
                )
            self._last_record_id += 1
            row = Row(candidate, known_name, started_at, self._last_record_id)
            exam.add(row)
            self._ledger.note(LedgerKind.STARTED, exam.exam_id, started_at, row)
            return AttemptRef(exam_id, str(candidate), started_at)

    def submit(self, ref: AttemptRef, score: float | None = None, *, at: int | None = None) -> None:
        """Submit an attempt (default: with a random score)."""
        self._finish(ref, Status.SUBMITTED, score, at)

    def time_out(self, ref: AttemptRef, score: float | None = None, *, at: int | None = None) -> None:
        """Time an attempt out."""
        self._finish(ref, Status.TIMED_OUT, score, at)

    def force(self, ref: AttemptRef, score: float | None = None, *, at: int | None = None) -> None:
        """Force-submit an attempt, also in a closed exam."""
        self._finish(ref, Status.FORCED, score, at)

    def system_submit(self, ref: AttemptRef, score: float | None = None, *, at: int | None = None) -> None:
        """End an attempt with the status of a system submission."""
        self._finish(ref, Status.SYSTEM_SUBMITTED, score, at)

    def change_status(self, ref: AttemptRef, status: Status, *, at: int | None = None) -> None:
        """Give an ended attempt another final status; score and end time stay."""
        with self.locked() as now:
            row = self.row(ref)
            if Status.IN_TEST in {row.status, status} or row.status is status:
                raise WorldError(f"An attempt with status {int(row.status)} cannot get status {int(status)} this way")
            row.status = status
            self._ledger.note(KIND_OF_END[status], int(ref.exam_id), now if at is None else at, row)

    def mark(self, ref: AttemptRef, score: float, *, at: int | None = None) -> None:
        """Rescore an ended attempt."""
        with self.locked() as now:
            row = self.row(ref)
            if row.status is Status.IN_TEST:
                raise WorldError("Only an ended attempt can be rescored")
            row.score = score
            self._ledger.note(LedgerKind.RESCORED, int(ref.exam_id), now if at is None else at, row)

    def reopen(self, ref: AttemptRef, *, at: int | None = None) -> None:
        """Reopen an ended attempt."""
        with self.locked() as now:
            row = self.row(ref)
            if row.status is Status.IN_TEST:
                raise WorldError("The attempt is already running")
            row.status, row.score, row.ended_at = Status.IN_TEST, 0, 0
            self._ledger.note(LedgerKind.REOPENED, int(ref.exam_id), now if at is None else at, row)

    def remove(self, ref: AttemptRef, *, at: int | None = None) -> None:
        """Delete an attempt."""
        with self.locked() as now:
            exam, row = self.exam(ref.exam_id), self.row(ref)
            exam.remove(row)
            self._ledger.note(LedgerKind.REMOVED, exam.exam_id, now if at is None else at, row)

    def ledger(self, after: int = 0) -> tuple[LedgerEntry, ...]:
        """Return the ledger entries after number ``after``."""
        with self.locked():
            return self._ledger.after(after)

    def truth(self, exam_id: str | None = None) -> tuple[TruthRow, ...]:
        """Return the true state of every attempt, by exam and start time."""
        with self.locked():
            exams = self.exams() if exam_id is None else [self.exam(exam_id)]
            return tuple(exam.truth(row) for exam in exams for row in exam.rows())

    def exams(self) -> list[ExamBook]:
        """Return the exams, oldest first, for use within ``locked``."""
        return list(self._exams.values())

    def exam(self, exam_id: str) -> ExamBook:
        """Return an exam for use within ``locked``; raises WorldError."""
        exam = self._exams.get(int(exam_id)) if exam_id.isdecimal() else None
        if exam is None:
            raise WorldError(f"There is no exam {exam_id}")
        return exam

    def row(self, ref: AttemptRef) -> Row:
        """Return an attempt for use within ``locked``; raises WorldError."""
        row = (
            self.exam(ref.exam_id).get(int(ref.candidate_id), ref.started_at) if ref.candidate_id.isdecimal() else None
        )
        if row is None:
            raise WorldError(
                f"Candidate {ref.candidate_id} has no attempt at exam {ref.exam_id} that started at {ref.started_at}"
            )
        return row

    def _set_available(self, exam_id: str, kind: LedgerKind, at: int | None, *, available: bool) -> None:
        with self.locked() as now:
            exam = self.exam(exam_id)
            if exam.available == available:
                raise WorldError(f"Exam {exam_id} is already {'available' if available else 'unavailable'}")
            exam.set_available(happened_at := now if at is None else at, available=available)
            self._ledger.note(kind, exam.exam_id, happened_at)

    def _finish(self, ref: AttemptRef, status: Status, score: float | None, at: int | None) -> None:
        with self.locked() as now:
            self._end(self.exam(ref.exam_id), self.row(ref), status, score, now if at is None else at)

    def _end(self, exam: ExamBook, row: Row, status: Status, score: float | None, at: int) -> None:
        if row.status is not Status.IN_TEST:
            raise WorldError("The attempt has already ended")
        row.status, row.ended_at = status, at
        row.score = self._rng.randrange(201) / 2 if score is None else score
        exam.count_finish(row, at)
        self._ledger.note(KIND_OF_END[status], exam.exam_id, at, row)
