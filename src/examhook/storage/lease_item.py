"""What an account's lease item tells beside the lease: written when it is given back, for the price of nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from examhook.storage.attributes import as_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

AsBefore = Literal["as before"]
"""What is stored stays."""

_AWAITED = ("awaited", "awaited_at", "awaited_since")


@dataclass(frozen=True, slots=True)
class Awaited:
    """An event that was announced and not yet seen to go out."""

    event_id: str
    observed_at: int
    """When it was noticed, by the provider's clock."""
    since: int = 0
    """When its poll ended, Unix seconds."""


def awaited_from_item(item: Mapping[str, AttributeValueTypeDef]) -> Awaited | None:
    """What is awaited, if anything."""
    if "awaited" not in item:
        return None
    event_id, observed_at, since = (item[name] for name in _AWAITED)
    return Awaited(event_id["S"], int(observed_at["N"]), int(since["N"]))


def giving_back(
    completed_at: int | None, awaited: Awaited | AsBefore | None
) -> tuple[str, dict[str, AttributeValueTypeDef]]:
    """The update that gives a lease back, and its values; of what is None, an end is kept, and nothing is awaited."""
    facts: dict[str, AttributeValueTypeDef] = {}
    if completed_at is not None:
        facts["completed_at"] = as_number(completed_at)
    if isinstance(awaited, Awaited):
        values: list[AttributeValueTypeDef] = [
            {"S": awaited.event_id},
            as_number(awaited.observed_at),
            as_number(awaited.since),
        ]
        facts.update(zip(_AWAITED, values, strict=True))
    gone = ", ".join(["expires_at_ms", *(_AWAITED if awaited is None else ())])
    written = f"SET {', '.join(f'{name} = :{name}' for name in facts)} " if facts else ""
    return f"{written}REMOVE {gone}", {f":{name}": value for name, value in facts.items()}
