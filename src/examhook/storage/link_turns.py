"""Whose turn it is to ask an account's provider for a result link: one at a time, and none while it is down.

An item of the Exams table (sort key ``links``) says until when the turn is taken. It is taken for as long
as a request can take at most, and given back from a second after the request has ended, so that no two
arrive within one second whatever process sends them. After a failure the provider is left alone for a
time that doubles with each failure in a row.

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from examhook.storage.attributes import read_number
from examhook.storage.conditional import if_it_holds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SORT_KEY = "links"
SCHEMA_VERSION = 1
SPACING_MS = 1050
"""From the end of a request to the start of the next: a second, and what two machines' clocks may differ by."""
REFUSED_LOOK_MS = 60_000
"""While the provider refuses the account code, nobody looks again before this."""
LONGEST_QUIET_MS = 600_000
"""While it asked polls for a pause, however long, nobody looks again before its end, or this."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to ask one account's provider now."""

    account: str
    owner: str
    failures: int
    """How many of the last requests failed in a row."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody else's turn."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """The provider is left alone."""

    until_ms: int
    """Unix milliseconds."""


class LinkTurns:
    """Takes and gives back turns. Instants are Unix milliseconds."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def take(self, account: str, now_ms: int, until_ms: int) -> Turn | Taken | Quiet:
        """Take the turn, at most until ``until_ms``; or why not."""
        kept = self._client.get_item(TableName=self._table_name, Key=_key(account, "account")).get("Item", {})
        if "refused_since" in kept:
            # Polls alone find out when the code is right again.
            return Quiet(now_ms + REFUSED_LOOK_MS)
        left_alone_until_ms = 1000 * (read_number(kept, "left_alone_until") or 0)
        if left_alone_until_ms > now_ms:
            return Quiet(min(left_alone_until_ms, now_ms + LONGEST_QUIET_MS))
        item = self._client.get_item(TableName=self._table_name, Key=_key(account), ConsistentRead=True).get("Item", {})
        quiet_until_ms = read_number(item, "quiet_until_ms") or 0
        if quiet_until_ms > now_ms:
            return Quiet(quiet_until_ms)
        if (read_number(item, "taken_until_ms") or 0) > now_ms:
            return Taken()
        owner = uuid4().hex
        taken = self._update(
            account,
            "SET v = :v, turn_owner = :owner, taken_until_ms = :until",
            # What was read may have changed since.
            "(attribute_not_exists(taken_until_ms) OR taken_until_ms <= :now)"
            " AND (attribute_not_exists(quiet_until_ms) OR quiet_until_ms <= :now)",
            {
                ":v": {"N": str(SCHEMA_VERSION)},
                ":owner": {"S": owner},
                ":until": {"N": str(until_ms)},
                ":now": {"N": str(now_ms)},
            },
        )
        return Turn(account, owner, read_number(item, "failures") or 0) if taken else Taken()

    def give_back(self, turn: Turn, now_ms: int, *, quiet_for_s: float | None) -> None:
        """End the turn; ``quiet_for_s``: the request failed, and nobody asks for so long. None: it did not fail.

        A turn that was taken over meanwhile is not touched.
        """
        failures = 0 if quiet_for_s is None else turn.failures + 1
        self._update(
            turn.account,
            "SET taken_until_ms = :until, failures = :failures, quiet_until_ms = :quiet",
            "turn_owner = :owner",
            {
                ":owner": {"S": turn.owner},
                ":until": {"N": str(now_ms + SPACING_MS)},
                ":failures": {"N": str(failures)},
                ":quiet": {"N": str(0 if quiet_for_s is None else now_ms + round(quiet_for_s * 1000))},
            },
        )

    def _update(self, account: str, update: str, condition: str, values: dict[str, AttributeValueTypeDef]) -> bool:
        answer = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        return answer is not None


def _key(account: str, place: str = SORT_KEY) -> dict[str, AttributeValueTypeDef]:
    return {"account": {"S": account}, "sk": {"S": place}}
