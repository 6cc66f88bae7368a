"""A full pass over one exam: read all its rows, write what changed, remember that it was done.

The order matters: submissions first, the watch last. A poll that dies between the two finds the
same rows again, and they say nothing new then. A first contact is written and remembered in
segments, so that little is asked again after a poll died or ran out of time; a later pass is
compared by its digest first, so that an exam in which nothing changed costs no reads.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

from examhook.detection.diff import absences
from examhook.detection.digest import digest_of
from examhook.detection.paging import Walk
from examhook.detection.plan import ExamRequest
from examhook.detection.reconcile import Findings, is_believable, remembered, rows_expected, stands_for_all
from examhook.detection.tally import Tally
from examhook.detection.watch import ExamWatch, RowOrder
from examhook.model import Attempt, AttemptKey, Receipt, Submission
from examhook.provider.pages import NO_STATUS
from examhook.workflows.exam_access import ExamAccess, OutOfTimeError, PollTools
from examhook.workflows.report import PassOutcome

FIRST_SEGMENT_PAGES = 5
"""Pages of a first contact between two points from which it can go on."""

SEGMENT_PAGES = 100
"""Pages of a later pass that are held in memory until they are compared."""


@dataclass(slots=True)
class WholePass:
    """One full pass.

    ``appeared`` and ``ended`` are what a look at the edge found just before and has written already.
    """

    tools: PollTools
    request: ExamRequest
    appeared: int = 0
    ended: int = 0
    access: ExamAccess = field(init=False)
    tally: Tally = field(init=False)
    changes: int = 0
    overtaken: int = 0
    flushed: bool = False
    compares: bool = False
    """Whether anything may be stored that is not among the rows."""
    moved: bool = False
    """Whether rows came twice to a reading in several goes, so that as many may not have come at all; or came only when
    they were asked for again."""

    def __post_init__(self) -> None:
        self.access = ExamAccess(self.tools, self.request)
        progress = self.request.known.progress if self.request.known else None
        self.tally = Tally.resumed_from(progress) if progress else Tally()
        self.tally.appeared += self.appeared
        self.tally.ended += self.ended

    def run(self) -> PassOutcome:
        """Read, write, remember; raises ProviderError, ClientError, LeaseLostError."""
        known = self.request.known
        progress = known.progress if known else None
        walk: Walk[Attempt] = Walk(
            self.tools.pager,
            self.access.fetch,
            lambda row: row.key,
            start=progress.start if progress else 0,
            last=progress.last if progress else None,
            inserted=progress.inserted if progress else 0,
            met=self.tally.late,
            met_before=self._met_before,
            at_least=known.rows if known else 0,
        )
        # A poll that died may have written attempts of an exam that it never came to remember.
        self.compares = (known is not None and known.is_known) or (progress is None and self.access.holds_any())
        buffer: list[Attempt] = []
        pages = restarts = 0
        try:
            for page in walk.pages():
                if walk.restarts > restarts:
                    self._flush(walk, self.tally.see(buffer))
                    buffer, restarts, self.tally = [], walk.restarts, self.tally.anew()
                if pages and pages % self._segment_pages == 0:
                    self._flush(walk, self.tally.see(buffer))
                    buffer = []
                    if self._can_go_on_later(walk):
                        self._remember_progress(walk)
                buffer.extend(page.rows)
                self.tally.note_order(page.rows[walk.overlap :])
                pages += 1
            return self._finish(walk, self.tally.see(buffer))
        except OutOfTimeError:
            self._flush(walk, self.tally.see(buffer))
            if self.access.began_at and self._can_go_on_later(walk):
                self._remember_progress(walk)
            return replace(self._outcome(walk, "there was no time left to read all of it"), out_of_time=True)

    def _can_go_on_later(self, walk: Walk[Attempt]) -> bool:
        """Whether nothing was passed over that a later poll would have to come back for."""
        return not (walk.unreadable or walk.problem or self.access.unanswered or self.overtaken)

    @property
    def _segment_pages(self) -> int:
        known = self.request.known
        return SEGMENT_PAGES if known is not None and known.is_known else FIRST_SEGMENT_PAGES

    def _finish(self, walk: Walk[Attempt], rows: dict[AttemptKey, Attempt]) -> PassOutcome:
        known = self.request.known
        whole_in_hand = not self.flushed and not self.tally.resumed
        if not rows and whole_in_hand and not (known is not None and known.is_known):
            # An empty answer that is none would make old news of all that the exam has: ask once more.
            self.moved = self.access.fetch(0, self.tools.pager.limit).row_count > 0
        missing = compared = False
        if known is None or not whole_in_hand or not self._says_nothing_new(known, walk, rows):
            self._flush(walk, rows, self.access.all_stored() if self.compares and whole_in_hand else None)
            compared = not self.tally.resumed
            if self.compares and compared:
                missing = self._settle_absences(walk)
            self.moved = self.moved or (self.tally.resumed and self._lacks_stored())
        problem = self._problem(walk)
        order = self.tally.order(known.order if known else RowOrder.UNKNOWN)
        findings = Findings(
            began_at=self.access.began_at,
            complete=problem is None,
            appeared=self.tally.appeared,
            ended=self.tally.ended,
            rows=self.tally.rows,
            open_attempts=(*self.tally.open_attempts, *self._unseen_running()),
            open_depth=self.tally.depth(order),
            order=order,
            # Where what is stored may be more than what was seen, the next pass must compare everything.
            digest=None if missing or self.overtaken or self.tally.resumed or walk.disturbed else self.tally.digest,
            # What was read in several goes may have moved in between: the next pass is to come soon.
            newest_at=self.access.began_at if self.tally.resumed else self.tally.newest_at,
            whole=True,
            compared=compared,
        )
        if findings.complete and findings.digest is not None:
            self._confirm(findings.digest)
        self._remember(remembered(self.request, findings))
        return self._outcome(walk, problem)

    def _confirm(self, digest: int) -> None:
        """Give a receipt for a pass after which what is stored is what was seen; before it is remembered as done."""
        receipt = Receipt(self.access.began_at, dict(self.tally.status_counts), f"{digest:016x}")
        self.tools.exam_events.verified(self.request.exam, receipt)

    def _unseen_running(self) -> list[AttemptKey]:
        """What ran, and may have slipped through a reading in several goes: it is asked for next."""
        known = self.request.known
        running = known.open_attempts if known is not None and self.tally.resumed else ()
        return [key for key in running if key not in self.tally.seen and key not in self.tally.open_attempts]

    def _says_nothing_new(self, known: ExamWatch, walk: Walk[Attempt], rows: dict[AttemptKey, Attempt]) -> bool:
        """Whether the rows are those that are stored, by their digest; if so, they are counted."""
        if (
            not stands_for_all(known, self.access.began_at)
            or walk.problem
            or walk.unreadable
            or len(rows) != known.rows
        ):
            return False
        attempts = list(rows.values())
        if any(row.status_code == NO_STATUS for row in attempts) or digest_of(attempts) != known.digest:
            return False
        self.tally.count(attempts, known.digest)
        return True

    def _met_before(self, rows: Sequence[Attempt]) -> Container[AttemptKey]:
        """Which of ``rows`` an earlier poll of this pass met: it has stored them."""
        return self.access.stored_around(rows) if self.tally.resumed else ()

    def _lacks_stored(self) -> bool:
        """Whether fewer attempts are stored than were counted: some came twice, and others not at all."""
        return self.tally.rows - self.tally.erased > self.access.count_stored()

    def _flush(
        self,
        walk: Walk[Attempt],
        rows: dict[AttemptKey, Attempt],
        stored: dict[AttemptKey, Submission] | None = None,
    ) -> None:
        """Write what the rows in hand change, and count them."""
        if not rows:
            return
        self.flushed = True
        around = self.access.stored_around(list(rows.values())) if stored is None else stored
        settlement = self.access.settle(rows, around)
        self.tally.count(settlement.attempts, again=walk.again, late=walk.late)
        self.tally.erased += self.access.count_erased(key for key in rows if key not in walk.again)
        self.tally.appeared += settlement.appeared
        self.tally.ended += settlement.ended
        self.changes += len(settlement.written)
        self.overtaken += settlement.overtaken

    def _settle_absences(self, walk: Walk[Attempt]) -> bool:
        """Note or announce what is stored and was not seen; whether something is missing and not settled yet."""
        missing = self.access.stored_beyond(self.tally.seen)
        if self._problem(walk) is not None or walk.disturbed:
            return bool(missing)
        changes = absences(self.tally.seen, missing, self.access.observation())
        overtaken = self.access.write(changes)
        self.changes += sum(change.announces for change in changes) - len(overtaken)
        self.overtaken += len(overtaken)
        return any(not change.after.removed for change in changes) or bool(overtaken)

    def _problem(self, walk: Walk[Attempt]) -> str | None:
        if walk.problem is not None or self.moved:
            return walk.problem or "its rows moved while they were read"
        if walk.unreadable:
            reasons = ", ".join(sorted(set(walk.unreadable.values())))
            return f"{len(walk.unreadable)} of its rows could not be understood: {reasons}"
        if self.access.unanswered:
            return f"{self.access.unanswered} of its rows have no status"
        if self.overtaken:
            return "another poll was faster"
        if not is_believable(self.request, self.tally.rows, self.access.began_at):
            return f"it gave no rows where there should be about {rows_expected(self.request)}"
        return None

    def _remember_progress(self, walk: Walk[Attempt]) -> None:
        last = walk.last if isinstance(walk.last, AttemptKey) and not self.tools.erased.covers(walk.last) else None
        known = self.request.known or ExamWatch(exam=self.request.exam)
        progress = self.tally.progress(walk.start, last, self.access.began_at, walk.inserted)
        # The digest of what is stored is out of step until the pass has ended.
        self._remember(
            replace(known, progress=progress, digest=None, tried_at=self.access.began_at, rejected_since=None)
        )

    def _remember(self, watch: ExamWatch) -> None:
        self.tools.exams.remember(self.tools.watch.account, watch, self.tools.lease.fence)

    def _outcome(self, walk: Walk[Attempt], problem: str | None) -> PassOutcome:
        skipped = len(walk.unreadable) + self.access.unanswered
        return PassOutcome(self.tally.rows, self.changes, skipped, problem)
