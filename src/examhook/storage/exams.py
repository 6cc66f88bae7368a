"""The Exams table: one record per account, the lease of its running poll, and its erased candidates.

The state of each exam is in the Submissions table, which is the outbox of the exam's events (``submissions``)::

    account     sk               item
    {account}   account          what one poll leaves for the next
    {account}   lease            who polls until when, and the fencing value
    {account}   erasures         sealed_key: key of the hashes below, encrypted under the stack's KMS key
    {account}   erased#{hash}    one erased candidate by keyed hash, and when
    {account}   exam#{exam_id}   one exam, written by versions before 1.0

Methods raise botocore's ClientError when DynamoDB refuses or cannot be reached; trying again helps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examhook.detection.erased import Erased
from examhook.detection.exam_state import ExamState, RowOrder
from examhook.model import Exam
from examhook.storage.item_codec import BINARY, FLAG, NUMBER, TEXT, VERSION, ItemCodec, inline
from examhook.storage.submissions import key_of
from examhook.storage.table import Table

if TYPE_CHECKING:
    from examhook.storage.item_codec import Attributes, Item

_ACCOUNT = "account"
_LEASE = "lease"
_ERASURES = "erasures"
_ERASED_PREFIX = "erased#"
_EXAM_PREFIX = "exam#"


@dataclass(frozen=True, slots=True)
class CodeRejection:
    """The provider rejected an account code. More requests are useless until the secret changes or a backoff ends."""

    secret_version: str
    """Version id of the secret that was rejected."""
    since: int
    last_asked_at: int
    plain: bool = True
    """Whether the provider named the code as the reason; otherwise another failure may be the cause, which passes."""


@dataclass(frozen=True, slots=True)
class AwaitedEvent:
    """An event that a poll announced and that Dispatch has not yet been seen to send."""

    event_id: str
    observed_at: int
    """When the poll observed it, Unix seconds."""
    since: int
    """When that poll ended, Unix seconds."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """What one poll of the account leaves for the next. Instants are Unix seconds by our clock."""

    watch_started_at: int | None = None
    """When Examhook began to watch the account; None before the first poll."""
    listed_complete: bool = False
    """Whether the complete list of exams was read once, and every exam on it recorded."""
    listed_count: int | None = None
    """Exams on the last complete list."""
    list_proven_at: int | None = None
    """When the end of the list was last proven."""
    rows_ahead_s: int | None = None
    """Seconds by which rows were ahead of our clock; None where none was."""
    refusal: CodeRejection | None = None
    """The current rejection of the account code; None where the provider accepts the code."""
    failing_since: int | None = None
    """Since when the provider gave no usable answers; None where it does."""
    left_alone_until: int | None = None
    """Until when scheduled polls make no requests."""
    completed_at: int | None = None
    """When the last poll ended that read the list of exams."""
    awaited: AwaitedEvent | None = None


@dataclass(slots=True)
class ErasureMarks:
    """The erased candidates of one account, as stored."""

    sealed_key: bytes | None = None
    erased_at: dict[str, int] = field(default_factory=dict)
    """Unix seconds by keyed hash."""

    def opened(self, open_key: Callable[[bytes], bytes]) -> Erased:
        """The marks with their key, which is only decrypted if there are any; raises what ``open_key`` raises."""
        if not self.erased_at or self.sealed_key is None:
            return Erased()
        return Erased(self.erased_at, open_key(self.sealed_key))


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account's record, its erased candidates, and the exams that an older version stored in this table."""

    record: AccountRecord = AccountRecord()
    erasures: ErasureMarks = field(default_factory=ErasureMarks)
    legacy_exams: Mapping[str, ExamState] = field(default_factory=dict)


