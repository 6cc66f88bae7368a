"""How a submission is written as a DynamoDB item, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from examhook.model import Attempt, Submission, Transition
from examhook.storage.attributes import as_number, read_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1


class UnreadableItemError(ValueError):
    """A stored item is not what this version writes; trying again does not help."""


def item_from_submission(submission: Submission) -> dict[str, AttributeValueTypeDef]:
    """Attributes of a submission, without its keys; absent facts have no attribute."""
    attempt = submission.attempt
    return {
        "v": as_number(SCHEMA_VERSION),
        "account": {"S": submission.account},
        "exam_id": {"S": submission.exam_id},
        "exam_title": {"S": submission.exam_title},
        **_text("exam_url", submission.exam_url),
        **_text("exam_category", submission.exam_category),
        "candidate_id": {"S": attempt.candidate_id},
        **_text("candidate_name", attempt.candidate_name),
        "started_at": as_number(attempt.started_at),
        **_facts(
            status_code=attempt.status_code,
            score_points=attempt.score_points,
            passed=attempt.passed,
            ended_at=attempt.ended_at,
        ),
        **_text("result_url", attempt.result_url),
        **_text("record_id", attempt.record_id),
        "observed_at": as_number(submission.observed_at),
        "transitions": {"L": [{"M": _item_from_transition(each)} for each in submission.transitions]},
        # For the redrive's scan, which finds by it what was seen long ago.
        **_optional_number("recalled_at", max((each.recalled_at or 0 for each in submission.transitions), default=0)),
        "type_counts": {"M": {name: as_number(count) for name, count in submission.type_counts.items()}},
        "sequence": as_number(submission.sequence),
        "version": as_number(submission.version),
        "fence": as_number(submission.fence),
        **({} if submission.missing_since is None else {"missing_since": as_number(submission.missing_since)}),
        **({"removed": {"BOOL": True}} if submission.removed else {}),
    }


def submission_from_item(item: Item) -> Submission:
    """The submission in an item; raises UnreadableItemError."""
    try:
        if (version := int(item["v"]["N"])) != SCHEMA_VERSION:
            raise UnreadableItemError(f"a submission's item has schema version {version}, wanted {SCHEMA_VERSION}")
        return Submission(
            account=item["account"]["S"],
            exam_id=item["exam_id"]["S"],
            exam_title=item["exam_title"]["S"],
            exam_url=_read_text(item, "exam_url"),
            exam_category=_read_text(item, "exam_category"),
            attempt=Attempt(
                candidate_id=item["candidate_id"]["S"],
                started_at=int(item["started_at"]["N"]),
                status_code=int(item["status_code"]["N"]),
                candidate_name=_read_text(item, "candidate_name"),
                ended_at=read_number(item, "ended_at"),
                score_points=_read_decimal(item, "score_points"),
                passed=_read_flag(item, "passed"),
                result_url=_read_text(item, "result_url"),
                record_id=_read_text(item, "record_id"),
            ),
            # Earlier versions wrote the provider's time, and how far its clock was ahead of ours.
            observed_at=int(item["observed_at"]["N"]) - (read_number(item, "provider_ahead_s") or 0),
            transitions=tuple(_transition_from_item(each["M"]) for each in item["transitions"]["L"]),
            type_counts={name: int(count["N"]) for name, count in item["type_counts"]["M"].items()},
            sequence=int(item["sequence"]["N"]),
            version=int(item["version"]["N"]),
            fence=int(item["fence"]["N"]),
            missing_since=read_number(item, "missing_since"),
            removed=_read_flag(item, "removed") or False,
        )
    except KeyError as missing:
        raise UnreadableItemError(f"a submission's item lacks {missing} or holds it as another type") from missing


def _item_from_transition(transition: Transition) -> dict[str, AttributeValueTypeDef]:
    item: dict[str, AttributeValueTypeDef] = {
        "event_id": {"S": transition.event_id},
        "event_type": {"S": transition.event_type},
        "sequence": as_number(transition.sequence),
        **_text("previous_id", transition.previous_id),
        **_facts(
            status_code=transition.status_code,
            score_points=transition.score_points,
            passed=transition.passed,
            ended_at=transition.ended_at,
        ),
        "occurred_at": as_number(transition.occurred_at),
        "observed_at": as_number(transition.observed_at),
    }
    if transition.previous_status_code is not None:
        item["previous_status_code"] = as_number(transition.previous_status_code)
    return item | _optional_number("recalled_at", transition.recalled_at)


def _transition_from_item(item: Item) -> Transition:
    return Transition(
        event_id=item["event_id"]["S"],
        event_type=item["event_type"]["S"],
        sequence=int(item["sequence"]["N"]),
        previous_id=_read_text(item, "previous_id"),
        status_code=int(item["status_code"]["N"]),
        previous_status_code=read_number(item, "previous_status_code"),
        occurred_at=int(item["occurred_at"]["N"]),
        observed_at=int(item["observed_at"]["N"]),
        score_points=_read_decimal(item, "score_points"),
        passed=_read_flag(item, "passed"),
        ended_at=read_number(item, "ended_at"),
        recalled_at=read_number(item, "recalled_at"),
    )


def _facts(
    *, status_code: int, score_points: Decimal | None, passed: bool | None, ended_at: int | None
) -> dict[str, AttributeValueTypeDef]:
    item: dict[str, AttributeValueTypeDef] = {"status_code": as_number(status_code)}
    if score_points is not None:
        item["score_points"] = as_number(score_points)
    if passed is not None:
        item["passed"] = {"BOOL": passed}
    if ended_at is not None:
        item["ended_at"] = as_number(ended_at)
    return item


def _optional_number(name: str, value: int | None) -> dict[str, AttributeValueTypeDef]:
    """The attribute; none where there is nothing to say."""
    return {name: as_number(value)} if value else {}


def _text(name: str, value: str | None) -> dict[str, AttributeValueTypeDef]:
    return {} if value is None else {name: {"S": value}}


def _read_text(item: Item, name: str) -> str | None:
    value = item.get(name)
    return None if value is None else value["S"]


def _read_decimal(item: Item, name: str) -> Decimal | None:
    value = item.get(name)
    return None if value is None else Decimal(value["N"])


def _read_flag(item: Item, name: str) -> bool | None:
    value = item.get(name)
    return None if value is None else value["BOOL"]
