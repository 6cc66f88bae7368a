"""Watches and leases in DynamoDB (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws
from tables import EXAMS, create_tables

from examhook.detection.watch import ExamWatch, PassProgress, RowOrder, Told
from examhook.model import AttemptKey, Exam
from examhook.storage.account_item import Refusal
from examhook.storage.exams import ExamsTable
from examhook.workflows.lease import LEASE_SECONDS, LeaseLostError, lease_on

WATCH = ExamWatch(
    exam=Exam("7", "Anatomy II", available=True, takings=12, url="https://example.test/7", category=None),
    rows=12,
    open_count=2,
    open_attempts=(AttemptKey(1_699_999_000, "5"), AttemptKey(1_699_999_100, "a#b")),
    open_depth=7,
    order=RowOrder.NEWEST,
    digest=2**63 + 5,
    passed_at=1_700_000_000,
    tried_at=1_700_000_060,
    failed_at=1_700_000_055,
    changed_at=1_700_000_050,
    compared_at=1_700_000_005,
    starts=Told(1, 1_700_000_020),
    ends=Told(-2, refuted=True),
    unreconciled_since=1_700_000_030,
    empty_since=1_700_000_025,
    progress=PassProgress(
        start=495,
        last=AttemptKey(1_699_999_000, "9"),
        began_at=1_700_000_000,
        rows=496,
        digest=77,
        appeared=3,
        ended=2,
        newest_at=1_699_999_999,
        open_attempts=(AttemptKey(1_699_999_000, "5"),),
        open_places=(17,),
        inserted=2,
        late=1,
        erased=1,
        falling=False,
    ),
)


class Clock:
    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExamsTable]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        yield ExamsTable(client, EXAMS)


def test_a_pass_that_an_older_version_cut_short_is_read(table: ExamsTable) -> None:
    """It noted neither places nor what came meanwhile, nor in which order the rows were listed."""
    table.remember("main", WATCH, fence=1)
    later = ", ".join(f"progress.{name}" for name in ("open_places", "inserted", "late", "erased", "rising", "falling"))
    boto3.client("dynamodb", region_name="eu-central-1").update_item(
        TableName=EXAMS, Key={"account": {"S": "main"}, "sk": {"S": "exam#7"}}, UpdateExpression=f"REMOVE {later}"
    )
    progress = table.read("main").exams["7"].progress
    assert progress is not None
    assert WATCH.progress is not None
    assert progress == replace(WATCH.progress, open_places=(), inserted=0, late=0, erased=0, falling=True)
    assert progress.running == {AttemptKey(1_699_999_000, "5"): 0}


def test_what_is_remembered_of_an_exam_comes_back_whole(table: ExamsTable) -> None:
    table.remember("main", WATCH, fence=1)
    bare = ExamWatch(Exam("8", "T", available=False, takings=None))
    table.remember("main", bare, fence=1)
    assert table.read("main").exams == {"7": WATCH, "8": bare}
    assert table.read("another").exams == {}


def test_an_older_poll_does_not_overwrite_what_a_newer_one_remembers(table: ExamsTable) -> None:
    assert table.remember("main", WATCH, fence=2)
    assert not table.remember("main", replace(WATCH, rows=1), fence=1)
    assert table.read("main").exams["7"].rows == 12


def test_a_watch_begins_once(table: ExamsTable) -> None:
    assert table.read("main").watch is None
    assert table.begin_watch("main", 100, 100).began_at == 100
    assert table.begin_watch("main", 200, 200).began_at == 100
    watch = table.read("main").watch
    assert watch is not None
    assert watch.began_at == 100


def test_a_refusal_is_kept_until_it_is_forgotten(table: ExamsTable) -> None:
    table.begin_watch("main", 50, 50)
    refusal = Refusal("v1", since=100, last_asked_at=200)
    table.remember_refusal("main", refusal)
    assert table.read("main").refusal == refusal
    table.forget_refusal("main")
    state = table.read("main")
    assert state.refusal is None
    assert state.watch is not None


def test_distrust_of_the_takings_is_kept(table: ExamsTable) -> None:
    table.begin_watch("main", 50, 50)
    table.distrust_takings("main")
    watch = table.read("main").watch
    assert watch is not None
    assert watch.takings_lie


def test_one_poll_at_a_time_and_each_with_a_higher_fence(table: ExamsTable) -> None:
    clock = Clock()
    with lease_on(table, "main", now=clock.now, sleep=clock.sleep) as first:
        assert first is not None
        with lease_on(table, "main", now=clock.now, sleep=clock.sleep) as second:
            assert second is None
        with lease_on(table, "another", now=clock.now, sleep=clock.sleep) as other:
            assert other is not None
    with lease_on(table, "main", now=clock.now, sleep=clock.sleep) as third:
        assert third is not None
        assert third.fence == first.fence + 1


def test_a_patient_poll_waits_until_a_dead_ones_lease_ends(table: ExamsTable) -> None:
    clock = Clock()
    table.take_lease("main", "dead", now_ms=int(clock.at * 1000), expires_at_ms=int((clock.at + 20) * 1000))
    with lease_on(table, "main", now=clock.now, sleep=clock.sleep, patience_s=60) as lease:
        assert lease is not None


def test_a_lease_whose_answer_was_lost_is_no_other_polls(table: ExamsTable) -> None:
    """The client repeats the call by itself; refused, the poll would wait for its own lease to end."""
    first = table.take_lease("main", "mine", now_ms=1000, expires_at_ms=91_000)
    again = table.take_lease("main", "mine", now_ms=1000, expires_at_ms=91_000)
    assert first is not None
    assert again is not None
    assert again > first
    assert table.take_lease("main", "another", now_ms=1000, expires_at_ms=91_000) is None


def test_a_lease_is_prolonged_while_it_is_held_and_not_after(table: ExamsTable) -> None:
    clock = Clock()
    with lease_on(table, "main", now=clock.now, sleep=clock.sleep) as lease:
        assert lease is not None
        for _ in range(10):
            clock.at += LEASE_SECONDS - 1
            lease.keep()
        clock.at += LEASE_SECONDS + 1
        with lease_on(table, "main", now=clock.now, sleep=clock.sleep) as successor:
            assert successor is not None
            with pytest.raises(LeaseLostError):
                lease.keep()
