"""Items of a newer version of Examhook, as after a downgrade: kept unchanged, and they delay nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from examhook.storage.item_codec import SCHEMA_VERSION
from examhook.storage.submissions import SubmissionsTable
from tests.support.provider.memory_provider import BEGAN_AT, Stage, row
from tests.support.storage.memory_tables import MemoryExams
from tests.support.storage.tables import SUBMISSIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def stage(dynamodb: DynamoDBClient) -> Stage:
    made = Stage(SubmissionsTable(dynamodb, SUBMISSIONS), MemoryExams())
    for exam_id in ("1", "2"):
        made.provider.add(exam_id, row(int(exam_id), 0, None))
    assert made.poll().body()["complete"]
    return made


def set_version(exam_id: str, version: int) -> None:
    """Write another schema version into every item of an exam."""
    client = boto3.client("dynamodb", region_name="eu-central-1")
    for item in client.scan(TableName=SUBMISSIONS)["Items"]:
        if item["exam_id"] == {"S": exam_id}:
            client.put_item(TableName=SUBMISSIONS, Item={**item, "v": {"N": str(version)}})


def items_of(exam_id: str) -> list[object]:
    client = boto3.client("dynamodb", region_name="eu-central-1")
    return [item for item in client.scan(TableName=SUBMISSIONS)["Items"] if item["exam_id"] == {"S": exam_id}]


def end_both(stage: Stage) -> None:
    stage.provider.clock += 60
    for number in (1, 2):
        stage.provider.change(str(number), row(number, 1, BEGAN_AT + 30))


def test_an_exam_with_newer_items_is_not_changed_and_the_others_are_polled(stage: Stage) -> None:
    set_version("1", SCHEMA_VERSION + 1)
    before = items_of("1")
    end_both(stage)
    report = stage.poll(full=True).body()
    assert not report["complete"]
    assert [
        error for error in report["errors"] if "Exam 1 was not read" in error and "Deploy again the version" in error
    ]
    assert items_of("1") == before
    assert [each.transitions[-1].event_type for each in stage.submissions.of_exam("main", "2").values()] == [
        "submission.submitted"
    ]


def test_changes_meanwhile_are_announced_once_the_items_are_readable_again(stage: Stage) -> None:
    set_version("1", SCHEMA_VERSION + 1)
    end_both(stage)
    stage.poll()
    set_version("1", SCHEMA_VERSION)
    stage.provider.clock += 60
    stage.poll()
    assert stage.events() == ["1 submitted", "2 submitted"]
