"""The Submissions table: submissions, exam states, and the outbox of their events.

The table's stream carries each write to Dispatch (``submission_outbox``)::

    pk                    sk                                        item
    {account}#{exam_id}   {started_at, 10 digits}#{candidate_id}    one attempt
    #exams#{account}      {exam_id}                                 one exam

Attempts are stored in the order of their starts, so one query reads the attempts that one page of the provider covers.
No account name is empty, so a query for attempts never returns exams.

Methods raise botocore's errors if DynamoDB fails (a retry helps), and UnreadableItemError for an item that another
version wrote (a retry does not help).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from examhook.detection.exam_state import ExamState, RowOrder, ScanCursor
from examhook.model import Attempt, AttemptKey, Exam, ExamTransition, Receipt, Submission, Transition
from examhook.storage.item_codec import (
    DECIMAL,
    FLAG,
    NUMBER,
    TEXT,
    Attribute,
    ItemCodec,
    VersionedItemCodec,
    inline,
    list_of,
    map_of,
    member_of,
    nested,
)
from examhook.storage.table import Table, VersionedPut, VersionedWrites

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from examhook.detection.exam_transition import ExamChange
    from examhook.detection.transition import Change
    from examhook.storage.item_codec import Attributes, Item


def sort_key(key: AttemptKey) -> str:
    """Return the sort key of one attempt, which begins with the start."""
    return f"{key.started_at:010d}#{key.candidate_id}"


def key_of(text: str) -> AttemptKey:
    """Return the attempt that a sort key names. Items of exams store attempts in the same form."""
    started_at, _, candidate_id = text.partition("#")
    return AttemptKey(int(started_at), candidate_id)


_ATTEMPT_KEY = Attribute("S", lambda key: f"{key.started_at}#{key.candidate_id}", key_of)

_SEQUENCES = list_of(NUMBER)
_NO_VALUES: Mapping[str, AttributeValueTypeDef] = MappingProxyType({})

_ATTEMPT_CODEC = ItemCodec(
    Attempt,
    candidate_id=TEXT,
    started_at=NUMBER,
    status_code=NUMBER,
    candidate_name=TEXT.optional(),
    ended_at=NUMBER.optional(),
    score_points=DECIMAL.optional(),
    passed=FLAG.optional(),
    result_url=TEXT.optional(),
    record_id=TEXT.optional(),
)
_TRANSITION_CODEC = ItemCodec(
    Transition,
    event_id=TEXT,
    event_type=TEXT,
    sequence=NUMBER,
    previous_id=TEXT.optional(),
    status_code=NUMBER,
    previous_status_code=NUMBER.optional(),
    occurred_at=NUMBER,
    observed_at=NUMBER,
    score_points=DECIMAL.optional(),
    passed=FLAG.optional(),
    ended_at=NUMBER.optional(),
    recalled_at=NUMBER.sparse(),
)
_SUBMISSION_CODEC = VersionedItemCodec(
    Submission,
    "a submission's item",
    account=TEXT,
    exam_id=TEXT,
    exam_title=TEXT,
    exam_url=TEXT.optional(),
    exam_category=TEXT.optional(),
    attempt=inline(_ATTEMPT_CODEC),
    observed_at=NUMBER,
    transitions=list_of(nested(_TRANSITION_CODEC)),
    type_counts=map_of(NUMBER),
    sequence=NUMBER,
    version=NUMBER,
    fence=NUMBER,
    missing_since=NUMBER.optional(),
    removed=FLAG.sparse(default=False),
)
_EXAM_CODEC = ItemCodec(
    Exam,
    exam_id=TEXT,
    title=TEXT.named("exam_title"),
    available=FLAG.optional(),
    attempt_count=NUMBER.optional(),
    url=TEXT.named("exam_url").optional(),
    category=TEXT.named("exam_category").optional(),
)
_RECEIPT_CODEC = ItemCodec(Receipt, watermark=NUMBER, status_counts=map_of(NUMBER, key=int), digest=TEXT)
_EXAM_TRANSITION_CODEC = ItemCodec(
    ExamTransition,
    event_id=TEXT,
    event_type=TEXT,
    sequence=NUMBER,
    previous_id=TEXT.optional(),
    observed_at=NUMBER,
    available=FLAG.optional(),
    previously_available=FLAG.optional(),
    receipt=nested(_RECEIPT_CODEC).optional(),
)
_CURSOR_CODEC = ItemCodec(ScanCursor, start=NUMBER, last=_ATTEMPT_KEY.optional(), began_at=NUMBER)
_EXAM_STATE_CODEC = VersionedItemCodec(
    ExamState,
    "an exam's item",
    account=TEXT,
    exam=inline(_EXAM_CODEC),
    # Items of versions before 1.0 lack this attribute; their exams predate the watch.
    predates_watch=FLAG.optional(default=True),
    row_order=member_of(RowOrder).optional(RowOrder.UNKNOWN),
    row_count=NUMBER.optional(0),
    running=list_of(_ATTEMPT_KEY).sparse(()),
    running_count=NUMBER.optional(0),
    running_depth=NUMBER.optional(0),
    digest=NUMBER.optional(),
    scanned_at=NUMBER.optional(),
    read_at=NUMBER.optional(0),
    changed_at=NUMBER.optional(0),
    failed_since=NUMBER.optional(),
    skipped=map_of(NUMBER).sparse(MappingProxyType({})),
    cursor=nested(_CURSOR_CODEC).optional(),
    transitions=list_of(nested(_EXAM_TRANSITION_CODEC)),
    sequence=NUMBER,
    version=NUMBER,
    fence=NUMBER,
)
_EXAM_KIND = TEXT.value("exam")


def item_from_submission(submission: Submission) -> Attributes:
    """Return the attributes of a submission, without its keys."""
    item = _SUBMISSION_CODEC.to_item(submission)
    # The redrive's scan selects by it.
    if recalls := [each.recalled_at for each in submission.transitions if each.recalled_at]:
        item["recalled_at"] = NUMBER.value(max(recalls))
    return item


def submission_from_item(item: Item) -> Submission:
    """Return the submission in an item; raises UnreadableItemError."""
    submission = _SUBMISSION_CODEC.from_item(item)
    if "provider_ahead_s" in item:
        # Versions before 1.0 stored the time by the provider's clock, which was this far ahead of ours.
        return replace(submission, observed_at=submission.observed_at - int(item["provider_ahead_s"]["N"]))
    return submission


def is_exam(item: Item) -> bool:
    """Whether an item contains an exam state; all others contain submissions."""
    return item.get("kind") == _EXAM_KIND


def item_from_exam_state(state: ExamState) -> Attributes:
    """Return the attributes of an exam state, without its keys."""
    return {
        "kind": _EXAM_KIND,
        # The redrive's scan selects by it.
        "observed_at": NUMBER.value(state.transitions[-1].observed_at if state.transitions else 0),
        **_EXAM_STATE_CODEC.to_item(state),
    }


def exam_state_from_item(item: Item) -> ExamState:
    """Return the exam state in an item; raises UnreadableItemError."""
    return _EXAM_STATE_CODEC.from_item(item)


def attempts_partition(account: str, exam_id: str) -> str:
    """Return the partition key of one exam's attempts."""
    return f"{account}#{exam_id}"


