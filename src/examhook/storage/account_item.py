"""The account's own item in the Exams table, read back: its watch, and how the provider treats it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examhook.detection.watch import AccountWatch
from examhook.storage.attributes import read_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider refused an account code; while the secret stays the same, asking again soon is useless."""

    secret_version: str
    """Version id of the secret that was refused."""
    since: int
    last_asked_at: int
    plain: bool = True
    """Whether the provider plainly spoke of the code; otherwise it may be other trouble, which passes."""


def watch_from_item(account: str, item: Item) -> AccountWatch | None:
    """The account's watch; None before it began."""
    if "began_at" not in item:
        return None
    return AccountWatch(
        account,
        int(item["began_at"]["N"]),
        takings_lie="takings_lie" in item,
        listed_whole="listed_whole" in item,
        began_here_at=read_number(item, "began_here_at"),
    )


def refusal_from_item(item: Item) -> Refusal | None:
    """The refusal that stands; None where the code is accepted."""
    if "refused_secret" not in item:
        return None
    return Refusal(
        secret_version=item["refused_secret"]["S"],
        since=int(item["refused_since"]["N"]),
        last_asked_at=int(item["refused_asked_at"]["N"]),
        # Older versions knew plain ones only.
        plain=item["refused_plainly"]["BOOL"] if "refused_plainly" in item else True,
    )
