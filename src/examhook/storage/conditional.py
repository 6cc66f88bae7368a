"""Conditional writes: a condition that does not hold is an answer, not an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_PARALLEL_WRITES = 8

P = ParamSpec("P")
T = TypeVar("T")


def if_it_holds(write: Callable[P, T], /, *args: P.args, **asked: P.kwargs) -> T | None:
    """DynamoDB's answer to ``write``; None, and nothing written, where its condition does not hold.

    Raises botocore's ClientError when DynamoDB refuses for another reason or cannot be reached.
    """
    try:
        return write(*args, **asked)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return None
        raise


def put_version(
    client: DynamoDBClient,
    table_name: str,
    item: Mapping[str, AttributeValueTypeDef],
    read_version: int | None,
    fence: int,
) -> bool:
    """Write an item if it is still of the version that was read (None: not there), by a poll no older than its writer.

    False where another poll was faster, whose observation stands. Raises as ``if_it_holds`` does.
    """
    if read_version is None:
        written = if_it_holds(
            client.put_item, TableName=table_name, Item=item, ConditionExpression="attribute_not_exists(pk)"
        )
    else:
        written = if_it_holds(
            client.put_item,
            TableName=table_name,
            Item=item,
            ConditionExpression="version = :read AND fence <= :fence",
            ExpressionAttributeValues={":read": {"N": str(read_version)}, ":fence": {"N": str(fence)}},
        )
    return written is not None


def not_written(changes: Sequence[T], write: Callable[[T], bool]) -> list[T]:
    """Write all of ``changes``, side by side; those that were not written because their condition did not hold.

    Raises what ``write`` raises; the rest of them may then be written or not.
    """
    if len(changes) <= 1:
        return [change for change in changes if not write(change)]
    with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
        written = list(pool.map(write, changes))
    return [change for change, was_written in zip(changes, written, strict=True) if not was_written]
