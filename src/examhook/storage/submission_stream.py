"""What a record of the Submissions table's stream says: which transitions of an attempt or an exam its write announces.

::

    UnreadableRecordError    a record is not what this version's writes make; trying again does not help
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypedDict

from examhook.detection.exam_state import ExamState
from examhook.model import ExamTransition, Submission, Transition
from examhook.storage.exam_state_item import exam_state_from_item, is_exam
from examhook.storage.submissions import submission_from_image

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Image = Mapping[str, AttributeValueTypeDef]


class WriteBody(TypedDict):
    """One write, as the stream tells it (view type NEW_AND_OLD_IMAGES)."""

    SequenceNumber: str
    Keys: NotRequired[Image]
    NewImage: NotRequired[Image]
    OldImage: NotRequired[Image]


class StreamRecord(TypedDict):
    """One record of a batch, so far as Examhook reads it; ``eventName`` is INSERT, MODIFY or REMOVE."""

    eventName: str
    dynamodb: WriteBody


class UnreadableRecordError(ValueError):
    """A record holds no submission, and no exam, that can be read."""


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A submission after one write, and what the write announced."""

    submission: Submission
    announced: tuple[Transition, ...]
    """The transitions that the write added or announces once more, oldest first; empty for a silent write."""


@dataclass(frozen=True, slots=True)
class StoredExamChange:
    """An exam's state after one write, and what the write announced."""

    state: ExamState
    announced: tuple[ExamTransition, ...]


def stored_change(record: StreamRecord) -> StoredChange | StoredExamChange | None:
    """The change in ``record``, None for a removal; raises UnreadableRecordError."""
    if record["eventName"] == "REMOVE":
        return None
    try:
        image = record["dynamodb"]["NewImage"]
        before = _sequence(record["dynamodb"].get("OldImage"))
        if is_exam(image):
            state = exam_state_from_item(image)
            return StoredExamChange(state, tuple(each for each in state.transitions if each.sequence > before))
        submission = submission_from_image(image)
        again = {int(each["N"]) for each in image["again"]["L"]} if "again" in image else set()
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        # The cause names attributes at most, never what they hold.
        raise UnreadableRecordError(
            f"the stream's record {record['dynamodb']['SequenceNumber']} holds nothing that can be read"
        ) from error
    announced = (each for each in submission.transitions if each.sequence > before or each.sequence in again)
    return StoredChange(submission, tuple(announced))


def place_of(record: StreamRecord) -> str:
    """What tells the record's submission, or exam, from others, readable or not."""
    keys = record["dynamodb"].get("Keys", {})
    parts = [f"{name}={value.get('S', '')}" for name, value in sorted(keys.items())]
    return "\n".join(parts) or record["dynamodb"]["SequenceNumber"]


def _sequence(image: Image | None) -> int:
    """Sequence of the newest transition in an image; 0 where there was none."""
    return int(image["sequence"]["N"]) if image else 0