def exams_partition(account: str) -> str:
    """Return the partition key of one account's exams."""
    return f"#exams#{account}"


def spanning(keys: Iterable[AttemptKey]) -> tuple[AttemptKey, AttemptKey] | None:
    """Return the first and the last of ``keys`` in stored order; None if there are none."""
    ordered = sorted(keys, key=sort_key)
    return (ordered[0], ordered[-1]) if ordered else None


class SubmissionsTable(Table):
    """Reads and conditional writes of submissions."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        super().__init__(client, table_name)
        self._writes = VersionedWrites(client, table_name)

    def between(self, account: str, exam_id: str, first: AttemptKey, last: AttemptKey) -> dict[AttemptKey, Submission]:
        """Return submissions of one exam from ``first`` to ``last``, inclusive; the newest writes may be missing."""
        ends = {":first": TEXT.value(sort_key(first)), ":last": TEXT.value(sort_key(last))}
        return _by_key(self._items(account, exam_id, " AND sk BETWEEN :first AND :last", ends))

    def of_exam(self, account: str, exam_id: str) -> dict[AttemptKey, Submission]:
        """Return all submissions of one exam; the newest writes may be missing."""
        return _by_key(self._items(account, exam_id))

    def beyond(self, account: str, exam_id: str, seen: Container[AttemptKey]) -> dict[AttemptKey, Submission]:
        """Return submissions of one exam that are not among ``seen``; the newest writes may be missing.

        Reads the whole exam, but keeps only the result in memory.
        """
        return _by_key(item for item in self._items(account, exam_id) if key_of(item["sk"]["S"]) not in seen)

    def page_after(
        self, account: str, exam_id: str, after: AttemptKey | None, limit: int
    ) -> tuple[list[Submission], AttemptKey | None]:
        """Return up to ``limit`` submissions of one exam after ``after``, in stored order, as last written.

        Also returns the key after which the next page begins; None for the last page.
        """
        condition, values = "pk = :pk", {":pk": TEXT.value(attempts_partition(account, exam_id))}
        if after is not None:
            condition, values = f"{condition} AND sk > :after", {**values, ":after": TEXT.value(sort_key(after))}
        answer = self._client.query(
            TableName=self._table_name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            Limit=limit,
        )
        last = answer.get("LastEvaluatedKey")
        return [submission_from_item(item) for item in answer["Items"]], key_of(last["sk"]["S"]) if last else None

    def holds_any(self, account: str, exam_id: str) -> bool:
        """Whether any submission of an exam is stored."""
        answer = self._client.query(
            TableName=self._table_name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": TEXT.value(attempts_partition(account, exam_id))},
            ProjectionExpression="pk",
            Limit=1,
            ConsistentRead=True,
        )
        return bool(answer["Items"])

    def _items(
        self,
        account: str,
        exam_id: str,
        range_condition: str = "",
        ends: Mapping[str, AttributeValueTypeDef] = _NO_VALUES,
    ) -> Iterator[Item]:
        # Eventually consistent, which costs half. A write names the version that it replaces, so DynamoDB rejects a
        # write that was computed from an old version, and the next poll finds the change again.
        values = {":pk": TEXT.value(attempts_partition(account, exam_id)), **ends}
        return self._query_items(f"pk = :pk{range_condition}", values)

    def write(self, changes: Sequence[Change]) -> list[Change]:
        """Write each change whose submission is unchanged since it was read; return the others.

        Another poll wrote the others first, and its observation stays. After a ClientError, some changes may be
        missing; the next scan finds them again.
        """
        refused = self._writes.refused([_put_of_submission(change) for change in changes])
        return [changes[position] for position in sorted(refused)]


class ExamStates(Table):
    """Reads and conditional writes of exam states."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        super().__init__(client, table_name)
        self._writes = VersionedWrites(client, table_name)

    def of_account(self, account: str) -> dict[str, ExamState]:
        """Return every exam state of one account by exam id."""
        items = self._query_items("pk = :pk", {":pk": TEXT.value(exams_partition(account))}, consistent=True)
        return {state.exam_id: state for state in map(exam_state_from_item, items)}

    def write(self, changes: Sequence[ExamChange]) -> list[ExamChange]:
        """Write each change whose state is unchanged since it was read; return the others.

        Another poll wrote the others first, and its observation stays. After a ClientError, some changes may be
        missing; the next poll finds them again.
        """
        refused = self._writes.refused([_put_of_exam(change) for change in changes])
        return [changes[position] for position in sorted(refused)]


def _by_key(items: Iterable[Item]) -> dict[AttemptKey, Submission]:
    return {submission.key: submission for submission in map(submission_from_item, items)}


def _put_of_submission(change: Change) -> VersionedPut:
    after = change.after
    item: Attributes = {
        "pk": TEXT.value(attempts_partition(after.account, after.exam_id)),
        "sk": TEXT.value(sort_key(after.key)),
        "announce": FLAG.value(change.announces),
        **item_from_submission(after),
    }
    if change.again:
        item["again"] = _SEQUENCES.value(change.again)
    return VersionedPut(item, None if change.before is None else change.before.version, after.fence)


def _put_of_exam(change: ExamChange) -> VersionedPut:
    after = change.after
    item = {
        "pk": TEXT.value(exams_partition(after.account)),
        "sk": TEXT.value(after.exam_id),
        "announce": FLAG.value(change.announces),
        **item_from_exam_state(after),
    }
    return VersionedPut(item, None if change.before is None else change.before.version, after.fence)
