"""In-memory versions of the Submissions and Exams tables, for tests that poll thousands of times.

They store the same items under the same conditions as the real tables; ``tests/contract/test_table_stand_ins.py`` runs
the same cases against both. Several pollers may share one store; each has its own tables on it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from examhook.detection.exam_state import ExamState
from examhook.detection.exam_transition import ExamChange
from examhook.detection.transition import Change
from examhook.model import AttemptKey, Submission
from examhook.storage.exams import AccountRecord, AccountState, ErasureMarks, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable, sort_key

Step = Callable[[], int]
"""Called before each call on a table; raises to make the call fail.

More than 0 disturbs the call. A write is stored, but its answer is lost: the library repeats it and finds its condition
broken. (A submission or an exam state then finds itself stored and counts as written.) An eventually consistent read
does not see that number of the last writes.
"""


def _undisturbed() -> int:
    return 0


@dataclass
class SubmissionStore:
    """The items of the Submissions table, and its stream."""

    items: dict[tuple[str, str, AttemptKey], Submission] = field(default_factory=dict)
    stream: list[Change] = field(default_factory=list)
    """Every write, in order."""

    def as_of(self, writes_ago: int) -> Mapping[tuple[str, str, AttemptKey], Submission]:
        """The items before the last ``writes_ago`` writes."""
        if not writes_ago:
            return self.items
        items = dict(self.items)
        for change in reversed(self.stream[-writes_ago:]):
            place = (change.after.account, change.after.exam_id, change.after.key)
            if change.before is None:
                del items[place]
            else:
                items[place] = change.before
        return items


@dataclass
class MemorySubmissions(SubmissionsTable):
    """SubmissionsTable in memory."""

    store: SubmissionStore = field(default_factory=SubmissionStore)
    step: Step = _undisturbed
    shuffle: Callable[[list[int]], None] = list.sort
    """In which order a batch without duplicates is written: the real table writes in parallel, so any is possible."""

    def between(self, account: str, exam_id: str, first: AttemptKey, last: AttemptKey) -> dict[AttemptKey, Submission]:
        stored = self.of_exam(account, exam_id)
        return {key: stored[key] for key in stored if sort_key(first) <= sort_key(key) <= sort_key(last)}

    def of_exam(self, account: str, exam_id: str) -> dict[AttemptKey, Submission]:
        items = self.store.as_of(self.step())
        keys = [key for (of_account, of_exam, key) in items if (of_account, of_exam) == (account, exam_id)]
        return {key: items[account, exam_id, key] for key in sorted(keys, key=sort_key)}

    def page_after(
        self, account: str, exam_id: str, after: AttemptKey | None, limit: int
    ) -> tuple[list[Submission], AttemptKey | None]:
        self.step()
        items = {key: each for (*of, key), each in self.store.items.items() if of == [account, exam_id]}
        keys = [key for key in sorted(items, key=sort_key) if after is None or sort_key(key) > sort_key(after)]
        page = [items[key] for key in keys[:limit]]
        # Like the real table, which does not look whether anything follows a page that is full.
        return page, page[-1].key if len(page) == limit else None

    def holds_any(self, account: str, exam_id: str) -> bool:
        return bool(self.of_exam(account, exam_id))

    def beyond(self, account: str, exam_id: str, seen: Container[AttemptKey]) -> dict[AttemptKey, Submission]:
        return {key: each for key, each in self.of_exam(account, exam_id).items() if key not in seen}

    def write(self, changes: Sequence[Change]) -> list[Change]:
        refused: list[int] = []
        for places in _without_duplicates(changes):
            self.shuffle(places)
            refused += self._write_places(changes, places)
        return [changes[place] for place in sorted(refused)]

    def _write_places(self, changes: Sequence[Change], places: Sequence[int]) -> list[int]:
        refused: list[int] = []
        failed: ClientError | None = None
        for place in places:
            try:
                if not self._write_one(changes[place]):
                    refused.append(place)
            except ClientError as error:
                failed = error  # the others of the batch are under way already
        if failed is not None:
            raise failed
        return refused

    def _write_one(self, change: Change) -> bool:
        self.step()
        before, after = change.before, change.after
        place = (after.account, after.exam_id, after.key)
        stands = self.store.items.get(place)
        if before is None:
            allowed = stands is None
        else:
            allowed = stands is not None and stands.version == before.version and stands.fence <= after.fence
        if allowed:
            self.store.items[place] = after
            self.store.stream.append(change)
        return allowed or stands == after


def _without_duplicates(changes: Sequence[Change]) -> Iterator[list[int]]:
    """The indexes of ``changes`` in order, split where an attempt occurs again."""
    places: list[int] = []
    seen: set[tuple[str, str, AttemptKey]] = set()
    for place, change in enumerate(changes):
        key = (change.after.account, change.after.exam_id, change.after.key)
        if key in seen:
            yield places
            places, seen = [], set()
        places.append(place)
        seen.add(key)
    yield places


@dataclass
class ExamStateStore:
    """The exams' own items in the Submissions table, and their part of its stream."""

    items: dict[tuple[str, str], ExamState] = field(default_factory=dict)
    stream: list[ExamChange] = field(default_factory=list)


