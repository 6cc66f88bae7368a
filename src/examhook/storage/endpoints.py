"""The Endpoints table: who receives webhooks, by which filters, and how it has been doing.

::

    EndpointsTableError
    └── EndpointExistsError     an endpoint of that id is there already; trying again does not help

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examhook.delivery.endpoint import Endpoint, EndpointStatus
from examhook.storage.conditional import if_it_holds
from examhook.storage.endpoint_health import EndpointHealthWrites
from examhook.storage.endpoint_item import endpoint_from_item, item_from_endpoint, settings_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class EndpointsTableError(Exception):
    """An endpoint could not be written as asked."""


class EndpointExistsError(EndpointsTableError):
    """There is an endpoint of that id."""


class EndpointsTable(EndpointHealthWrites):
    """Reads and conditional writes of endpoints."""

    def get(self, endpoint_id: str) -> Endpoint | None:
        """One endpoint, as last written."""
        answer = self._client.get_item(TableName=self._table_name, Key=_key(endpoint_id), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else endpoint_from_item(item)

    def list_all(self) -> list[Endpoint]:
        """Every endpoint, enabled or not, oldest first."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table_name, ConsistentRead=True)
        found = [endpoint_from_item(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.endpoint_id))

    def add(self, endpoint: Endpoint) -> None:
        """Store a new endpoint; raises EndpointExistsError."""
        written = if_it_holds(
            self._client.put_item,
            TableName=self._table_name,
            Item=item_from_endpoint(endpoint),
            ConditionExpression="attribute_not_exists(endpoint_id)",
        )
        if written is None:
            raise EndpointExistsError(f"endpoint {endpoint.endpoint_id} exists already")

    def remove(self, endpoint_id: str) -> bool:
        """Remove an endpoint; False if there was none."""
        removed = if_it_holds(
            self._client.delete_item,
            TableName=self._table_name,
            Key=_key(endpoint_id),
            ConditionExpression="attribute_exists(endpoint_id)",
        )
        return removed is not None

    def write_settings(self, endpoint: Endpoint) -> bool:
        """Write what a person chose (URL, filters, privacy, headers, description) and nothing else; False if gone."""
        settings = settings_of(endpoint)
        kept = {f"#{name}": f":{name}" for name, value in settings.items() if value is not None}
        absent = [f"#{name}" for name, value in settings.items() if value is None]
        before = self._update(
            endpoint.endpoint_id,
            update="SET "
            + ", ".join(f"{name} = {value}" for name, value in kept.items())
            + (f" REMOVE {', '.join(absent)}" if absent else ""),
            values={f":{name}": value for name, value in settings.items() if value is not None},
            names={f"#{name}": name for name in settings},
        )
        return before is not None

    def replace_secret(self, seen: Endpoint, sealed_secret: bytes, previous_until: int | None) -> bool:
        """Put another signing secret in the place of the one in ``seen``, which still signs until ``previous_until``.

        False if the secret was replaced by another meanwhile, or the endpoint is gone.
        """
        values: dict[str, AttributeValueTypeDef] = {
            ":new": {"B": sealed_secret},
            ":seen": {"B": seen.sealed_secret},
        }
        update = "SET sealed_secret = :new"
        if previous_until is None:
            update += " REMOVE previous_sealed_secret, previous_secret_until"
        else:
            update += ", previous_sealed_secret = :seen, previous_secret_until = :until"
            values[":until"] = {"N": str(previous_until)}
        before = self._update(seen.endpoint_id, update=update, condition="sealed_secret = :seen", values=values)
        return before is not None

    def enable(self, endpoint_id: str) -> bool:
        """Send again to an endpoint, what waited first, its failures forgotten; False if it was enabled or is gone."""
        before = self._update(
            endpoint_id,
            update=(
                "SET #status = :enabled, draining = :true REMOVE disabled_reason, disabled_at,"
                " failing_since, consecutive_failures, probe_until"
            ),
            condition="#status <> :enabled",
            values={":enabled": {"S": EndpointStatus.ENABLED.value}, ":true": {"BOOL": True}},
            names={"#status": "status"},
        )
        return before is not None


def _key(endpoint_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"endpoint_id": {"S": endpoint_id}}
