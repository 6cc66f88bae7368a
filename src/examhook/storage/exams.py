"""The Exams table: the watch on each account and each of its exams, and the lease of the poll that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examhook.detection.watch import AccountWatch, ExamWatch
from examhook.model import Exam
from examhook.storage.account_item import Refusal, refusal_from_item, watch_from_item
from examhook.storage.account_state import AccountState
from examhook.storage.attributes import as_number, read_number
from examhook.storage.conditional import if_it_holds
from examhook.storage.erasures import Erasures
from examhook.storage.exam_item import SCHEMA_VERSION, exam_watch_from_item, item_from_exam_watch
from examhook.storage.lease_item import AsBefore, Awaited, awaited_from_item, giving_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_ACCOUNT = "account"
_LEASE = "lease"
_EXAM_PREFIX = "exam#"


class ExamsTable:
    """Reads and writes of watches."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def read(self, account: str) -> AccountState:
        """All that is remembered of one account."""
        watch: AccountWatch | None = None
        refusal: Refusal | None = None
        left_alone_until: int | None = None
        completed_at: int | None = None
        awaited: Awaited | None = None
        exams: dict[str, ExamWatch] = {}
        erasures = Erasures()
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression="account = :account",
            ExpressionAttributeValues={":account": {"S": account}},
            ConsistentRead=True,
        )
        for item in (item for page in pages for item in page["Items"]):
            place = item["sk"]["S"]
            if place.startswith(_EXAM_PREFIX):
                exam_watch = exam_watch_from_item(item["sk"]["S"].removeprefix(_EXAM_PREFIX), item)
                exams[exam_watch.exam.exam_id] = exam_watch
            elif place == _ACCOUNT:
                watch, refusal = watch_from_item(account, item), refusal_from_item(item)
                left_alone_until = read_number(item, "left_alone_until")
            elif place == _LEASE:
                completed_at = read_number(item, "completed_at")
                awaited = awaited_from_item(item)
            else:
                erasures.take(place, item)
        return AccountState(watch, refusal, exams, completed_at, left_alone_until, erasures, awaited)

    def begin_watch(self, account: str, began_at: int, here_at: int) -> AccountWatch:
        """Begin the watch at ``began_at``, ``here_at`` by our clock, unless it began before; returns what stands."""
        values = {":v": as_number(SCHEMA_VERSION), ":began_at": as_number(began_at), ":here_at": as_number(here_at)}
        answer = self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ACCOUNT),
            UpdateExpression="SET v = :v, began_at = if_not_exists(began_at, :began_at),"
            " began_here_at = if_not_exists(began_here_at, :here_at)",
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        return watch_from_item(account, answer["Attributes"]) or AccountWatch(account, began_at)

    def begin_earlier(self, account: str, began_at: int) -> None:
        """Note that the watch began at ``began_at``, unless another poll has put it earlier still."""
        if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account, _ACCOUNT),
            UpdateExpression="SET began_at = :began_at",
            ConditionExpression="began_at > :began_at",
            ExpressionAttributeValues={":began_at": as_number(began_at)},
        )

    def distrust_takings(self, account: str) -> None:
        """Note that the account's ``attempt_count`` are not to be relied on."""
        self._set_flag(account, "takings_lie")

    def note_whole_list(self, account: str) -> None:
        """Note that the whole list of exams was seen, and every exam on it recorded."""
        self._set_flag(account, "listed_whole")

    def _set_flag(self, account: str, name: str) -> None:
        self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ACCOUNT),
            UpdateExpression="SET #flag = :true",
            ExpressionAttributeNames={"#flag": name},
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )

    def remember_refusal(self, account: str, refusal: Refusal) -> None:
        """Note that the provider refuses the account's code."""
        self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ACCOUNT),
            UpdateExpression="SET v = :v, refused_secret = :secret, refused_since = :since, refused_asked_at = :asked,"
            " refused_plainly = :plainly",
            ExpressionAttributeValues={
                ":v": as_number(SCHEMA_VERSION),
                ":secret": {"S": refusal.secret_version},
                ":since": as_number(refusal.since),
                ":asked": as_number(refusal.last_asked_at),
                ":plainly": {"BOOL": refusal.plain},
            },
        )

    def forget_refusal(self, account: str) -> None:
        """Note that the provider accepts the account's code again."""
        self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ACCOUNT),
            UpdateExpression="REMOVE refused_secret, refused_since, refused_asked_at, refused_plainly",
        )

    def leave_alone(self, account: str, until: int) -> None:
        """Note until when the provider asked not to be asked, Unix seconds."""
        self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ACCOUNT),
            UpdateExpression="SET v = :v, left_alone_until = :until",
            ExpressionAttributeValues={":v": as_number(SCHEMA_VERSION), ":until": as_number(until)},
        )

    def ask_again(self, account: str) -> None:
        """Note that the provider answers again."""
        self._client.update_item(
            TableName=self._table_name, Key=_key(account, _ACCOUNT), UpdateExpression="REMOVE left_alone_until"
        )

    def remember(self, account: str, watch: ExamWatch, fence: int) -> bool:
        """Write what is known of an exam after a pass; False when a newer poll wrote it already."""
        written = if_it_holds(
            self._client.put_item,
            TableName=self._table_name,
            Item={**_key(account, _EXAM_PREFIX + watch.exam.exam_id), **item_from_exam_watch(watch, fence)},
            ConditionExpression="attribute_not_exists(fence) OR fence <= :fence",
            ExpressionAttributeValues={":fence": as_number(fence)},
        )
        return written is not None

    def note_rejection(self, account: str, exam: Exam, at: int, fence: int) -> None:
        """Note that the provider refused an exam's results at ``at``, whatever else is known of it.

        A newer poll that wrote the exam meanwhile knows better, and keeps what it wrote.
        """
        noted = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account, _EXAM_PREFIX + exam.exam_id),
            UpdateExpression="SET fence = :fence, tried_at = :at, rejected_since = if_not_exists(rejected_since, :at)",
            ConditionExpression="fence <= :fence",
            ExpressionAttributeValues={":at": as_number(at), ":fence": as_number(fence)},
        )
        if noted is None:
            self.remember(account, ExamWatch(exam, tried_at=at, rejected_since=at), fence)

    def take_lease(self, account: str, owner: str, *, now_ms: int, expires_at_ms: int) -> int | None:
        """Take the account's lease until ``expires_at_ms`` if nobody holds it.

        Returns its fencing value, higher than the last; None when another poll holds it. ``owner`` may hold it already:
        where the answer was lost on its way, the call that is repeated meets the lease that the first one took.
        Of a lease that was never given back it is noted when it ran out.
        """
        values: dict[str, AttributeValueTypeDef] = {":owner": {"S": owner}, ":until": as_number(expires_at_ms)}
        fence = self._take_lease(account, "", "attribute_not_exists(expires_at_ms)", values)
        if fence is None:
            ran_out = "expires_at_ms <= :now"
            values[":now"] = as_number(now_ms)
            fence = self._take_lease(account, "overrun_ms = expires_at_ms, ", ran_out, values)
        return fence

    def overrun_at(self, account: str) -> float | None:
        """When the last lease that was not given back ran out, Unix seconds: its owner died, or is late."""
        answer = self._client.get_item(TableName=self._table_name, Key=_key(account, _LEASE), ConsistentRead=True)
        overrun = answer.get("Item", {}).get("overrun_ms")
        return None if overrun is None else int(overrun["N"]) / 1000

    def _take_lease(
        self, account: str, noting: str, condition: str, values: Mapping[str, AttributeValueTypeDef]
    ) -> int | None:
        answer = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account, _LEASE),
            UpdateExpression=f"SET {noting}v = :v, lease_owner = :owner, expires_at_ms = :until ADD fence :one",
            ConditionExpression=f"{condition} OR lease_owner = :owner",
            ExpressionAttributeValues={":v": as_number(SCHEMA_VERSION), ":one": as_number(1), **values},
            ReturnValues="ALL_NEW",
        )
        return None if answer is None else int(answer["Attributes"]["fence"]["N"])

    def prolong_lease(self, account: str, owner: str, *, expires_at_ms: int) -> bool:
        """Hold the lease until ``expires_at_ms``; False when ``owner`` holds it no more."""
        return self._update_lease(
            account, owner, "SET expires_at_ms = :expires_at", {":expires_at": as_number(expires_at_ms)}
        )

    def release_lease(
        self,
        account: str,
        owner: str,
        *,
        completed_at: int | None = None,
        awaited: Awaited | AsBefore | None = "as before",
    ) -> None:
        """Give the lease back if ``owner`` still holds it.

        With it is noted when its poll came to its end, if it did, and what is awaited now, None for nothing.
        """
        self._update_lease(account, owner, *giving_back(completed_at, awaited))

    def _update_lease(self, account: str, owner: str, update: str, values: Mapping[str, AttributeValueTypeDef]) -> bool:
        updated = if_it_holds(
            self._client.update_item,
            TableName=self._table_name,
            Key=_key(account, _LEASE),
            UpdateExpression=update,
            ConditionExpression="lease_owner = :owner",
            ExpressionAttributeValues={":owner": {"S": owner}, **values},
        )
        return updated is not None


def _key(account: str, place: str) -> dict[str, AttributeValueTypeDef]:
    return {"account": {"S": account}, "sk": {"S": place}}