@dataclass
class MemoryExamStates(ExamStates):
    """ExamStates in memory."""

    store: ExamStateStore = field(default_factory=ExamStateStore)
    step: Step = _undisturbed

    def of_account(self, account: str) -> dict[str, ExamState]:
        self.step()
        return {exam_id: self.store.items[of, exam_id] for of, exam_id in sorted(self.store.items) if of == account}

    def write(self, changes: Sequence[ExamChange]) -> list[ExamChange]:
        return [change for change in changes if not self._write_one(change)]

    def _write_one(self, change: ExamChange) -> bool:
        self.step()
        before, after = change.before, change.after
        place = (after.account, after.exam_id)
        stands = self.store.items.get(place)
        if before is None:
            allowed = stands is None
        else:
            allowed = stands is not None and stands.version == before.version and stands.fence <= after.fence
        if allowed:
            self.store.items[place] = after
            self.store.stream.append(change)
        return allowed or stands == after


@dataclass
class ExamStore:
    """The items of the Exams table."""

    records: dict[str, tuple[AccountRecord, int]] = field(default_factory=dict)
    """Record and fence."""
    leases: dict[str, Lease] = field(default_factory=dict)
    erasures: ErasureMarks = field(default_factory=ErasureMarks)


@dataclass
class Lease:
    """The lease item of one account."""

    owner: str
    fence: int
    expires_at_ms: int | None


@dataclass
class MemoryExams(ExamsTable):
    """ExamsTable in memory."""

    store: ExamStore = field(default_factory=ExamStore)
    step: Step = _undisturbed

    def read(self, account: str) -> AccountState:
        self.step()
        record, _ = self.store.records.get(account, (AccountRecord(), 0))
        return AccountState(record, self.store.erasures)

    def write(self, account: str, record: AccountRecord, fence: int) -> bool:
        answer_is_lost = self.step()
        stands = self.store.records.get(account)
        if stands is not None and stands[1] > fence:
            return False
        self.store.records[account] = (record, fence)
        return not answer_is_lost

    def take_lease(self, account: str, owner: str, *, now_ms: int, expires_at_ms: int) -> int | None:
        answer_is_lost = self.step()
        lease = self.store.leases.setdefault(account, Lease("", 0, None))
        if lease.expires_at_ms is not None and lease.expires_at_ms > now_ms and lease.owner != owner:
            return None
        lease.owner, lease.expires_at_ms = owner, expires_at_ms
        # A call that is repeated, because its answer was lost, takes what is its own already.
        lease.fence += 2 if answer_is_lost else 1
        return lease.fence

    def prolong_lease(self, account: str, owner: str, *, expires_at_ms: int) -> bool:
        return self._hold(account, owner, expires_at_ms)

    def release_lease(self, account: str, owner: str) -> None:
        self._hold(account, owner, None)

    def _hold(self, account: str, owner: str, expires_at_ms: int | None) -> bool:
        self.step()
        lease = self.store.leases.get(account)
        if lease is None or lease.owner != owner:
            return False
        lease.expires_at_ms = expires_at_ms
        return True
