"""The Exams table: one record per account, the lease of its running poll, and its erased candidates.

Exam states are in the Submissions table, which is also the outbox of their events (``submissions``)::

    account     sk               item
    {account}   account          the record that one poll writes for the next
    {account}   lease            owner and expiry of the lease, and the fencing token
    {account}   erasures         sealed_key: key of the hashes below, encrypted with the stack's KMS key
    {account}   erased#{hash}    keyed hash of an erased candidate, and the time of the erasure
    {account}   exam#{exam_id}   one exam, written by versions before 1.0

Methods raise botocore's errors if DynamoDB fails; a retry helps.
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
    """The provider rejected an account code. Requests are useless until the secret changes or a pause ends."""

    secret_version: str
    """Version id of the secret with the rejected code."""
    since: int
    last_asked_at: int
    plain: bool = True
    """Whether the provider named the code as the reason. Otherwise the cause may be a temporary failure."""


@dataclass(frozen=True, slots=True)
class AwaitedEvent:
    """An event that a poll announced, until a poll finds that Dispatch has sent it."""

    event_id: str
    observed_at: int
    """Time at which the poll observed the change, Unix seconds."""
    since: int
    """End of that poll, Unix seconds."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """The record that one poll of the account writes for the next. Instants are Unix seconds by our clock."""

    watch_started_at: int | None = None
    """Watch start: when Examhook began to watch the account; None before the first poll."""
    listed_complete: bool = False
    """Whether the exam list was once read completely and every exam on it recorded."""
    listed_count: int | None = None
    """Number of exams on the last complete exam list."""
    list_proven_at: int | None = None
    """When the end of the exam list was last proven."""
    rows_ahead_s: int | None = None
    """Seconds by which the clock of the rows is ahead of ours; None if unknown."""
    refusal: CodeRejection | None = None
    """The current code rejection; None if the provider accepts the code."""
    failing_since: int | None = None
    """When the provider stopped giving usable answers; None if it gives them."""
    left_alone_until: int | None = None
    """Time until which scheduled polls send no requests."""
    completed_at: int | None = None
    """End of the last poll that read the exam list."""
    awaited: AwaitedEvent | None = None


@dataclass(slots=True)
class ErasureMarks:
    """The erased candidates of one account, as stored."""

    sealed_key: bytes | None = None
    erased_at: dict[str, int] = field(default_factory=dict)
    """Unix seconds by keyed hash."""

    def opened(self, open_key: Callable[[bytes], bytes]) -> Erased:
        """Return the marks with their key, decrypted only if there are marks; raises the errors of ``open_key``."""
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
        """Return all items of one account."""
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
        """Replace the account's record; return False if a newer poll has written it."""
        return self._put_item(
            {**_key(account, _ACCOUNT), "v": VERSION, "fence": NUMBER.value(fence), **_RECORD_CODEC.to_item(record)},
            "attribute_not_exists(fence) OR fence <= :fence",
            {":fence": NUMBER.value(fence)},
        )

    def delete_legacy(self, account: str, exam_ids: Iterable[str]) -> None:
        """Delete the exams that an older version stored here; call it after their states are moved."""
        for exam_id in exam_ids:
            self._client.delete_item(TableName=self._table_name, Key=_key(account, _EXAM_PREFIX + exam_id))

    def take_lease(self, account: str, owner: str, *, now_ms: int, expires_at_ms: int) -> int | None:
        """Take the account's lease until ``expires_at_ms``, unless another owner holds it.

        Returns a fencing token greater than the last one; None if another poll holds the lease. A repeated call of the
        same ``owner`` succeeds, because the response to the first call may have been lost. If the previous lease was
        never released, the item records when it expired.
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
        """Return when the last unreleased lease expired (Unix seconds). Its owner died, or outlived the lease."""
        lease = self._get_item(_key(account, _LEASE)) or {}
        return int(lease["overrun_ms"]["N"]) / 1000 if "overrun_ms" in lease else None

    def prolong_lease(self, account: str, owner: str, *, expires_at_ms: int) -> bool:
        """Extend the lease until ``expires_at_ms``; return False if ``owner`` no longer holds it."""
        values = {":expires_at": NUMBER.value(expires_at_ms)}
        return self._update_lease(account, owner, "SET expires_at_ms = :expires_at", values)

    def release_lease(self, account: str, owner: str) -> None:
        """Release the lease if ``owner`` still holds it."""
        self._update_lease(account, owner, "REMOVE expires_at_ms", {})

    def _update_lease(self, account: str, owner: str, update: str, values: Attributes) -> bool:
        values = {":owner": TEXT.value(owner), **values}
        return self._update_item(_key(account, _LEASE), update, "lease_owner = :owner", values) is not None


class ErasuresTable(Table):
    """Writes the marks of erased candidates; polls read the marks with ``ExamsTable.read``."""

    def key_of(self, account: str, make: Callable[[], bytes]) -> bytes:
        """Return the account's encrypted key: the stored one, or a new one from ``make``."""
        item = self._get_item(_key(account, _ERASURES))
        if item is not None:
            return item["sealed_key"]["B"]
        written = self._client.update_item(
            TableName=self._table_name,
            Key=_key(account, _ERASURES),
            # Another process may have stored a key meanwhile. Hashes of two keys would not match.
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
    """Return the record in an account's item, or in the items of a version before 1.0."""
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
    """Return the state in an exam's item of a version before 1.0; raises KeyError, ValueError.

    An interrupted full scan begins again.
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