_REJECTION_CODEC = ItemCodec(
    CodeRejection,
    secret_version=TEXT.named("refused_secret"),
    since=NUMBER.named("refused_since"),
    last_asked_at=NUMBER.named("refused_asked_at"),
    plain=FLAG.named("refused_plainly").optional(default=True),
)
_AWAITED_CODEC = ItemCodec(
    AwaitedEvent,
    event_id=TEXT.named("awaited"),
    observed_at=NUMBER.named("awaited_at"),
    since=NUMBER.named("awaited_since"),
)
_RECORD_CODEC = ItemCodec(
    AccountRecord,
    watch_started_at=NUMBER.optional(),
    listed_complete=FLAG.named("listed_whole").optional(default=False),
    listed_count=NUMBER.optional(),
    list_proven_at=NUMBER.optional(),
    rows_ahead_s=NUMBER.optional(),
    refusal=inline(_REJECTION_CODEC, where="refused_secret"),
    failing_since=NUMBER.optional(),
    left_alone_until=NUMBER.optional(),
    completed_at=NUMBER.optional(),
    awaited=inline(_AWAITED_CODEC, where="awaited"),
)
_KEPT_WITH_LEASE = ("completed_at", "awaited", "awaited_at", "awaited_since")
"""Attributes of the record that versions before 1.0 stored in the ``lease`` item."""


class ExamsTable(Table):
    """Reads and conditional writes of accounts and their leases."""

    def read(self, account: str) -> AccountState:
        """All that the table holds of one account."""
        found = self._query_items("account = :account", {":account": TEXT.value(account)}, consistent=True)
        items = {item["sk"]["S"]: item for item in found}
        return AccountState(
            _record(items.get(_ACCOUNT, {}), items.get(_LEASE, {})),
            ErasureMarks(
                items[_ERASURES]["sealed_key"]["B"] if _ERASURES in items else None,
                {hash_: int(item["erased_at"]["N"]) for hash_, item in _with_prefix(items, _ERASED_PREFIX)},
            ),
            {exam_id: _legacy_state(account, exam_id, item) for exam_id, item in _with_prefix(items, _EXAM_PREFIX)},
        )

    def write(self, account: str, record: AccountRecord, fence: int) -> bool:
        """Replace the account's record; False when a newer poll wrote it already."""
        return self._put_item(
            {**_key(account, _ACCOUNT), "v": VERSION, "fence": NUMBER.value(fence), **_RECORD_CODEC.to_item(record)},
            "attribute_not_exists(fence) OR fence <= :fence",
            {":fence": NUMBER.value(fence)},
        )

    def delete_legacy(self, account: str, exam_ids: Iterable[str]) -> None:
        """Delete the exams that an older version stored here, after their states were written elsewhere."""
        for exam_id in exam_ids:
            self._client.delete_item(TableName=self._table_name, Key=_key(account, _EXAM_PREFIX + exam_id))

    def take_lease(self, account: str, owner: str, *, now_ms: int, expires_at_ms: int) -> int | None:
        """Take the account's lease until ``expires_at_ms``, unless another owner holds it.

        Returns its fencing value, higher than the last; None when another poll holds it. ``owner`` may hold it already:
        a call that is repeated because its answer was lost finds the lease that the first one took.
        The item also records when a lease expired that was never released.
        """
        values = {":owner": TEXT.value(owner), ":until": NUMBER.value(expires_at_ms)}
        fence = self._take_lease(account, "", "attribute_not_exists(expires_at_ms)", values)
        if fence is None:
            values[":now"] = NUMBER.value(now_ms)
            fence = self._take_lease(account, "overrun_ms = expires_at_ms, ", "expires_at_ms <= :now", values)
        return fence

    def _take_lease(self, account: str, also_set: str, condition: str, values: Attributes) -> int | None:
        lease = self._update_item(
            _key(account, _LEASE),
            f"SET {also_set}v = :v, lease_owner = :owner, expires_at_ms = :until ADD fence :one",
            f"{condition} OR lease_owner = :owner",
            {":v": VERSION, ":one": NUMBER.value(1), **values},
            returned="ALL_NEW",
        )
        return None if lease is None else int(lease["fence"]["N"])

    def overrun_at(self, account: str) -> float | None:
        """When the last lease expired that was not released, Unix seconds: its owner died, or is late."""
        lease = self._get_item(_key(account, _LEASE)) or {}
        return int(lease["overrun_ms"]["N"]) / 1000 if "overrun_ms" in lease else None

    def prolong_lease(self, account: str, owner: str, *, expires_at_ms: int) -> bool:
        """Extend the lease until ``expires_at_ms``; False when ``owner`` no longer holds it."""
        values = {":expires_at": NUMBER.value(expires_at_ms)}
        return self._update_lease(account, owner, "SET expires_at_ms = :expires_at", values)

    def release_lease(self, account: str, owner: str) -> None:
        """Release the lease if ``owner`` still holds it."""
        self._update_lease(account, owner, "REMOVE expires_at_ms", {})

    def _update_lease(self, account: str, owner: str, update: str, values: Attributes) -> bool:
        values = {":owner": TEXT.value(owner), **values}
        return self._update_item(_key(account, _LEASE), update, "lease_owner = :owner", values) is not None


