"""The Exams table in DynamoDB (moto): leases, and what older versions stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import boto3
import pytest

from examhook.detection.exam_state import ExamState, RowOrder
from examhook.model import AttemptKey, Exam
from examhook.storage.exams import AccountRecord, AwaitedEvent, CodeRejection, ExamsTable
from examhook.workflows.polling.lease import LEASE_S, LeaseLostError, lease_on
from tests.support.storage.tables import EXAMS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item: TypeAlias = "dict[str, AttributeValueTypeDef]"

LEGACY_EXAM: Item = {
    "account": {"S": "main"},
    "sk": {"S": "exam#7"},
    "v": {"N": "1"},
    "fence": {"N": "3"},
    "title": {"S": "Anatomy II"},
    "available": {"BOOL": True},
    "takings": {"N": "12"},
    "url": {"S": "https://example.test/7"},
    "rows": {"N": "12"},
    "open_count": {"N": "2"},
    "open_attempts": {"L": [{"S": "1699999000#5"}, {"S": "1699999100#a#b"}]},
    "open_depth": {"N": "7"},
    "row_order": {"S": "newest"},
    "digest": {"N": str(2**63 + 5)},
    "passed_at": {"N": "1700000000"},
    "tried_at": {"N": "1700000060"},
    "failed_at": {"N": "1700000055"},
    "changed_at": {"N": "1700000050"},
    "compared_at": {"N": "1700000005"},
}
"""As an older version wrote an exam (53401de)."""


class Clock:
    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> ExamsTable:
    return ExamsTable(dynamodb, EXAMS)


def put(item: Item) -> None:
    boto3.client("dynamodb", region_name="eu-central-1").put_item(TableName=EXAMS, Item=item)


def test_an_exam_that_an_older_version_stored_is_read_and_can_be_deleted(table: ExamsTable) -> None:
    put(LEGACY_EXAM)
    assert table.read("main").legacy_exams == {
        "7": ExamState(
            "main",
            Exam("7", "Anatomy II", available=True, attempt_count=12, url="https://example.test/7"),
            predates_watch=True,
            row_order=RowOrder.NEWEST,
            row_count=12,
            running=(AttemptKey(1_699_999_000, "5"), AttemptKey(1_699_999_100, "a#b")),
            running_count=2,
            running_depth=7,
            digest=2**63 + 5,
            scanned_at=1_700_000_000,
            read_at=1_700_000_060,
            changed_at=1_700_000_050,
        )
    }
    table.delete_legacy("main", ["7"])
    assert table.read("main").legacy_exams == {}


def test_the_account_that_an_older_version_stored_is_read(table: ExamsTable) -> None:
    account: Item = {"account": {"S": "main"}, "sk": {"S": "account"}, "v": {"N": "1"}, "began_at": {"N": "100"}}
    put({**account, "began_here_at": {"N": "90"}, "listed_whole": {"BOOL": True}, "takings_lie": {"BOOL": True}})
    lease: Item = {"account": {"S": "main"}, "sk": {"S": "lease"}, "v": {"N": "1"}, "fence": {"N": "8"}}
    awaited: Item = {"awaited": {"S": "evt_1"}, "awaited_at": {"N": "4"}, "awaited_since": {"N": "5"}}
    put({**lease, "completed_at": {"N": "70"}, **awaited})
    assert table.read("main").record == AccountRecord(
        watch_started_at=90, listed_complete=True, completed_at=70, awaited=AwaitedEvent("evt_1", 4, since=5)
    )
    put(account)
    assert table.read("main").record.watch_started_at == 100, "before versions noted our own clock"


def test_a_refusal_that_an_older_version_stored_is_read(table: ExamsTable) -> None:
    account: Item = {"account": {"S": "main"}, "sk": {"S": "account"}, "began_here_at": {"N": "90"}}
    refused: Item = {"refused_secret": {"S": "v1"}, "refused_since": {"N": "1"}, "refused_asked_at": {"N": "2"}}
    put({**account, **refused})
    assert table.read("main").record.refusal == CodeRejection("v1", since=1, last_asked_at=2, plain=True)


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
            clock.at += LEASE_S - 1
            lease.keep()
        clock.at += LEASE_S + 1
        with lease_on(table, "main", now=clock.now, sleep=clock.sleep) as successor:
            assert successor is not None
            with pytest.raises(LeaseLostError):
                lease.keep()
