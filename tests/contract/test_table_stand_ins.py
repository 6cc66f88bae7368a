"""The same cases against the in-memory tables and the real ones (moto): what holds of one holds of the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws

from examhook.detection.exam_state import ExamState, RowOrder, ScanCursor
from examhook.detection.exam_transition import ExamChange, change_of_availability, first_state, with_receipt
from examhook.detection.transition import Change, Observation, change_from
from examhook.model import Attempt, AttemptKey, Exam, Receipt, Submission
from examhook.storage.exams import AccountRecord, AwaitedEvent, CodeRejection, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable, sort_key, spanning
from tests.support.storage.memory_tables import MemoryExams, MemoryExamStates, MemorySubmissions
from tests.support.storage.tables import EXAMS, SUBMISSIONS, create_tables

EXAM = Exam("7", "Anatomy II", available=True, attempt_count=3)
OPEN = Attempt("9", 1_700_000_000, 0, "陈 美")
DONE = replace(OPEN, status_code=1, ended_at=1_700_000_900, score_points=Decimal("30.5"), passed=True)


@dataclass(frozen=True)
class Pair:
    """All tables, of one make."""

    submissions: SubmissionsTable
    exams: ExamsTable
    exam_states: ExamStates


@pytest.fixture(params=["in memory", "DynamoDB"])
def tables(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "in memory":
        yield Pair(MemorySubmissions(), MemoryExams(), MemoryExamStates())
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        yield Pair(SubmissionsTable(client, SUBMISSIONS), ExamsTable(client, EXAMS), ExamStates(client, SUBMISSIONS))


def change(stored: Submission | None, row: Attempt, fence: int = 1) -> Change:
    found = change_from(stored, row, Observation("main", EXAM, observed_at=1_700_001_000, fence=fence))
    assert found is not None
    return found


def new_changes(count: int, fence: int) -> list[Change]:
    """As many new attempts."""
    return [change(None, replace(DONE, candidate_id=str(number)), fence) for number in range(count)]


def stored(tables: Pair, *keys: AttemptKey) -> dict[AttemptKey, Submission]:
    ends = spanning(keys or [OPEN.key])
    assert ends is not None
    return tables.submissions.between("main", "7", *ends)


def test_what_is_written_is_read_back_whole(tables: Pair) -> None:
    first = change(None, OPEN)
    second = change(first.after, DONE)
    assert [tables.submissions.write([first]), tables.submissions.write([second])] == [[], []]
    assert stored(tables) == {OPEN.key: second.after}


def test_a_range_has_both_ends_in_stored_order_and_one_exam_only(tables: Pair) -> None:
    rows = [replace(DONE, candidate_id=str(number), started_at=OPEN.started_at + number // 3) for number in range(30)]
    tables.submissions.write([change(None, row) for row in rows])
    ends = (AttemptKey(OPEN.started_at + 2, "7"), AttemptKey(OPEN.started_at + 4, "12"))
    assert list(tables.submissions.between("main", "7", *ends)) == [
        AttemptKey(OPEN.started_at + number // 3, str(number)) for number in (7, 8, 10, 11, 9, 12)
    ]
    assert tables.submissions.between("main", "8", *ends) == {}
    assert tables.submissions.between("another", "7", *ends) == {}


def test_an_exam_is_read_page_by_page_in_stored_order(tables: Pair) -> None:
    rows = [replace(DONE, candidate_id=str(number), started_at=OPEN.started_at + number // 3) for number in range(12)]
    tables.submissions.write([change(None, row) for row in rows])
    pages: list[list[AttemptKey]] = []
    after = None
    while not pages or after is not None:
        page, after = tables.submissions.page_after("main", "7", after, 5)
        pages.append([each.key for each in page])
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [key for page in pages for key in page] == list(stored(tables, *(row.key for row in rows)))
    assert tables.submissions.page_after("main", "8", None, 5) == ([], None)


def test_what_was_not_seen_of_an_exam_is_told(tables: Pair) -> None:
    rows = [replace(DONE, candidate_id=candidate_id) for candidate_id in ("1", "2#x", "3")]
    tables.submissions.write([change(None, row) for row in rows])
    beyond = tables.submissions.beyond("main", EXAM.exam_id, {rows[0].key, rows[2].key})
    assert list(beyond) == [rows[1].key]
    assert tables.submissions.beyond("main", "another", set()) == {}
    assert tables.submissions.holds_any("main", EXAM.exam_id)
    assert not tables.submissions.holds_any("main", "another")


def test_an_attempt_is_inserted_once(tables: Pair) -> None:
    late = change(None, OPEN, fence=2)
    assert tables.submissions.write([change(None, OPEN)]) == []
    assert tables.submissions.write([late]) == [late]


@pytest.mark.parametrize(("fence", "wins"), [(4, False), (5, True), (6, True)])
def test_a_write_needs_the_version_it_read_and_no_newer_poll(tables: Pair, fence: int, wins: bool) -> None:  # noqa: FBT001
    first = change(None, OPEN, fence=5)
    tables.submissions.write([first])
    second = change(first.after, DONE, fence=fence)
    assert tables.submissions.write([second]) == ([] if wins else [second])
    stale = change(first.after, replace(DONE, status_code=3), fence=9)
    assert tables.submissions.write([stale]) == ([stale] if wins else [])


def test_overtaken_changes_of_a_batch_are_named_in_their_order(tables: Pair) -> None:
    changes, rivals = (new_changes(12, fence) for fence in (1, 2))
    tables.submissions.write(rivals[3:5] + rivals[8:9])
    assert tables.submissions.write(changes) == [changes[3], changes[4], changes[8]]


@pytest.mark.parametrize("count", [50, 130])
def test_many_changes_are_written_but_those_that_another_poll_was_faster_with(tables: Pair, count: int) -> None:
    ours, rivals = (new_changes(count, fence) for fence in (1, 2))
    tables.submissions.write(rivals[::7])
    assert tables.submissions.write(ours) == ours[::7]
    expected = {each.after.key: each.after for each in (*ours, *rivals[::7])}
    assert tables.submissions.of_exam("main", "7") == expected


@pytest.mark.parametrize("count", [50, 130])
def test_many_submissions_are_replaced_only_where_nobody_else_did(tables: Pair, count: int) -> None:
    first = new_changes(count, fence=1)
    tables.submissions.write(first)
    ours, rivals = (
        [change(each.after, replace(each.after.attempt, score_points=Decimal(score)), fence) for each in first]
        for score, fence in ((60, 2), (70, 3))
    )
    tables.submissions.write(rivals[::9])
    assert tables.submissions.write(ours) == ours[::9]
    expected = {each.after.key: each.after for each in (*ours, *rivals[::9])}
    assert tables.submissions.of_exam("main", "7") == expected


@pytest.mark.parametrize("count", [1, 51])
def test_changes_of_one_attempt_in_one_batch_are_written_in_their_order(tables: Pair, count: int) -> None:
    first, late = (new_changes(count, fence) for fence in (1, 2))
    second = [change(each.after, replace(each.after.attempt, score_points=Decimal(60))) for each in first]
    assert tables.submissions.write([*first, *late, *second]) == late
    assert list(tables.submissions.of_exam("main", "7").values()) == sorted(
        (each.after for each in second), key=lambda submission: sort_key(submission.key)
    )


def test_a_change_that_this_poll_wrote_before_counts_as_written(tables: Pair) -> None:
    """So an answer that was lost makes no write look refused."""
    changes = new_changes(60, fence=1)
    assert tables.submissions.write(changes[:20]) == []
    assert tables.submissions.write(changes) == []
    assert tables.submissions.write(changes[:2]) == []


RECORDS = [
    AccountRecord(),
    AccountRecord(watch_started_at=100, listed_complete=True, listed_count=0),
    AccountRecord(
        watch_started_at=100,
        listed_count=7,
        list_proven_at=300,
        refusal=CodeRejection("v1", since=1, last_asked_at=2, plain=False),
        failing_since=400,
        left_alone_until=500,
        completed_at=450,
        awaited=AwaitedEvent("evt_1", 4, since=5),
    ),
]


@pytest.mark.parametrize("record", RECORDS)
def test_the_record_of_an_account_is_read_back_as_written(tables: Pair, record: AccountRecord) -> None:
    assert tables.exams.read("main").record == AccountRecord()
    assert tables.exams.write("main", RECORDS[2], 1)
    assert tables.exams.write("main", record, 1)
    assert tables.exams.read("main").record == record
    assert tables.exams.read("another").record == AccountRecord()


@pytest.mark.parametrize(("fence", "wins"), [(4, False), (5, True), (6, True)])
def test_the_record_of_an_account_is_written_unless_a_newer_poll_did(tables: Pair, fence: int, wins: bool) -> None:  # noqa: FBT001
    assert tables.exams.write("main", RECORDS[1], 5)
    assert tables.exams.write("main", RECORDS[2], fence) is wins
    assert tables.exams.read("main").record == (RECORDS[2] if wins else RECORDS[1])


def test_the_record_of_an_account_outlives_its_leases(tables: Pair) -> None:
    for owner in "ab":
        fence = tables.exams.take_lease("main", owner, now_ms=1, expires_at_ms=9)
        assert fence is not None
        tables.exams.write("main", RECORDS[2], fence)
        tables.exams.release_lease("main", owner)
    assert tables.exams.read("main").record == RECORDS[2]


def exam_change(
    stored: ExamState | None, *, available: bool, fence: int = 1, at: int = 100, exam_id: str = "7"
) -> ExamChange:
    shown = replace(EXAM, exam_id=exam_id, available=available, url="https://provider.test/7", category="Medicine")
    if stored is None:
        after = first_state("main", shown, observed_at=at, predates_watch=False, announce=True)
        return ExamChange(None, replace(after, fence=fence))
    digest_after_change = change_of_availability(stored, shown, observed_at=at)
    assert digest_after_change is not None
    return ExamChange(stored, replace(digest_after_change, version=stored.version + 1, fence=fence))


def changed(stored: ExamState, **facts: Any) -> ExamChange:
    return ExamChange(stored, replace(stored, version=stored.version + 1, **facts))


def test_an_exams_state_is_read_back_as_written_and_apart_from_attempts(tables: Pair) -> None:
    opened = exam_change(None, available=True)
    scanned = changed(
        opened.after,
        row_order=RowOrder.OLDEST,
        row_count=3,
        running=(OPEN.key, AttemptKey(5, "2#x")),
        running_count=4,
        running_depth=9,
        digest=(1 << 64) - 1,
        scanned_at=150,
        read_at=160,
        changed_at=170,
        failed_since=180,
        skipped={"startTime is missing": 2},
        cursor=ScanCursor(99, OPEN.key, 140),
    )
    verified = changed(scanned.after, **_announced(with_receipt(scanned.after, Receipt(150, {0: 1, 7: 2}, "ab" * 8))))
    closed = exam_change(verified.after, available=False, at=200)
    bare = exam_change(None, available=False, exam_id="8")
    bare = replace(
        bare, after=replace(bare.after, exam=Exam("8", "", available=None, attempt_count=None), predates_watch=True)
    )
    for one in (opened, scanned, verified, closed, bare):
        assert tables.exam_states.write([one]) == []
    assert tables.exam_states.of_account("main") == {"7": closed.after, "8": bare.after}
    assert tables.exam_states.of_account("another") == {}
    assert tables.submissions.of_exam("main", "7") == {}
    assert tables.submissions.beyond("main", "7", set()) == {}
    assert not tables.submissions.holds_any("main", "7")
    tables.submissions.write([change(None, OPEN)])
    assert list(tables.submissions.of_exam("main", "7")) == [OPEN.key]
    assert len(tables.exam_states.of_account("main")) == 2


def _announced(state: ExamState) -> dict[str, Any]:
    return {"transitions": state.transitions, "sequence": state.sequence}


def test_a_cursor_may_name_no_row(tables: Pair) -> None:
    first = exam_change(None, available=True)
    cut = changed(first.after, cursor=ScanCursor(99, None, 140))
    tables.exam_states.write([first])
    tables.exam_states.write([cut])
    assert tables.exam_states.of_account("main")["7"].cursor == ScanCursor(99, None, 140)


def test_an_exams_state_is_inserted_once(tables: Pair) -> None:
    first, late = (exam_change(None, available=True, fence=fence) for fence in (1, 9))
    assert tables.exam_states.write([first]) == []
    assert tables.exam_states.write([late]) == [late]


@pytest.mark.parametrize(("fence", "wins"), [(4, False), (5, True), (6, True)])
def test_an_exams_state_needs_the_version_that_was_read_and_no_newer_poll(
    tables: Pair,
    fence: int,
    wins: bool,  # noqa: FBT001
) -> None:
    first = exam_change(None, available=True, fence=5)
    tables.exam_states.write([first])
    second = exam_change(first.after, available=False, fence=fence, at=200)
    assert tables.exam_states.write([second]) == ([] if wins else [second])
    stale = exam_change(first.after, available=False, fence=9, at=300)
    assert tables.exam_states.write([stale]) == ([stale] if wins else [])


def test_overtaken_exams_of_a_batch_are_named_in_their_order(tables: Pair) -> None:
    changes = [exam_change(None, available=True, exam_id=str(number)) for number in range(60)]
    rivals = [replace(each, after=replace(each.after, fence=2)) for each in changes]
    tables.exam_states.write(rivals[3:5] + rivals[8:9])
    assert tables.exam_states.write(changes) == [changes[3], changes[4], changes[8]]
    assert tables.exam_states.write(rivals[3:5]) == []


def lease_script(table: ExamsTable, rng: random.Random) -> list[object]:
    """What the table answers to a random sequence of lease calls, the same for the same ``rng``."""
    acts: list[Callable[[str, int], object]] = [
        lambda owner, at: table.take_lease("main", owner, now_ms=at, expires_at_ms=at + rng.randrange(5)),
        lambda owner, at: table.prolong_lease("main", owner, expires_at_ms=at + rng.randrange(5)),
        lambda owner, _: table.release_lease("main", owner),
    ]
    return [rng.choice(acts)(rng.choice("ab"), at) for at in range(60)]


def test_leases_pass_from_poll_to_poll_alike(tables: Pair) -> None:
    expected = lease_script(MemoryExams(), random.Random(1))
    assert lease_script(tables.exams, random.Random(1)) == expected
    assert expected.count(True) > 3
    assert sum(type(answer) is int for answer in expected) > 3