class ErasuresTable(Table):
    """Writes the marks of erased candidates; polls read them with the account (``ExamsTable.read``)."""

    def key_of(self, account: str, make: Callable[[], bytes]) -> bytes:
        """The account's sealed key: the stored one, or a new one from ``make``."""
        item = self._get_item(_key(account, _ERASURES))
        if item is not None:
            return item["sealed_key"]["B"]
        written = self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ERASURES),
            # Another process may have stored a key meanwhile. With two keys, hashes would not match.
            UpdateExpression="SET v = :v, sealed_key = if_not_exists(sealed_key, :key)",
            ExpressionAttributeValues={":v": VERSION, ":key": BINARY.value(make())},
            ReturnValues="ALL_NEW",
        )
        return written["Attributes"]["sealed_key"]["B"]

    def mark(self, account: str, candidate_hash: str, at: int) -> None:
        """Record that a candidate was erased at ``at`` (Unix seconds)."""
        self._client.put_item(
            TableName=self._table_name,
            Item={**_key(account, _ERASED_PREFIX + candidate_hash), "v": VERSION, "erased_at": NUMBER.value(at)},
        )


def _with_prefix(items: Mapping[str, Item], prefix: str) -> list[tuple[str, Item]]:
    return [(sk.removeprefix(prefix), item) for sk, item in items.items() if sk.startswith(prefix)]


def _record(item: Item, lease: Item) -> AccountRecord:
    """The record in an account's item, or in the items of a version before 1.0."""
    if "watch_started_at" in item:
        return _RECORD_CODEC.from_item(item)
    began_at = item.get("began_here_at") or item.get("began_at")
    return _RECORD_CODEC.from_item(
        {
            **{name: lease[name] for name in _KEPT_WITH_LEASE if name in lease},
            **item,
            **({} if began_at is None else {"watch_started_at": began_at}),
        }
    )


def _legacy_state(account: str, exam_id: str, item: Item) -> ExamState:
    """The state in an exam's item of a version before 1.0; raises KeyError, ValueError.

    A full scan that was in progress begins again.
    """

    def number(name: str) -> int | None:
        return int(item[name]["N"]) if name in item else None

    return ExamState(
        account=account,
        exam=Exam(
            exam_id=exam_id,
            title=item["title"]["S"],
            available=item["available"]["BOOL"],
            attempt_count=number("takings"),
            url=item["url"]["S"] if "url" in item else None,
            category=item["category"]["S"] if "category" in item else None,
        ),
        predates_watch=True,
        row_order=RowOrder(item["row_order"]["S"]) if "row_order" in item else RowOrder.UNKNOWN,
        row_count=number("rows") or 0,
        running=tuple(key_of(each["S"]) for each in item["open_attempts"]["L"]) if "open_attempts" in item else (),
        running_count=number("open_count") or 0,
        running_depth=number("open_depth") or 0,
        digest=number("digest"),
        scanned_at=number("passed_at") or None,
        read_at=number("tried_at") or 0,
        changed_at=number("changed_at") or 0,
        failed_since=number("rejected_since"),
    )


def _key(account: str, sort_key: str) -> Attributes:
    return {"account": TEXT.value(account), "sk": TEXT.value(sort_key)}
