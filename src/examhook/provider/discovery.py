"""Finds an account's exams in the ``v1`` API, and the number of rows in each exam.

The ``v1`` API has no exam list. It returns the rows of all exams or of one exam, each with a total. Discovery
therefore counts rows: the totals of all known exams must add up to the total of all rows. Each call requests the first
page of all rows. It sends further requests only if the rows do not add up::

    first page ──▶ do the known counts and the new rows add up to the total? ──▶ done
                     │ no
                     ▼
    count the exams of the new rows (or of the last rows) ──▶ do they add up? ──▶ done
                     │ no
                     ▼
    count every exam ──▶ do they add up? ──▶ done
                     │ no: some exams are unknown
                     ▼
    walk through all rows until they add up or time runs out; the next call continues there

The count of an exam becomes its ``attempt_count``: a reason to read the exam, never a proof. Rows that a complete walk
cannot assign to an exam, such as rows without an exam id, are remembered and subtracted from the total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from examhook.model import Exam
from examhook.provider.discovery_state import DiscoveryState, row_key
from examhook.provider.errors import ProviderRejected
from examhook.provider.port import ExamPage, Record, RecordPage

MAX_PAGE_ROWS = 100
"""Rows per request: the maximum of the API."""

RECOUNT_INTERVAL_S = 3600
"""Time between recounts of every exam. A row that is deleted in one exam can hide a new row in another."""

REWALK_INTERVAL_S = 86_400
"""Time after which Discovery checks again which rows belong to no exam and whether the provider counts exams correctly.
Rows may have moved when it last checked."""

FetchRecords = Callable[[str | None, int, int], RecordPage]
"""Returns at most ``limit`` rows of an exam (None for all exams) from offset ``start``; raises ProviderError."""

HasTime = Callable[[], bool]


class Discovery:
    """Finds the exams of one account and remembers them between polls.

    ``stored_exams`` returns the exams in storage with the counts that polls have processed. It is called once, so a new
    process does not search and count from the beginning.
    """

    def __init__(self, stored_exams: Callable[[], Iterable[Exam]]) -> None:
        self._stored_exams = stored_exams
        # Replaced after each step, so that progress survives an error in the next step.
        self._state = DiscoveryState()

    @property
    def counts_exams(self) -> bool:
        """Whether the provider's total for an exam counts only that exam's rows, as far as known."""
        return self._state.has_exam_counts

    def find(self, fetch: FetchRecords, has_time: HasTime, now: int) -> ExamPage:
        """Return all exams, newest id first, after a search that lasts while ``has_time()``; raises ProviderError.

        ``attempt_count`` is None for an exam that is not counted yet. ``now`` is our clock, in Unix seconds.
        """
        is_first = self._state.first_page is None
        if is_first:
            # The stored availability may come from the other API and be out of date.
            stored = {exam.exam_id: replace(exam, available=None) for exam in self._stored_exams()}
            self._state = replace(self._state, exams=stored)
        page = fetch(None, 0, MAX_PAGE_ROWS)
        self._state = self._state.with_exams_of(page.records)
        self._drop_old_conclusions(now)
        unseen = [record for record in page.records if row_key(record) not in (self._state.first_page or ())]
        # At the first call, the stored counts may include the rows on the page.
        new_rows = [] if is_first else unseen
        if page.total is None or not self._state.has_exam_counts:
            problem = self._count_new_rows(fetch, has_time, new_rows, must_walk=is_first)
        elif not self._is_recount_due(now) and self._assigns_new_rows(fetch, has_time, page.total, new_rows, unseen):
            self._state = self._state.without_search()
            problem = None
        else:
            problem = self._search(fetch, has_time, page.total)
            if problem is None:
                self._state = replace(self._state, counted_at=now)
        # Only after success: a row stays new until it is counted.
        self._state = replace(self._state, first_page=frozenset(row_key(record) for record in page.records))
        exams = sorted(self._state.exams.values(), key=lambda exam: (len(exam.exam_id), exam.exam_id), reverse=True)
        return ExamPage(tuple(exams), len(exams), problem=problem)

    def _drop_old_conclusions(self, now: int) -> None:
        """Once per REWALK_INTERVAL_S, drop conclusions about rows without an exam and about unusable exam counts."""
        state = self._state
        if state.checked_at is None:
            self._state = replace(state, checked_at=now)
        elif now - state.checked_at >= REWALK_INTERVAL_S:
            if state.unassigned_rows or not state.has_exam_counts:
                state = state.without_search()
            self._state = replace(state, unassigned_rows=0, has_exam_counts=True, checked_at=now)

    def _is_recount_due(self, now: int) -> bool:
        if self._state.counted_at is None:
            self._state = replace(self._state, counted_at=now)
            return False
        return now - self._state.counted_at >= RECOUNT_INTERVAL_S

    def _count_new_rows(
        self, fetch: FetchRecords, has_time: HasTime, new_rows: Sequence[Record], *, must_walk: bool
    ) -> str | None:
        """Count rows as they appear, because the provider's totals cannot be used; return a ``problem``."""
        self._state = replace(self._state, has_exam_counts=False).with_new_rows(new_rows)
        return self._walk(fetch, has_time, 0) if must_walk or self._state.walk_start else None

    def _assigns_new_rows(
        self,
        fetch: FetchRecords,
        has_time: HasTime,
        total: int,
        new_rows: Sequence[Record],
        unseen: Sequence[Record],
    ) -> bool:
        """Assign the new rows to exams with few requests; return whether the rows then add up to ``total``."""
        surplus = self._state.surplus(total)
        if surplus == len(new_rows):
            self._state = self._state.with_new_rows(new_rows)
            return True
        suspects = unseen
        if not unseen and surplus is not None and 0 < surplus <= MAX_PAGE_ROWS:
            # If the oldest rows come first, the new ones are at the end.
            suspects = fetch(None, total - surplus, surplus).records
            self._state = self._state.with_exams_of(suspects)
        for exam_id in dict.fromkeys(record.exam_id for record in suspects):
            if not has_time():
                return False
            self._count(fetch, exam_id)
        return self._adds_up(fetch, total)

    def _search(self, fetch: FetchRecords, has_time: HasTime, total: int) -> str | None:
        """Count every exam; if they do not add up to ``total``, walk through all rows. Return a ``problem``."""
        if not self._state.walk_start:
            if not self._count_all(fetch, has_time):
                return "there was no time to count the rows of each exam"
            self._check_counts(total)
            if self._adds_up_after_recount(fetch, total):
                return None
        return self._walk(fetch, has_time, total)

    def _count_all(self, fetch: FetchRecords, has_time: HasTime) -> bool:
        """Count every exam, or those left from the last call; return whether time sufficed."""
        left = self._state.left_to_count or tuple(self._state.exams)
        self._state = replace(self._state, left_to_count=left)
        while left:
            if not has_time():
                return False
            left, exam_id = left[:-1], left[-1]
            self._state = replace(self._state, left_to_count=left)
            self._count(fetch, exam_id)
        return True

    def _count(self, fetch: FetchRecords, exam_id: str) -> None:
        """Request the total of one exam, and remove the exam if the provider does not know it."""
        if not self._state.has_exam_counts or exam_id not in self._state.exams:
            return
        try:
            total = fetch(exam_id, 0, 1).total
        except ProviderRejected as error:
            if error.plain:
                self._state = self._state.without_exam(exam_id)
            elif self._state.exams[exam_id].attempt_count is None:
                self._state = self._state.with_count(exam_id, 0)
            return
        self._state = replace(self._state.with_count(exam_id, total), has_exam_counts=total is not None)

    def _check_counts(self, total: int) -> None:
        """Detect a provider that states the total of all rows for every exam, and drop its counts."""
        counts = [exam.attempt_count for exam in self._state.exams.values()]
        if len(counts) > 1 and all(count is None or count >= total > 0 for count in counts):
            self._state = replace(self._state, has_exam_counts=False)
        if not self._state.has_exam_counts:
            uncounted = {exam_id: replace(exam, attempt_count=None) for exam_id, exam in self._state.exams.items()}
            self._state = replace(self._state, exams=uncounted)

    def _adds_up_after_recount(self, fetch: FetchRecords, total: int) -> bool:
        """Return whether the counts add up to ``total``, apart from rows that belong to no exam."""
        surplus, is_walked = self._state.surplus(total), self._state.is_walked
        self._state = replace(self._state, is_walked=False)
        if self._adds_up(fetch, total):
            return True
        # After a walk, the surplus belongs to no exam. A small deficit means that such rows were assigned or deleted.
        if surplus is not None and (is_walked or -self._state.unassigned_rows <= surplus < 0):
            self._state = replace(self._state, unassigned_rows=self._state.unassigned_rows + surplus)
            return True
        return False

    def _walk(self, fetch: FetchRecords, has_time: HasTime, total: int) -> str | None:
        """Read all rows to find unknown exams; return a ``problem``."""
        while has_time():
            page = fetch(None, self._state.walk_start, MAX_PAGE_ROWS)
            new_exams = self._state.unknown_exams(page.records)
            self._state = self._state.with_exams_of(page.records)
            for exam_id in new_exams:
                self._count(fetch, exam_id)
            walk_start = self._state.walk_start + page.row_count
            surplus = self._state.surplus(total) if self._state.has_exam_counts else None
            is_explained = surplus is not None and surplus <= 0
            is_at_end = not page.row_count or (page.total is not None and walk_start >= page.total)
            if is_explained or is_at_end:
                self._state = replace(self._state, walk_start=0, is_walked=not is_explained)
                return None
            self._state = replace(self._state, walk_start=walk_start)
        return "there was no time to search all rows for more exams"

    def _adds_up(self, fetch: FetchRecords, total: int) -> bool:
        """Return whether the counts add up to ``total``, or to a larger total that includes rows added meanwhile."""
        surplus = self._state.surplus(total)
        if surplus is None or surplus > 0 or not self._state.has_exam_counts:
            return False
        if surplus == 0:
            return True
        total_now = fetch(None, 0, 1).total
        surplus = None if total_now is None else self._state.surplus(total_now)
        return surplus is not None and surplus >= 0
