"""Finds an account's exams where the provider does not list them, and how many rows each exam has.

The ``v1`` API has no list of exams. It gives the rows of all exams at once, their total, and the total
of one exam. Each look requests the first page of all rows, and then only what does not add up:

::

    first page, total ─▶ do the rows counted before, and the new ones on it, make up the total? ─▶ done
                           │ no
                           ▼
    count the exams of the new rows, else of the last rows ─▶ does it add up? ─▶ done
                           │ no
                           ▼
    count every exam ─▶ does it add up? ─▶ done
                           │ no: there are exams that nobody has met
                           ▼
    walk through all rows until it adds up, as far as time allows; the next look continues there

An exam's count becomes its ``attempt_count``: a reason to read the exam, never a proof. Rows that a whole
walk could not explain, such as rows that name no exam, are remembered and subtracted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from examhook.model import Exam
from examhook.provider.errors import ProviderRejected
from examhook.provider.pages import Record, RecordPage

PAGE_ROWS = 100
"""Rows asked for at once: the most that the API gives."""

REWALK_SECONDS = 86_400
"""Time after which unexplained rows are searched for again, and counts that were wrong are tried again: rows may have
moved during the last walk."""

RECOUNT_SECONDS = 3600
"""Time after which every exam is counted although all adds up: a row removed in one exam can hide a new one in
another."""

AskRecords = Callable[[str | None, int, int], RecordPage]
"""Gives at most ``limit`` rows from offset ``start``, of one exam or, for None, of all; raises ProviderError."""

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """The exams that are known after a look."""

    exams: tuple[Exam, ...]
    """Newest id first; ``attempt_count`` is None where the rows could not be counted yet."""
    problem: str | None
    """Why exams may be missing, as a clause; None when all rows belong to these."""


class Discovery:
    """What is known of one account's exams, kept from poll to poll.

    ``known`` gives the exams that are stored, with the ``attempt_count`` that were accounted for. It is
    asked once, so that a new process need not find and count everything anew.
    """

    def __init__(self, known: Callable[[], Iterable[Exam]]) -> None:
        self._known = known
        self._exams: dict[str, Exam] = {}
        self._head: frozenset[Key] | None = None
        """Rows that the first page held at the last look; None before the first."""
        self._to_count: list[str] = []
        self._walk_start = 0
        self._walked = False
        """Whether a walk came to the end and the exams were not counted since."""
        self._unexplained = 0
        self._counted_at: int | None = None
        """When every exam was last counted, Unix seconds; at first, when the first look was."""
        self._walked_at: int | None = None
        """When these conclusions were last dropped."""
        self._counts_lie = False
        """Whether the provider does not count one exam's rows; ``attempt_count`` then counts new rows as they come."""

    @property
    def counts_exams(self) -> bool:
        """Whether the provider's count beside one exam's rows is, as far as known, that exam's."""
        return not self._counts_lie

    def look(self, ask: AskRecords, may_go_on: Callable[[], bool], now: int) -> Found:
        """Bring up to date what is known, while ``may_go_on`` says so; raises ProviderError.

        ``now`` is our clock, Unix seconds.
        """
        first = self._head is None
        if first:
            # What is stored of availability may come from another dialect and be out of date.
            self._exams = {exam.exam_id: replace(exam, available=None) for exam in self._known()}
        page = ask(None, 0, PAGE_ROWS)
        self._meet(page.records)
        self._drop_old_conclusions(now)
        fresh = [record for record in page.records if _key(record) not in (self._head or ())]
        problem = None
        if page.total is None or self._counts_lie:
            self._counts_lie = True
            self._add(() if first else fresh)
            if first or self._walk_start:
                problem = self._walk(ask, 0, may_go_on)
        elif not self._recount_is_due(now) and self._settle(ask, page.total, fresh, may_go_on, first=first):
            self._to_count, self._walk_start, self._walked = [], 0, False
        else:
            problem = self._search(ask, page.total, may_go_on)
            if problem is None:
                self._counted_at = now
        # Not before all went well: a row stays new until it was counted.
        self._head = frozenset(_key(record) for record in page.records)
        newest_first = sorted(self._exams.values(), key=lambda exam: (len(exam.exam_id), exam.exam_id), reverse=True)
        return Found(tuple(newest_first), problem)

    def _drop_old_conclusions(self, now: int) -> None:
        """Check once a day whether rows are still unexplained and counts still of no use."""
        if self._walked_at is None:
            self._walked_at = now
        elif now - self._walked_at >= REWALK_SECONDS:
            if self._unexplained or self._counts_lie:
                self._to_count, self._walk_start, self._walked = [], 0, False
            self._unexplained, self._counts_lie, self._walked_at = 0, False, now

    def _recount_is_due(self, now: int) -> bool:
        """Whether it is time to count every exam although all adds up."""
        if self._counted_at is None:
            self._counted_at = now
            return False
        return now - self._counted_at >= RECOUNT_SECONDS

    def _settle(
        self, ask: AskRecords, total: int, fresh: Sequence[Record], may_go_on: Callable[[], bool], *, first: bool
    ) -> bool:
        """Whether all rows are explained, if need be after counting the exams that new rows belong to."""
        ahead = self._ahead(total)
        if ahead is not None and ahead == (0 if first else len(fresh)):
            self._add(() if first else fresh)
            return True
        suspects = fresh
        if not fresh and ahead is not None and 0 < ahead <= PAGE_ROWS:
            # Oldest first: what is new stands at the end.
            suspects = ask(None, total - ahead, ahead).records
            self._meet(suspects)
        for exam_id in dict.fromkeys(record.exam_id for record in suspects):
            if not may_go_on():
                return False
            self._count(ask, exam_id)
        return self._adds_up(ask, total)

    def _search(self, ask: AskRecords, total: int, may_go_on: Callable[[], bool]) -> str | None:
        """Count every exam, then look for more; why it could not be finished, as a clause."""
        if not self._walk_start:
            self._to_count = self._to_count or list(self._exams)
            while self._to_count:
                if not may_go_on():
                    return "there was no time to count the rows of each"
                self._count(ask, self._to_count.pop())
            self._judge_counts(total)
            ahead = self._ahead(total)
            walked, self._walked = self._walked, False
            if self._adds_up(ask, total):
                return None
            if ahead is not None and -self._unexplained <= ahead < 0:
                # What a walk could not explain was explained since, or is gone.
                self._unexplained += ahead
                return None
            if walked and ahead is not None:
                self._unexplained += ahead
                return None
        return self._walk(ask, total, may_go_on)

    def _walk(self, ask: AskRecords, total: int, may_go_on: Callable[[], bool]) -> str | None:
        """Go through all rows for exams that nobody has met; why it could not be finished, as a clause."""
        while may_go_on():
            page = ask(None, self._walk_start, PAGE_ROWS)
            for exam_id in self._meet(page.records):
                self._count(ask, exam_id)
            self._walk_start += page.row_count
            ahead = None if self._counts_lie else self._ahead(total)
            explained = ahead is not None and ahead <= 0
            at_end = not page.row_count or (page.total is not None and self._walk_start >= page.total)
            if explained or at_end:
                self._walk_start, self._walked = 0, not explained
                return None
        return "there was no time to look through all rows for more of them"

    def _meet(self, records: Iterable[Record]) -> list[str]:
        """Take in the exams of ``records``; those that are new."""
        met = [exam_id for exam_id in dict.fromkeys(r.exam_id for r in records) if exam_id not in self._exams]
        for exam_id in met:
            # The API states neither the title nor whether candidates can take it.
            self._exams[exam_id] = Exam(exam_id, title=exam_id, available=None, attempt_count=None)
        return met

    def _add(self, fresh: Sequence[Record]) -> None:
        for record in fresh:
            exam = self._exams[record.exam_id]
            self._exams[record.exam_id] = replace(exam, attempt_count=(exam.attempt_count or 0) + 1)

    def _count(self, ask: AskRecords, exam_id: str) -> None:
        """Ask how many rows an exam has, if that can be told; an exam that is plainly gone is forgotten."""
        if self._counts_lie or exam_id not in self._exams:
            return
        try:
            total = ask(exam_id, 0, 1).total
        except ProviderRejected as error:
            if error.plain:
                del self._exams[exam_id]
            elif self._exams[exam_id].attempt_count is None:
                self._exams[exam_id] = replace(self._exams[exam_id], attempt_count=0)
            return
        self._counts_lie = total is None
        self._exams[exam_id] = replace(self._exams[exam_id], attempt_count=total)

    def _judge_counts(self, total: int) -> None:
        """See whether every exam is said to have all the rows: a provider that counts all, whatever it is asked."""
        counts = [exam.attempt_count for exam in self._exams.values()]
        if len(counts) > 1 and all(count is None or count >= total > 0 for count in counts):
            self._counts_lie = True
        if self._counts_lie:
            self._exams = {exam_id: replace(exam, attempt_count=None) for exam_id, exam in self._exams.items()}

    def _adds_up(self, ask: AskRecords, total: int) -> bool:
        """Whether the exams' rows make up ``total``, or more by as many as came while they were counted."""
        ahead = self._ahead(total)
        if ahead is None or ahead > 0 or self._counts_lie:
            return False
        if ahead == 0:
            return True
        total_now = ask(None, 0, 1).total
        ahead = None if total_now is None else self._ahead(total_now)
        return ahead is not None and ahead >= 0

    def _ahead(self, total: int) -> int | None:
        """How many rows there are beyond those explained; None while exams are uncounted."""
        explained = self._unexplained
        for exam in self._exams.values():
            if exam.attempt_count is None:
                return None
            explained += exam.attempt_count
        return total - explained


def _key(record: Record) -> Key:
    return (record.exam_id, record.attempt.candidate_id, record.attempt.started_at)
