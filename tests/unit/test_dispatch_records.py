"""Records of the stream, and how a batch holds back what must wait."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from examhook.events.build import submission_event
from examhook.storage.submission_outbox import StoredChange, UnreadableRecordError, record_key, stored_change
from examhook.workflows.dispatching.batch import Batch, OutgoingEvent, StepFailure
from tests.support.events.model_values import submission, transition

SAMPLE = Path(__file__).parents[2] / "events" / "dispatch.json"


def sample() -> list[Any]:
    records: list[Any] = json.loads(SAMPLE.read_text())["Records"]
    return records


def test_a_new_submission_announces_its_first_event() -> None:
    insert = stored_change(sample()[0])
    assert isinstance(insert, StoredChange)
    assert [each.event_type for each in insert.announced] == ["submission.submitted"]
    assert insert.submission.attempt.candidate_name == "Mei Chen"


def test_a_changed_submission_announces_only_what_the_write_added() -> None:
    modify = stored_change(sample()[1])
    assert isinstance(modify, StoredChange)
    assert [each.sequence for each in modify.submission.transitions] == [1, 2]
    assert [each.event_type for each in modify.announced] == ["submission.forced"]


def test_a_removal_announces_nothing() -> None:
    assert stored_change(sample()[2]) is None


def test_a_silent_write_announces_nothing() -> None:
    record = sample()[1]
    record["dynamodb"]["OldImage"] = copy.deepcopy(record["dynamodb"]["NewImage"])
    change = stored_change(record)
    assert change is not None
    assert change.announced == ()


def test_a_write_that_asks_for_it_announces_a_kept_transition_once_more() -> None:
    record = sample()[1]
    record["dynamodb"]["NewImage"]["again"] = {"L": [{"N": "1"}]}
    record["dynamodb"]["OldImage"] = copy.deepcopy(record["dynamodb"]["NewImage"])
    change = stored_change(record)
    assert change is not None
    assert [each.sequence for each in change.announced] == [1]


def spoil_version(image: dict[str, Any]) -> None:
    image["v"] = {"N": "99"}


def spoil_number(image: dict[str, Any]) -> None:
    image["started_at"] = {"N": "soon"}


def spoil_score(image: dict[str, Any]) -> None:
    image["transitions"]["L"][-1]["M"]["score_points"] = {"N": "many"}


def spoil_type(image: dict[str, Any]) -> None:
    image["transitions"] = {"S": "none"}


def spoil_shape(image: dict[str, Any]) -> None:
    image["attempt"] = image.pop("observed_at")


@pytest.mark.parametrize("spoil", [spoil_version, spoil_number, spoil_score, spoil_type, spoil_shape])
def test_a_record_that_cannot_be_read_is_refused_without_showing_it(spoil: Any) -> None:
    record = sample()[0]
    spoil(record["dynamodb"]["NewImage"])
    with pytest.raises(UnreadableRecordError) as refused:
        stored_change(record)
    assert record["dynamodb"]["SequenceNumber"] in str(refused.value)
    assert "Mei" not in f"{refused.value}{refused.value.__cause__}"


def test_records_of_one_submission_share_a_place_even_when_unreadable() -> None:
    first, second = sample()[:2]
    again = copy.deepcopy(first)
    del again["dynamodb"]["NewImage"]
    assert record_key(first) == record_key(again) != record_key(second)


def outgoing(record: int, of: str) -> OutgoingEvent:
    return OutgoingEvent(record, of, submission_event(submission(), transition()))


def test_a_failed_record_holds_back_later_ones_of_its_submission_only() -> None:
    batch = Batch()
    batch.add([outgoing(0, "a"), outgoing(1, "b"), outgoing(2, "a"), outgoing(3, "b")])
    batch.apply([StepFailure("Throttled"), *batch.outgoing[1:]])
    assert [each.record for each in batch.outgoing] == [1, 3]
    assert (batch.first_failed, batch.reasons) == (0, "Throttled")


def test_an_earlier_event_of_a_submission_whose_later_one_failed_goes_on() -> None:
    """It stands before the place from which the stream sends again, so nobody would ever send it."""
    batch = Batch()
    batch.add([outgoing(0, "a"), outgoing(5, "a")])
    batch.apply([batch.outgoing[0], StepFailure("Throttled")])
    batch.apply(batch.outgoing)
    assert [each.record for each in batch.outgoing] == [0]
    assert batch.first_failed == 5


def test_what_follows_an_unreadable_record_of_the_same_submission_waits() -> None:
    batch = Batch()
    batch.fail(0, "a", "UnreadableRecordError")
    batch.add([outgoing(1, "a")])
    batch.add([outgoing(2, "b")])
    assert [each.record for each in batch.outgoing] == [2]
