"""Submissions in DynamoDB (moto): what is written is read back, and an old observation never wins."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from examhook.detection.transition import Change, Observation, change_from
from examhook.model import Attempt, AttemptKey, Exam, Submission
from examhook.storage.item_codec import UnreadableItemError
from examhook.storage.submissions import SubmissionsTable, spanning, submission_from_item
from tests.support.storage.tables import SUBMISSIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXAM = Exam(
    "23812", "解剖学 II ✓", available=True, attempt_count=7, url="https://example.test/23812", category="Medicine"
)
OPEN = Attempt("19382", 1_700_000_000, 0, "陈 美", result_url="https://example.test/viewresult/a")
DONE = replace(OPEN, status_code=1, ended_at=1_700_000_900, score_points=Decimal("30.5"), passed=True)


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> SubmissionsTable:
    return SubmissionsTable(dynamodb, SUBMISSIONS)


def change(stored: Submission | None, row: Attempt, fence: int = 1) -> Change:
    found = change_from(stored, row, Observation("main", EXAM, observed_at=1_700_001_000, fence=fence))
    assert found is not None
    return found


def stored_one(table: SubmissionsTable) -> Submission:
    return table.between("main", EXAM.exam_id, OPEN.key, OPEN.key)[OPEN.key]


def test_a_written_submission_is_read_back_completely(table: SubmissionsTable) -> None:
    first = change(None, OPEN)
    assert table.write([first]) == []
    second = change(first.after, DONE)
    assert table.write([second]) == []
    assert stored_one(table) == second.after


def test_a_range_reads_the_attempts_of_one_exam_between_two_keys(table: SubmissionsTable) -> None:
    rows = [replace(DONE, candidate_id=str(number), started_at=DONE.started_at + number) for number in range(30)]
    table.write([change(None, row) for row in rows])
    ends = spanning([rows[5].key, rows[9].key, rows[7].key])
    assert ends is not None
    assert sorted(table.between("main", EXAM.exam_id, *ends)) == [row.key for row in rows[5:10]]
    assert table.between("main", "another", *ends) == {}


def test_an_exam_can_be_read_page_by_page_in_stored_order(table: SubmissionsTable) -> None:
    rows = [replace(DONE, candidate_id=str(number), started_at=DONE.started_at + number) for number in range(7)]
    table.write([change(None, row) for row in rows])
    seen: list[AttemptKey] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page, after = table.page_after("main", EXAM.exam_id, after, 3)
        seen += [each.key for each in page]
        pages += 1
    assert seen == [row.key for row in rows]
    assert table.page_after("main", "another", None, 3) == ([], None)


def test_a_repeated_announcement_is_not_repeated_by_the_next_write(
    table: SubmissionsTable, dynamodb: DynamoDBClient
) -> None:
    def said() -> list[object]:
        (item,) = dynamodb.scan(TableName=SUBMISSIONS)["Items"]
        return [item["announce"], item.get("again")]

    first = change(None, DONE)
    table.write([first])
    repeated = replace(first.after, version=2)
    assert table.write([Change(first.after, repeated, again=(1,))]) == []
    assert said() == [{"BOOL": True}, {"L": [{"N": "1"}]}]
    assert table.write([Change(repeated, replace(repeated, version=3))]) == []
    assert said() == [{"BOOL": False}, None]


def test_a_second_poll_cannot_insert_the_same_attempt(table: SubmissionsTable) -> None:
    """Two polls that both see a new attempt make one event."""
    first, second = change(None, OPEN), change(None, OPEN, fence=2)
    assert table.write([first]) == []
    assert table.write([second]) == [second]


def test_a_change_of_a_replaced_submission_is_not_written(table: SubmissionsTable) -> None:
    first = change(None, OPEN)
    table.write([first])
    table.write([change(first.after, DONE)])
    late = change(first.after, replace(DONE, status_code=3))
    assert table.write([late]) == [late]
    assert stored_one(table).attempt.status_code == 1


def test_a_poll_that_outlived_its_lease_cannot_write_over_a_newer_one(table: SubmissionsTable) -> None:
    newer = change(None, OPEN, fence=5)
    table.write([newer])
    late = change(newer.after, DONE, fence=4)
    assert table.write([late]) == [late]


def test_only_a_write_that_adds_a_transition_is_marked_for_the_stream(
    table: SubmissionsTable, dynamodb: DynamoDBClient
) -> None:
    def marked() -> bool:
        return dynamodb.scan(TableName=SUBMISSIONS)["Items"][0]["announce"]["BOOL"]

    first = change(None, replace(DONE, passed=None))
    table.write([first])
    assert marked()
    table.write([change(first.after, DONE)])
    assert not marked()


def test_many_changes_are_written_and_the_overtaken_ones_named(table: SubmissionsTable) -> None:
    changes = [change(None, replace(DONE, candidate_id=str(number))) for number in range(140)]
    table.write([change(None, replace(DONE, candidate_id=str(number)), fence=2) for number in range(10)])
    assert table.write(changes) == changes[:10]


@pytest.mark.parametrize(
    ("score", "spelled"),
    [
        ("30.50", "30.5"),
        ("0.0", "0"),
        ("1E+2", "100"),
        ("-7", "-7"),
        ("100", "100"),
        ("1234567890.0625", "1234567890.0625"),
    ],
)
def test_scores_are_written_as_dynamodb_returns_them(
    table: SubmissionsTable, dynamodb: DynamoDBClient, score: str, spelled: str
) -> None:
    """Otherwise a repeated write would not recognize the stored item."""
    table.write([change(None, replace(DONE, score_points=Decimal(score)))])
    (item,) = dynamodb.scan(TableName=SUBMISSIONS)["Items"]
    assert item["score_points"] == {"N": spelled}
    assert stored_one(table).attempt.score_points == Decimal(score)


@pytest.mark.parametrize("record_id", [None, "4711"])
def test_the_providers_record_id_is_stored(table: SubmissionsTable, record_id: str | None) -> None:
    table.write([change(None, replace(OPEN, record_id=record_id))])
    assert stored_one(table).attempt.record_id == record_id


def test_an_item_of_another_version_is_rejected_with_a_reason(
    table: SubmissionsTable, dynamodb: DynamoDBClient
) -> None:
    table.write([change(None, DONE)])
    item = dynamodb.scan(TableName=SUBMISSIONS)["Items"][0]
    with pytest.raises(UnreadableItemError, match="schema version 2, expected 1"):
        submission_from_item({**item, "v": {"N": "2"}})
    with pytest.raises(UnreadableItemError, match="started_at"):
        submission_from_item({name: value for name, value in item.items() if name != "started_at"})


def test_keys_are_stored_in_the_order_of_time() -> None:
    assert spanning([AttemptKey(1_000_000_000, "a"), AttemptKey(999_999_999, "b")]) == (
        AttemptKey(999_999_999, "b"),
        AttemptKey(1_000_000_000, "a"),
    )
    assert spanning([]) is None
