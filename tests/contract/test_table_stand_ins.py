"""The same cases against the in-memory tables and the real ones (moto): what holds of one holds of the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import boto3
import pytest
from memory_tables import MemoryExams, MemoryHistories, MemorySubmissions
from moto import mock_aws
from tables import EXAMS, SUBMISSIONS, create_tables

from examhook.detection.change import Change
from examhook.detection.exam_transition import ExamChange, Sight, change_of_availability, change_of_receipt
from examhook.detection.transition import Observation, change_from
from examhook.detection.watch import ExamWatch, PassProgress
from examhook.model import Attempt, AttemptKey, Exam, ExamHistory, Receipt, Submission
from examhook.storage.account_item import Refusal
from examhook.storage.exam_histories import ExamHistories
from examhook.storage.exams import ExamsTable
from examhook.storage.lease_item import AsBefore, Awaited
from examhook.storage.submissions import SubmissionsTable, sort_key, spanning

EXAM = Exam("7", "Anatomy II", available=True, takings=3)
OPEN = Attempt("9", 1_700_000_000, 0, "陈 美")
DONE = replace(OPEN, status_code=1, ended_at=1_700_000_900, score_points=Decimal("30.5"), passed=True)
WATCH = ExamWatch(exam=EXAM, rows=3, open_count=1, passed_at=1_700_000_000, tried_at=1_700_000_060)


@dataclass(frozen=True)
class Pair:
    """All tables, of one make."""

    submissions: SubmissionsTable | MemorySubmissions
    exams: ExamsTable | MemoryExams
    histories: ExamHistories | MemoryHistories


@pytest.fixture(params=["in memory", "DynamoDB"])
def tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    if request.param == "in memory":
        yield Pair(MemorySubmissions(), MemoryExams(), MemoryHistories())
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        yield Pair(SubmissionsTable(client, SUBMISSIONS), ExamsTable(client, EXAMS), ExamHistories(client, SUBMISSIONS))


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


def test_what_is_stored_and_not_removed_is_counted(tables: Pair) -> None:
    first = change(None, OPEN)
    tables.submissions.write([first, *(change(None, replace(DONE, candidate_id=each)) for each in "xyz")])
    assert (tables.submissions.count("main", EXAM.exam_id), tables.submissions.count("main", "another")) == (4, 0)
    gone = replace(first.after, version=first.after.version + 1, removed=True)
    tables.submissions.write([Change(first.after, gone)])
    assert tables.submissions.count("main", EXAM.exam_id) == 3


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


def test_an_exam_is_remembered_unless_a_newer_poll_did(tables: Pair) -> None:
    assert tables.exams.remember("main", WATCH, fence=2)
    assert tables.exams.remember("main", replace(WATCH, rows=4), fence=2)
    assert not tables.exams.remember("main", replace(WATCH, rows=5), fence=1)
    assert tables.exams.read("main").exams == {"7": replace(WATCH, rows=4)}
    assert tables.exams.read("another").exams == {}


def test_a_rejection_leaves_all_else_that_is_known_of_an_exam(tables: Pair) -> None:
    known = replace(WATCH, digest=5, progress=PassProgress(1, None, 2, 3, 4))
    tables.exams.remember("main", known, fence=2)
    for at, fence in ((100, 2), (160, 3), (220, 1)):
        tables.exams.note_rejection("main", EXAM, at, fence)
    assert tables.exams.read("main").exams == {"7": replace(known, tried_at=160, rejected_since=100)}
    assert not tables.exams.remember("main", WATCH, fence=2)
    assert tables.exams.remember("main", WATCH, fence=3)
    assert tables.exams.read("main").exams == {"7": WATCH}


def test_an_exam_that_was_only_ever_rejected_is_remembered_as_that(tables: Pair) -> None:
    tables.exams.note_rejection("main", EXAM, 100, fence=1)
    (watch,) = tables.exams.read("main").exams.values()
    assert watch == ExamWatch(EXAM, tried_at=100, rejected_since=100)
    assert not watch.is_known


def test_a_watch_begins_once(tables: Pair) -> None:
    assert tables.exams.read("main").watch is None
    watches = [tables.exams.begin_watch("main", at, at + 5) for at in (100, 200)]
    assert watches[0] == watches[1] == tables.exams.read("main").watch


def test_the_beginning_of_a_watch_is_only_ever_put_earlier(tables: Pair) -> None:
    tables.exams.begin_watch("main", 500, 90)
    for earlier in (200, 300):
        tables.exams.begin_earlier("main", earlier)
    watch = tables.exams.read("main").watch
    assert watch is not None
    assert (watch.began_at, watch.began_here_at) == (200, 90)


def test_a_refusal_is_kept_until_it_is_forgotten(tables: Pair) -> None:
    for refusal in (Refusal("v1", since=1, last_asked_at=2, plain=False), Refusal("v1", since=1, last_asked_at=3)):
        tables.exams.remember_refusal("main", refusal)
        assert tables.exams.read("main").refusal == refusal
    tables.exams.forget_refusal("main")
    assert tables.exams.read("main").refusal is None


def test_a_pause_is_kept_until_the_provider_may_be_asked_again(tables: Pair) -> None:
    assert tables.exams.read("main").left_alone_until is None
    for until in (200, 100):
        tables.exams.leave_alone("main", until)
        assert tables.exams.read("main").left_alone_until == until
    assert tables.exams.read("another").left_alone_until is None
    tables.exams.ask_again("main")
    state = tables.exams.read("main")
    assert (state.left_alone_until, state.watch, state.refusal) == (None, None, None)


def test_distrust_of_the_takings_is_kept(tables: Pair) -> None:
    tables.exams.begin_watch("main", 100, 100)
    tables.exams.distrust_takings("main")
    watch = tables.exams.read("main").watch
    assert watch is not None
    assert (watch.began_at, watch.takings_lie) == (100, True)


def test_the_end_of_a_poll_is_kept_with_its_lease(tables: Pair) -> None:
    assert tables.exams.read("main").completed_at is None
    for owner, completed_at in (("a", 100), ("b", None)):
        tables.exams.take_lease("main", owner, now_ms=1, expires_at_ms=9)
        tables.exams.release_lease("main", "another", completed_at=999)
        tables.exams.release_lease("main", owner, completed_at=completed_at)
        assert tables.exams.read("main").completed_at == 100


def test_what_is_awaited_is_kept_with_the_lease_until_a_poll_says_otherwise(tables: Pair) -> None:
    assert tables.exams.read("main").awaited is None
    first = Awaited("evt_1", 4, since=5)
    said: list[tuple[Awaited | AsBefore | None, Awaited | None]] = [(first, first), ("as before", first), (None, None)]
    for nth, (awaited, stands) in enumerate(said):
        tables.exams.take_lease("main", str(nth), now_ms=1, expires_at_ms=9)
        tables.exams.release_lease("main", "another", awaited=Awaited("evt_2", 5, since=6))
        tables.exams.release_lease("main", str(nth), completed_at=nth, awaited=awaited)
        state = tables.exams.read("main")
        assert (state.awaited, state.completed_at) == (stands, nth)


def test_a_whole_list_is_noted_for_good(tables: Pair) -> None:
    tables.exams.begin_watch("main", 100, 100)
    tables.exams.note_whole_list("main")
    watch = tables.exams.read("main").watch
    assert watch is not None
    assert (watch.began_at, watch.listed_whole, watch.takings_lie) == (100, True, False)


def exam_change(stored: ExamHistory | None, *, available: bool, fence: int = 1, at: int = 100) -> ExamChange:
    shown = replace(EXAM, available=available, url="https://provider.test/7", category="Medicine")
    found = change_of_availability(stored, shown, Sight("main", at, fence), announce_first=True)
    assert found is not None
    return found


def test_an_exams_history_is_read_back_whole_and_apart_from_attempts(tables: Pair) -> None:
    opened = exam_change(None, available=True)
    verified = change_of_receipt(opened.after, EXAM, Receipt(150, {0: 1, 7: 2}, "ab" * 8), Sight("main", 150, 1))
    assert verified is not None
    closed = exam_change(verified.after, available=False, at=200)
    silent = exam_change(None, available=False)
    silent = replace(silent, after=replace(silent.after, exam_id="8", url=None, category=None, available=None))
    for one in (opened, verified, closed, silent):
        assert tables.histories.write([one]) == []
    assert tables.histories.of_account("main") == {"7": closed.after, "8": silent.after}
    assert tables.histories.of_account("another") == {}
    assert tables.submissions.of_exam("main", "7") == {}
    assert tables.submissions.beyond("main", "7", set()) == {}
    assert not tables.submissions.holds_any("main", "7")
    tables.submissions.write([change(None, OPEN)])
    assert list(tables.submissions.of_exam("main", "7")) == [OPEN.key]
    assert len(tables.histories.of_account("main")) == 2


def test_an_exams_history_begins_once(tables: Pair) -> None:
    first, late = (exam_change(None, available=True, fence=fence) for fence in (1, 9))
    assert tables.histories.write([first]) == []
    assert tables.histories.write([late]) == [late]


@pytest.mark.parametrize(("fence", "wins"), [(4, False), (5, True), (6, True)])
def test_an_exams_history_needs_the_version_that_was_read_and_no_newer_poll(
    tables: Pair,
    fence: int,
    wins: bool,  # noqa: FBT001
) -> None:
    first = exam_change(None, available=True, fence=5)
    tables.histories.write([first])
    change = exam_change(first.after, available=False, fence=9, at=200)
    second = replace(change, after=replace(change.after, fence=fence))
    assert tables.histories.write([second]) == ([] if wins else [second])
    stale = exam_change(first.after, available=False, fence=9, at=300)
    assert tables.histories.write([stale]) == ([stale] if wins else [])


def test_overtaken_exams_of_a_batch_are_named_in_their_order(tables: Pair) -> None:
    first = exam_change(None, available=True)
    changes = [replace(first, after=replace(first.after, exam_id=str(number))) for number in range(60)]
    rivals = [replace(each, after=replace(each.after, fence=2)) for each in changes]
    tables.histories.write(rivals[3:5] + rivals[8:9])
    assert tables.histories.write(changes) == [changes[3], changes[4], changes[8]]
    assert tables.histories.write(rivals[3:5]) == []


def lease_script(table: ExamsTable | MemoryExams, rng: random.Random) -> list[object]:
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
