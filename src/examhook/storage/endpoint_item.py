"""How an endpoint is written as a DynamoDB item, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from examhook.delivery.endpoint import (
    BodyFormat,
    ContentType,
    Endpoint,
    EndpointOrigin,
    EndpointStatus,
    Health,
    Notice,
    Privacy,
)
from examhook.events.catalogue import OperationsEventType
from examhook.storage.attributes import read_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

SCHEMA_VERSION = 1


def item_from_endpoint(endpoint: Endpoint) -> dict[str, AttributeValueTypeDef]:
    """Attributes of a new endpoint; its health, its notices and its former secret are written by what happens to it."""
    item: dict[str, AttributeValueTypeDef] = {
        "endpoint_id": {"S": endpoint.endpoint_id},
        "v": {"N": str(SCHEMA_VERSION)},
        "sealed_secret": {"B": endpoint.sealed_secret},
        "origin": {"S": endpoint.origin.value},
        "created_at": {"N": str(endpoint.created_at)},
        "status": {"S": endpoint.status.value},
        **{name: value for name, value in settings_of(endpoint).items() if value is not None},
    }
    if endpoint.disabled_reason is not None:
        item["disabled_reason"] = {"S": endpoint.disabled_reason}
    return item


def settings_of(endpoint: Endpoint) -> Mapping[str, AttributeValueTypeDef | None]:
    """What a person chooses about an endpoint, attribute by attribute; None for one that is absent."""
    return {
        "url": {"S": endpoint.url},
        "types": _texts(endpoint.types),
        "exam_ids": _texts(endpoint.exam_ids),
        "accounts": _texts(endpoint.accounts),
        "description": {"S": endpoint.description},
        "privacy": {"S": endpoint.privacy.value},
        "format": {"S": endpoint.body_format.value},
        "content_type": {"S": endpoint.content_type.value},
        "sealed_pseudonym_key": _optional_bytes(endpoint.sealed_pseudonym_key),
        "header_names": _texts(endpoint.header_names),
        "sealed_headers": _optional_bytes(endpoint.sealed_headers),
        "rate_per_second": None if endpoint.rate_per_second is None else {"N": f"{endpoint.rate_per_second:g}"},
    }


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
        disabled_at=read_number(item, "disabled_at"),
        privacy=Privacy(_read_text(item, "privacy") or Privacy.FULL),
        content_type=ContentType(_read_text(item, "content_type") or ContentType.JSON),
        body_format=BodyFormat(_read_text(item, "format") or BodyFormat.CLOUDEVENTS),
        sealed_pseudonym_key=_read_bytes(item, "sealed_pseudonym_key"),
        header_names=_read_texts(item, "header_names"),
        sealed_headers=_read_bytes(item, "sealed_headers"),
        rate_per_second=_read_float(item, "rate_per_second"),
        previous_sealed_secret=_read_bytes(item, "previous_sealed_secret"),
        previous_secret_until=read_number(item, "previous_secret_until"),
        health=Health(
            last_success_at=read_number(item, "last_success_at"),
            last_failure_at=read_number(item, "last_failure_at"),
            failing_since=read_number(item, "failing_since"),
            last_error=_read_text(item, "last_error"),
            consecutive_failures=read_number(item, "consecutive_failures") or 0,
            draining="draining" in item,
            probe_until=read_number(item, "probe_until"),
            slowed_until=read_number(item, "slowed_until"),
            paced_until=_read_float(item, "paced_until"),
            warned_at=read_number(item, "warned_at"),
            warned_since=read_number(item, "warned_since"),
        ),
        notices=tuple(_read_notice(text) for text in _read_texts(item, "notices")),
    )


def notice_value(notice: Notice) -> AttributeValueTypeDef:
    """A notice as one attribute value."""
    facts = {
        "event_type": notice.event_type.value,
        "at": notice.at,
        "message": notice.message,
        "details": dict(notice.details),
    }
    return {"S": json.dumps(facts, ensure_ascii=False, sort_keys=True)}


def _read_notice(text: str) -> Notice:
    facts = json.loads(text)
    return Notice(OperationsEventType(facts["event_type"]), facts["at"], facts["message"], facts["details"])


def _texts(values: tuple[str, ...]) -> AttributeValueTypeDef:
    return {"L": [{"S": value} for value in values]}


def _optional_bytes(value: bytes | None) -> AttributeValueTypeDef | None:
    return None if value is None else {"B": value}


def _read_texts(item: Item, name: str) -> tuple[str, ...]:
    # Endpoints from before an attribute was thought of lack it.
    return tuple(each["S"] for each in item[name]["L"]) if name in item else ()


def _read_text(item: Item, name: str) -> str | None:
    value = item.get(name)
    return None if value is None else value["S"]


def _read_bytes(item: Item, name: str) -> bytes | None:
    value = item.get(name)
    return None if value is None else bytes(value["B"])


def _read_float(item: Item, name: str) -> float | None:
    value = item.get(name)
    return None if value is None else float(value["N"])
