"""Tables written by a version before 1.0: the first poll moves the exams' states, and the move announces nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examhook.model import ExamTransition
from examhook.storage.exams import ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from tests.support.provider.memory_provider import BEGAN_AT, Stage, row
from tests.support.storage.tables import EXAMS, SUBMISSIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

EXAM_STATE: Item = {"pk": {"S": "#exams#main"}, "sk": {"S": "7"}}
OLD_EXAM: Item = {"account": {"S": "main"}, "sk": {"S": "exam#7"}}
OPENED = ExamTransition("e1", "exam.opened", BEGAN_AT - 900, None, BEGAN_AT - 900, available=True)
HISTORY: Item = {
    **EXAM_STATE,
    "v": {"N": "1"},
    "kind": {"S": "exam"},
    "account": {"S": "main"},
    "exam_id": {"S": "7"},
    "exam_title": {"S": "Exam 7"},
    "available": {"BOOL": True},
    "announce": {"BOOL": True},
    "observed_at": {"N": str(OPENED.observed_at)},
    "transitions": {
        "L": [
            {
                "M": {
                    "event_id": {"S": OPENED.event_id},
                    "event_type": {"S": OPENED.event_type},
                    "sequence": {"N": str(OPENED.sequence)},
                    "observed_at": {"N": str(OPENED.observed_at)},
                    "available": {"BOOL": True},
                }
            }
        ]
    },
    "sequence": {"N": str(OPENED.sequence)},
    "version": {"N": "3"},
    "fence": {"N": "1"},
}


@pytest.fixture
def stage(dynamodb: DynamoDBClient) -> Stage:
    """Three old results and a running attempt, stored, with the exam's facts where the older version kept them."""
    stage = Stage(
        SubmissionsTable(dynamodb, SUBMISSIONS), ExamsTable(dynamodb, EXAMS), ExamStates(dynamodb, SUBMISSIONS)
    )
    stage.provider.add("7", row(1), row(2), row(3), row(4, status_code=0))
    stage.poll()
    dynamodb.delete_item(TableName=SUBMISSIONS, Key=EXAM_STATE)
    began_at: AttributeValueTypeDef = {"N": str(BEGAN_AT)}
    dynamodb.put_item(
        TableName=EXAMS,
        Item={
            "account": {"S": "main"},
            "sk": {"S": "account"},
            "v": {"N": "1"},
            "began_at": began_at,
            "began_here_at": began_at,
            "listed_whole": {"BOOL": True},
        },
    )
    dynamodb.put_item(
        TableName=EXAMS,
        Item={
            **OLD_EXAM,
            "v": {"N": "1"},
            "title": {"S": "Exam 7"},
            "available": {"BOOL": True},
            "row_order": {"S": "newest"},
            "fence": {"N": "1"},
            "takings": {"N": "4"},
            "rows": {"N": "4"},
            "open_count": {"N": "1"},
            "open_depth": {"N": "4"},
            "passed_at": began_at,
            "tried_at": began_at,
            "changed_at": began_at,
            "open_attempts": {"L": [{"S": f"{row(4).started_at}#4"}]},
            "starts": {"M": {"ahead": {"N": "1"}}},
        },
    )
    stage.provider.clock += 60
    return stage


def sort_keys(dynamodb: DynamoDBClient) -> set[str]:
    return {item["sk"]["S"] for item in dynamodb.scan(TableName=EXAMS, ConsistentRead=True)["Items"]}


def test_the_first_poll_moves_an_exams_state_and_deletes_the_old_item(stage: Stage, dynamodb: DynamoDBClient) -> None:
    assert stage.poll(manual=False).complete
    assert sort_keys(dynamodb) == {"account", "lease"}
    state = stage.exam_states.of_account("main")["7"]
    assert (state.row_count, state.running_count, state.scanned_at) == (4, 1, BEGAN_AT)
    assert state.predates_watch


def test_nothing_is_announced_by_the_move(stage: Stage) -> None:
    stage.poll(manual=False)
    stage.poll(full=True)
    assert stage.events() == []
    assert [state.transitions for state in stage.exam_states.of_account("main").values()] == [()]


def test_an_attempt_that_was_running_is_announced_when_it_ends(stage: Stage) -> None:
    stage.provider.change("7", row(4, status_code=3, ended_at=BEGAN_AT + 30))
    stage.poll(manual=False)
    stage.poll(manual=False)
    assert stage.events() == ["4 forced"]


def test_exam_events_continue_the_chain_of_those_before(stage: Stage, dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName=SUBMISSIONS, Item=HISTORY)
    stage.poll(manual=False)
    moved = stage.exam_states.of_account("main")["7"]
    assert (moved.transitions, moved.sequence, moved.row_count) == ((OPENED,), OPENED.sequence, 4)
    exam = stage.provider.exams_listed["7"]
    stage.provider.exams_listed["7"] = type(exam)("7", exam.title, available=False, attempt_count=4)
    stage.poll(manual=False)
    opened, closed = stage.exam_states.of_account("main")["7"].transitions
    assert opened == OPENED
    assert (closed.event_type, closed.previous_id) == ("exam.closed", OPENED.event_id)
    assert closed.sequence > OPENED.sequence


def test_a_poll_that_dies_before_it_deletes_the_old_items_repeats_nothing(
    stage: Stage, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ExamsTable, "delete_legacy", die)
        with pytest.raises(KeyboardInterrupt):
            stage.poll(manual=False)
    stage.provider.clock += 600
    stage.provider.change("7", row(4, status_code=2, ended_at=BEGAN_AT + 30))
    stage.poll(manual=False)
    stage.poll(full=True)
    assert stage.events() == ["4 timed_out"]
    assert sort_keys(dynamodb) == {"account", "lease"}
