"""Many writes in transactions (moto, and DynamoDB's answers as documented)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from moto import mock_aws
from moto.core.models import botocore_stubber

from examhook.storage.table import MAX_BYTES, MAX_ITEMS, MAX_SINGLE_PUTS, VersionedPut, VersionedWrites, batches
from tests.support.storage.tables import SUBMISSIONS, create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MANY = MAX_SINGLE_PUTS + 1
_REPEAT_AT_ONCE = "botocore.endpoint.time.sleep"


def put(number: int, *, read: int | None = None, fence: int = 1, text: str = "") -> VersionedPut:
    version = 1 if read is None else read + 1
    return VersionedPut(
        {
            "pk": {"S": "main#7"},
            "sk": {"S": f"{number:04d}"},
            "version": {"N": str(version)},
            "fence": {"N": str(fence)},
            "text": {"S": text},
        },
        read,
        fence,
    )


def puts(count: int, **how: Any) -> list[VersionedPut]:
    return [put(number, **how) for number in range(count)]


@dataclass
class Table:
    """The table, its received calls, and the answers to return or lose instead."""

    client: DynamoDBClient
    calls: list[tuple[str, int]] = field(default_factory=list)
    """Operation and number of items."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    """Answers that the next calls get instead of being carried out."""
    lost: int = 0
    """Answers of the next calls that are lost, though the calls are carried out."""
    tokens: list[str] = field(default_factory=list)
    """Of each transaction that was sent."""
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writes = VersionedWrites(self.client, SUBMISSIONS, self.slept.append)
        # The types do not know that the answer of a handler replaces the call.
        self.client.meta.events.register("before-call.dynamodb", self._note)  # type: ignore[arg-type]
        self.client.meta.events.register_first("before-send.dynamodb", self._send)

    def _note(self, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        operation = params["headers"]["X-Amz-Target"].split(".")[1]
        self.calls.append((operation, len(json.loads(params["body"]).get("TransactItems", "1"))))
        return (AWSResponse("", 400, HTTPHeaders(), None), self.errors.pop(0)) if self.errors else None

    def _send(self, request: Any, **facts: Any) -> None:
        if token := json.loads(request.body).get("ClientRequestToken"):
            self.tokens.append(token)
        if self.lost:
            self.lost -= 1
            botocore_stubber(request=request, **facts)
            raise ConnectionClosedError(endpoint_url=request.url)

    def stored(self) -> dict[int, str]:
        """The text of each item, by number."""
        pages = self.client.get_paginator("scan").paginate(TableName=SUBMISSIONS)
        return {int(item["sk"]["S"]): item["text"]["S"] for page in pages for item in page["Items"]}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    monkeypatch.setattr(_REPEAT_AT_ONCE, lambda _: None)
    with mock_aws():
        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        client = boto3.client("dynamodb", region_name="eu-central-1", config=config)
        create_tables(client)
        yield Table(client)


def cancelled(count: int, **codes: str) -> dict[str, Any]:
    """A cancelled transaction of a number of items; ``at3="ThrottlingError"`` blames its fourth."""
    reasons = [{"Code": codes.get(f"at{place}", "None")} for place in range(count)]
    return {**failed("TransactionCanceledException"), "CancellationReasons": reasons}


def failed(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "made up"}, "ResponseMetadata": {}}


def test_few_items_are_put_one_by_one_and_many_in_transactions(table: Table) -> None:
    assert table.writes.refused(puts(MAX_SINGLE_PUTS, text="a")) == set()
    assert Counter(table.calls) == {("PutItem", 1): MAX_SINGLE_PUTS}
    table.calls.clear()
    assert table.writes.refused([put(1000 + number) for number in range(2 * MAX_ITEMS + 3)]) == set()
    assert Counter(table.calls) == {("TransactWriteItems", MAX_ITEMS): 2, ("PutItem", 1): 3}
    assert len(table.stored()) == MAX_SINGLE_PUTS + 2 * MAX_ITEMS + 3


def test_nothing_to_write_sends_no_request(table: Table) -> None:
    assert table.writes.refused([]) == set()
    assert table.calls == []


def test_rejected_items_are_left_out_and_the_others_are_written(table: Table) -> None:
    rival = [put(number, fence=2, text="rival") for number in (0, 5, 98, 130)]
    table.writes.refused(rival)
    assert table.writes.refused(puts(150, text="ours")) == {0, 5, 98, 130}
    assert Counter(table.stored().values()) == {"ours": 146, "rival": 4}


def test_a_completely_rejected_transaction_is_not_sent_again(table: Table) -> None:
    table.writes.refused(puts(MANY, fence=2, text="rival"))
    table.calls.clear()
    assert table.writes.refused(puts(MANY, text="ours")) == set(range(MANY))
    assert table.calls == [("TransactWriteItems", MANY)]


@pytest.mark.parametrize(("fence", "wins"), [(4, False), (5, True)])
def test_a_transaction_replaces_only_the_version_that_was_read_and_nothing_of_a_newer_poll(
    table: Table,
    fence: int,
    wins: bool,  # noqa: FBT001
) -> None:
    table.writes.refused(puts(MANY, fence=5, text="first"))
    assert table.writes.refused(puts(MANY, read=1, fence=fence, text="second")) == (set() if wins else set(range(MANY)))
    assert table.writes.refused(puts(MANY, read=4, fence=9, text="third")) == set(range(MANY))
    assert set(table.stored().values()) == {"second" if wins else "first"}


@pytest.mark.parametrize("count", [1, 2, MANY])
def test_two_writes_of_one_item_are_made_in_their_order(table: Table, count: int) -> None:
    first, rival, second = puts(count, text="1"), puts(count, text="not"), puts(count, read=1, text="2")
    assert table.writes.refused([*first, *rival, *second]) == set(range(count, 2 * count))
    assert set(table.stored().values()) == {"2"}


@pytest.mark.parametrize("count", [1, 3, MANY])
@pytest.mark.parametrize("read", [None, 1])
def test_a_write_whose_answer_was_lost_counts_as_written(table: Table, count: int, read: int | None) -> None:
    if read is not None:
        table.writes.refused(puts(count, text="first"))
    table.lost = 1
    assert table.writes.refused(puts(count, read=read, text="ours")) == set()
    assert (table.lost, set(table.stored().values())) == (0, {"ours"})


def test_every_attempt_of_a_transaction_has_the_same_token_and_no_two_transactions_do(
    table: Table,
) -> None:
    table.writes.refused(puts(MAX_ITEMS, fence=2))
    table.lost = 1
    table.writes.refused(puts(MAX_ITEMS, read=1, fence=2))
    assert [table.tokens.count(token) for token in dict.fromkeys(table.tokens)] == [1, 2]


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_temporary_errors_are_retried(table: Table, reason: str) -> None:
    table.errors = [cancelled(MANY, at3=reason), cancelled(MANY, at3=reason, at4="ConditionalCheckFailed")]
    assert table.writes.refused(puts(MANY, text="ours")) == set()
    assert table.slept == [0.1, 0.2]
    assert len(table.stored()) == MANY


def test_a_single_write_waits_for_another_polls_transaction(table: Table) -> None:
    table.errors = [failed("TransactionConflictException")]
    assert table.writes.refused(puts(1)) == set()
    assert (table.slept, len(table.stored())) == ([0.1], 1)


@pytest.mark.parametrize(
    ("count", "answer"),
    [(1, failed("TransactionConflictException")), (MANY, cancelled(MANY, at50="TransactionConflict"))],
)
def test_a_conflict_that_stays_is_an_error(table: Table, count: int, answer: dict[str, Any]) -> None:
    table.errors = [answer] * 5
    with pytest.raises(ClientError):
        table.writes.refused(puts(count))
    assert (table.slept, table.errors, table.stored()) == ([0.1, 0.2, 0.4, 0.8], [], {})


@pytest.mark.parametrize(
    "answer",
    [
        cancelled(MANY, at3="ValidationError", at4="ConditionalCheckFailed"),
        cancelled(MANY, at3="ItemCollectionSizeLimitExceeded", at4="TransactionConflict"),
        cancelled(MANY, at3="AReasonOfNextYear"),
        cancelled(MANY),
        failed("ValidationException"),
        failed("ResourceNotFoundException"),
        failed("AccessDeniedException"),
    ],
    ids=["invalid", "collection too large", "unknown", "no reason", "request invalid", "no table", "no right"],
)
def test_every_other_reason_is_an_error_at_once(table: Table, answer: dict[str, Any]) -> None:
    table.errors = [answer]
    with pytest.raises(ClientError) as raised:
        table.writes.refused(puts(MANY))
    assert raised.value.response["Error"] == answer["Error"]
    assert (len(table.calls), table.slept, table.stored()) == (1, [], {})


def sizes(made: Sequence[VersionedPut]) -> list[int]:
    return [len(batch) for batch in batches(made)]


def test_a_batch_has_at_most_a_hundred_items_4_mb_and_no_item_twice() -> None:
    assert sizes([]) == []
    assert sizes(puts(250)) == [100, 100, 50]
    assert sizes([*puts(3), put(1, read=1), put(3), put(1, read=2)]) == [3, 2, 1]
    large = puts(30, text="ü" * 65_000)
    found = list(batches(large))
    assert [each for batch in found for each in batch] == large
    assert len(found) > 1
    for batch in found:
        written = sum(len(json.dumps(each.item, ensure_ascii=False).encode()) for each in batch)
        assert written <= MAX_BYTES < 4 * 1024 * 1024


def test_an_item_too_large_for_a_transaction_is_sent_alone() -> None:
    assert sizes([put(0), put(1, text="x" * MAX_BYTES), put(2)]) == [1, 1, 1]
