"""Looking through whole tables for what is stored of one candidate: for a person who waits, not for every minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, ScanInputTypeDef

    Item = Mapping[str, AttributeValueTypeDef]


def pages_of(client: DynamoDBClient, request: ScanInputTypeDef) -> Iterator[tuple[list[Item], int]]:
    """The items that a scan lets through, and how many it looked at, page by page. Raises ClientError."""
    request = {**request, "ConsistentRead": True}
    while True:
        answer = client.scan(**request)
        yield list(answer["Items"]), answer["ScannedCount"]
        place = answer.get("LastEvaluatedKey")
        if not place:
            return
        request["ExclusiveStartKey"] = place


def size_of(client: DynamoDBClient, table_name: str) -> int:
    """About how many items a table holds; DynamoDB counts every few hours."""
    return client.describe_table(TableName=table_name)["Table"]["ItemCount"]
