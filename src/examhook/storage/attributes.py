"""Numbers as DynamoDB's low-level API writes them: as text, and told from other attributes by their type."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def as_number(value: int | Decimal) -> AttributeValueTypeDef:
    """The attribute that holds ``value``, spelled as DynamoDB gives it back: ``30.5`` for 30.50."""
    if isinstance(value, int):
        return {"N": str(value)}
    text = f"{value:f}"
    return {"N": text.rstrip("0").rstrip(".") if "." in text else text}


def read_number(item: Mapping[str, AttributeValueTypeDef], name: str) -> int | None:
    """The whole number in an attribute; None where the item lacks it."""
    return int(item[name]["N"]) if name in item else None
