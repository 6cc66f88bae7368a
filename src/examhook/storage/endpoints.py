"""The Endpoints table: who receives webhooks, by which filters, and how it has been doing.

::

    EndpointsTableError
    └── EndpointExistsError     an endpoint of that id is there already; trying again does not help

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from examhook.delivery.endpoint import Endpoint, EndpointStatus
from examhook.storage.endpoint_item import endpoint_from_item, item_from_endpoint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

_CONDITION_FAILED = "ConditionalCheckFailedException"


class EndpointsTableError(Exception):
    """An endpoint could not be written as asked."""


class EndpointExistsError(EndpointsTableError):
    """There is an endpoint of that id."""


class EndpointsTable:
    """Reads and conditional writes of endpoints."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

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
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item=item_from_endpoint(endpoint),
                ConditionExpression="attribute_not_exists(endpoint_id)",
            )
        except ClientError as error:
            if _is_condition_failure(error):
                raise EndpointExistsError(f"endpoint {endpoint.endpoint_id} exists already") from error
            raise

    def remove(self, endpoint_id: str) -> bool:
        """Remove an endpoint; False if there was none."""
        try:
            self._client.delete_item(
                TableName=self._table_name,
                Key=_key(endpoint_id),
                ConditionExpression="attribute_exists(endpoint_id)",
            )
        except ClientError as error:
            if _is_condition_failure(error):
                return False
            raise
        return True

    def set_status(self, endpoint_id: str, status: EndpointStatus, reason: str | None = None) -> bool:
        """Enable or disable an endpoint, with a reason for people; False if it was so already or is gone."""
        values: dict[str, AttributeValueTypeDef] = {":status": {"S": status.value}}
        update = "SET #status = :status"
        if reason is None:
            update += " REMOVE disabled_reason"
        else:
            update += ", disabled_reason = :reason"
            values[":reason"] = {"S": reason}
        before = self._update(
            endpoint_id,
            update=update,
            condition="attribute_exists(endpoint_id) AND #status <> :status",
            values=values,
            names={"#status": "status"},
        )
        return before is not None

    def record_outcome(self, endpoint_id: str, at: int, error: str | None) -> Endpoint | None:
        """Write how an attempt that ended at ``at`` went: ``error`` in words, or None for a success.

        Returns the endpoint as it was before, so that exactly one caller sees it recover; None if it is gone.
        """
        if error is None:
            return self._update(
                endpoint_id,
                update="SET last_success_at = :at REMOVE failing_since, consecutive_failures, probe_until",
                condition="attribute_exists(endpoint_id)",
                values={":at": {"N": str(at)}},
            )
        return self._update(
            endpoint_id,
            update=(
                "SET last_failure_at = :at, last_error = :error, failing_since = if_not_exists(failing_since, :at),"
                " consecutive_failures = if_not_exists(consecutive_failures, :zero) + :one"
            ),
            condition="attribute_exists(endpoint_id)",
            values={":at": {"N": str(at)}, ":error": {"S": error}, ":zero": {"N": "0"}, ":one": {"N": "1"}},
        )

    def claim_probe(self, endpoint_id: str, now: int, until: int) -> bool:
        """Take the right to try an endpoint that is down; False while someone else's lasts (until ``until``)."""
        before = self._update(
            endpoint_id,
            update="SET probe_until = :until",
            condition=("attribute_exists(endpoint_id) AND (attribute_not_exists(probe_until) OR probe_until <= :now)"),
            values={":until": {"N": str(until)}, ":now": {"N": str(now)}},
        )
        return before is not None

    def set_draining(self, endpoint_id: str, *, draining: bool) -> None:
        """Remember that a recovered endpoint is still owed what waited for it, or that it has been given all."""
        self._update(
            endpoint_id,
            update="SET draining = :true" if draining else "REMOVE draining",
            condition="attribute_exists(endpoint_id)",
            values={":true": {"BOOL": True}} if draining else {},
        )

    def _update(
        self,
        endpoint_id: str,
        *,
        update: str,
        condition: str,
        values: dict[str, AttributeValueTypeDef],
        names: dict[str, str] | None = None,
    ) -> Endpoint | None:
        """The endpoint before a conditional update; None if the condition did not hold."""
        request: UpdateItemInputTypeDef = {
            "TableName": self._table_name,
            "Key": _key(endpoint_id),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ReturnValues": "ALL_OLD",
        }
        if values:
            request["ExpressionAttributeValues"] = values
        if names:
            request["ExpressionAttributeNames"] = names
        try:
            answer = self._client.update_item(**request)
        except ClientError as error:
            if _is_condition_failure(error):
                return None
            raise
        return endpoint_from_item(answer["Attributes"])


def _key(endpoint_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"endpoint_id": {"S": endpoint_id}}


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == _CONDITION_FAILED
