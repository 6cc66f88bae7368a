"""How an endpoint is written as a DynamoDB item, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import Endpoint, EndpointOrigin, EndpointStatus, Health

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1


def item_from_endpoint(endpoint: Endpoint) -> dict[str, AttributeValueTypeDef]:
    """Attributes of a new endpoint; its health is written by the attempts."""
    item: dict[str, AttributeValueTypeDef] = {
        "endpoint_id": {"S": endpoint.endpoint_id},
        "v": {"N": str(SCHEMA_VERSION)},
        "url": {"S": endpoint.url},
        "sealed_secret": {"B": endpoint.sealed_secret},
        "origin": {"S": endpoint.origin.value},
        "created_at": {"N": str(endpoint.created_at)},
        "types": _texts(endpoint.types),
        "exam_ids": _texts(endpoint.exam_ids),
        "accounts": _texts(endpoint.accounts),
        "description": {"S": endpoint.description},
        "status": {"S": endpoint.status.value},
    }
    if endpoint.disabled_reason is not None:
        item["disabled_reason"] = {"S": endpoint.disabled_reason}
    return item


def endpoint_from_item(item: Item) -> Endpoint:
    """The endpoint in an item."""
    return Endpoint(
        endpoint_id=item["endpoint_id"]["S"],
        url=item["url"]["S"],
        sealed_secret=bytes(item["sealed_secret"]["B"]),
        origin=EndpointOrigin(item["origin"]["S"]),
        created_at=int(item["created_at"]["N"]),
        types=_read_texts(item, "types"),
        exam_ids=_read_texts(item, "exam_ids"),
        accounts=_read_texts(item, "accounts"),
        description=item["description"]["S"],
        status=EndpointStatus(item["status"]["S"]),
        disabled_reason=_read_text(item, "disabled_reason"),
        health=Health(
            last_success_at=_read_int(item, "last_success_at"),
            last_failure_at=_read_int(item, "last_failure_at"),
            failing_since=_read_int(item, "failing_since"),
            last_error=_read_text(item, "last_error"),
            consecutive_failures=_read_int(item, "consecutive_failures") or 0,
            draining="draining" in item,
        ),
    )


def _texts(values: tuple[str, ...]) -> AttributeValueTypeDef:
    return {"L": [{"S": value} for value in values]}


def _read_texts(item: Item, name: str) -> tuple[str, ...]:
    return tuple(each["S"] for each in item[name]["L"])


def _read_text(item: Item, name: str) -> str | None:
    value = item.get(name)
    return None if value is None else value["S"]


def _read_int(item: Item, name: str) -> int | None:
    value = item.get(name)
    return None if value is None else int(value["N"])
