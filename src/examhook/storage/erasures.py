"""What is remembered of erased candidates, in the Exams table: keyed hashes, and their key, sealed.

::

    account, sk = erasures          sealed_key: the account's key for hashes, encrypted under the stack's KMS key
    account, sk = erased#{hash}     erased_at

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.detection.erased import Erased

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_VERSION = 1
_KEY = "erasures"
_PREFIX = "erased#"


@dataclass(slots=True)
class Erasures:
    """The erased candidates of one account, as stored."""

    sealed_key: bytes | None = None
    erased_at: dict[str, int] = field(default_factory=dict)

    def take(self, place: str, item: Mapping[str, AttributeValueTypeDef]) -> None:
        """Take in an item, if it is about an erasure."""
        if place.startswith(_PREFIX):
            self.erased_at[place.removeprefix(_PREFIX)] = int(item["erased_at"]["N"])
        elif place == _KEY:
            self.sealed_key = item["sealed_key"]["B"]

    def opened(self, open_key: Callable[[bytes], bytes]) -> Erased:
        """With the key, which is opened only where somebody was erased; raises what ``open_key`` raises."""
        if not self.erased_at or self.sealed_key is None:
            return Erased()
        return Erased(self.erased_at, open_key(self.sealed_key))


class ErasuresTable:
    """Writes erasures; polls read them with all else of the account (``storage.exams``)."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def key_of(self, account: str, make: Callable[[], bytes]) -> bytes:
        """The account's sealed key: the one that is stored, or a new one that ``make`` makes."""
        answer = self._client.get_item(TableName=self._table_name, Key=_key(account, _KEY), ConsistentRead=True)
        if "Item" in answer:
            return answer["Item"]["sealed_key"]["B"]
        written = self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _KEY),
            # Another may have made one meanwhile; hashes under two keys would not be found.
            UpdateExpression="SET v = :v, sealed_key = if_not_exists(sealed_key, :key)",
            ExpressionAttributeValues={":v": {"N": str(SCHEMA_VERSION)}, ":key": {"B": make()}},
            ReturnValues="ALL_NEW",
        )
        return written["Attributes"]["sealed_key"]["B"]

    def mark(self, account: str, candidate_hash: str, at: int) -> None:
        """Remember that a candidate was erased at ``at`` (Unix seconds)."""
        self._client.put_item(
            TableName=self._table_name,
            Item={
                **_key(account, _PREFIX + candidate_hash),
                "v": {"N": str(SCHEMA_VERSION)},
                "erased_at": {"N": str(at)},
            },
        )


def _key(account: str, place: str) -> dict[str, AttributeValueTypeDef]:
    return {"account": {"S": account}, "sk": {"S": place}}
