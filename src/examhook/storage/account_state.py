"""What the Exams table holds of one account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.detection.exam_state import ExamState
from examhook.storage.attributes import as_number, read_number
from examhook.storage.erasures import Erasures

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

_NUMBERS = (
    "watch_started_at",
    "listed_count",
    "list_proven_at",
    "rows_ahead_s",
    "failing_since",
    "left_alone_until",
    "completed_at",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider refused an account code. Another request is useless until the secret changes, or a pause is over."""

    secret_version: str
    """Version id of the secret that was refused."""
    since: int
    last_asked_at: int
    plain: bool = True
    """Whether the provider named the code as the reason; otherwise it may be another failure, which passes."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """An event that a poll announced and that Dispatch is not known to have sent."""

    event_id: str
    observed_at: int
    """When the poll saw it, Unix seconds."""
    since: int
    """When that poll ended, Unix seconds."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """What one poll of the account leaves for the next. Instants are Unix seconds by our clock."""

    watch_started_at: int | None = None
    """When Examhook began to watch the account; None before the first poll."""
    listed_complete: bool = False
    """Whether the complete list of exams was read once, and every exam on it recorded."""
    listed_count: int | None = None
    """Exams on the last complete list."""
    list_proven_at: int | None = None
    """When the end of the list was last proven."""
    rows_ahead_s: int | None = None
    """Seconds by which rows were ahead of our clock; None where none was."""
    refusal: Refusal | None = None
    """The refusal of the account code that stands; None where the provider accepts the code."""
    failing_since: int | None = None
    """Since when the provider gave no usable answers; None where it does."""
    left_alone_until: int | None = None
    """Until when polls of the schedule make no requests."""
    completed_at: int | None = None
    """When the last poll ended that read the list of exams."""
    awaited: Awaited | None = None


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account's record, whom to pass over, and exams that an older version stored here."""

    record: AccountRecord = AccountRecord()
    erasures: Erasures = field(default_factory=Erasures)
    legacy_exams: Mapping[str, ExamState] = field(default_factory=dict)


def item_from_record(record: AccountRecord) -> dict[str, AttributeValueTypeDef]:
    """Attributes of an account's record, without its keys."""
    numbers = {name: getattr(record, name) for name in _NUMBERS}
    item: dict[str, AttributeValueTypeDef] = {
        "listed_whole": {"BOOL": record.listed_complete},
        **{name: as_number(number) for name, number in numbers.items() if number is not None},
    }
    if record.refusal is not None:
        item |= {
            "refused_secret": {"S": record.refusal.secret_version},
            "refused_since": as_number(record.refusal.since),
            "refused_asked_at": as_number(record.refusal.last_asked_at),
            "refused_plainly": {"BOOL": record.refusal.plain},
        }
    if record.awaited is not None:
        item |= {
            "awaited": {"S": record.awaited.event_id},
            "awaited_at": as_number(record.awaited.observed_at),
            "awaited_since": as_number(record.awaited.since),
        }
    return item


def record_from_item(item: Item, lease: Item) -> AccountRecord:
    """The record in an account's item; versions before 1.0 kept some of it in the ``lease`` item."""
    numbers = {name: read_number(item, name) for name in _NUMBERS}
    started_at = numbers["watch_started_at"] or read_number(item, "began_here_at") or read_number(item, "began_at")
    kept = item if "watch_started_at" in item else {**lease, **item}
    return AccountRecord(
        watch_started_at=started_at,
        listed_complete="listed_whole" in item and item["listed_whole"]["BOOL"],
        listed_count=numbers["listed_count"],
        list_proven_at=numbers["list_proven_at"],
        rows_ahead_s=numbers["rows_ahead_s"],
        refusal=_refusal(item),
        failing_since=numbers["failing_since"],
        left_alone_until=numbers["left_alone_until"],
        completed_at=read_number(kept, "completed_at"),
        awaited=_awaited(kept),
    )


def _refusal(item: Item) -> Refusal | None:
    if "refused_secret" not in item:
        return None
    return Refusal(
        secret_version=item["refused_secret"]["S"],
        since=int(item["refused_since"]["N"]),
        last_asked_at=int(item["refused_asked_at"]["N"]),
        plain=item["refused_plainly"]["BOOL"] if "refused_plainly" in item else True,
    )


def _awaited(item: Item) -> Awaited | None:
    if "awaited" not in item:
        return None
    return Awaited(item["awaited"]["S"], int(item["awaited_at"]["N"]), int(item["awaited_since"]["N"]))
