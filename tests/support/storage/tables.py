"""The tables of docs/architecture.md, made in moto or in any DynamoDB that a client reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef, KeySchemaElementTypeDef

SUBMISSIONS, EXAMS, ENDPOINTS, EVENTS, DELIVERIES = "Submissions", "Exams", "Endpoints", "Events", "Deliveries"


def _table(name: str, hash_key: str, range_key: str | None = None) -> CreateTableInputTypeDef:
    keys = [hash_key, *([range_key] if range_key else [])]
    key_schema: list[KeySchemaElementTypeDef] = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key:
        key_schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": key_schema,
    }


def create_tables(client: DynamoDBClient) -> None:
    """Make all five tables."""
    submissions = _table(SUBMISSIONS, "pk", "sk")
    submissions["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.create_table(**submissions)
    client.create_table(**_table(EXAMS, "account", "sk"))
    client.create_table(**_table(ENDPOINTS, "endpoint_id"))
    events = _table(EVENTS, "event_id")
    events["AttributeDefinitions"] = [
        *events["AttributeDefinitions"],
        {"AttributeName": "day", "AttributeType": "S"},
        {"AttributeName": "listed_at", "AttributeType": "S"},
        {"AttributeName": "link_requested_for", "AttributeType": "S"},
        {"AttributeName": "link_requested_at", "AttributeType": "N"},
    ]
    events["GlobalSecondaryIndexes"] = [
        {
            "IndexName": "by_day",
            "KeySchema": [
                {"AttributeName": "day", "KeyType": "HASH"},
                {"AttributeName": "listed_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": "link_requests",
            "KeySchema": [
                {"AttributeName": "link_requested_for", "KeyType": "HASH"},
                {"AttributeName": "link_requested_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
    ]
    client.create_table(**events)
    deliveries = _table(DELIVERIES, "endpoint_id", "event_id")
    deliveries["AttributeDefinitions"] = [
        *deliveries["AttributeDefinitions"],
        {"AttributeName": "waiting_endpoint_id", "AttributeType": "S"},
        {"AttributeName": "next_attempt_at", "AttributeType": "N"},
    ]
    deliveries["GlobalSecondaryIndexes"] = [
        {
            "IndexName": "waiting",
            "KeySchema": [
                {"AttributeName": "waiting_endpoint_id", "KeyType": "HASH"},
                {"AttributeName": "next_attempt_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]
    client.create_table(**deliveries)
