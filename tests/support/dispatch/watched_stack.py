"""Poll and Dispatch through their handlers, with a simulated provider and moto."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from examhook.handlers import backfill as backfill_entry
from examhook.handlers import poll as poll_entry
from examhook_simulator.server import Simulator, running_simulator
from examhook_simulator.world import World
from tests.support.dispatch.dispatch_stack import Stack, deployed
from tests.support.dispatch.dispatch_stack import invoke as dispatch
from tests.support.storage.tables import DELIVERIES, ENDPOINTS, EVENTS, EXAMS, SUBMISSIONS, create_tables

if TYPE_CHECKING:
    import pytest
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = (SUBMISSIONS, EXAMS, ENDPOINTS, EVENTS, DELIVERIES)
_STREAM_BATCH = 50


@dataclass
class Context:
    """Lambda's context for a function; ``remaining_s`` decreases by ``per_look_s`` at each read."""

    remaining_s: float = 300.0
    per_look_s: float = 0.0
    function_name: str = "poll"

    def get_remaining_time_in_millis(self) -> int:
        self.remaining_s -= self.per_look_s
        return int(self.remaining_s * 1000)


@dataclass
class WatchedStack:
    """A stack that watches a simulated account."""

    stack: Stack
    simulator: Simulator
    dynamodb: DynamoDBClient
    _read: dict[str, str] = field(default_factory=dict)
    """Shard to the last sequence number that was read."""

    @property
    def world(self) -> World:
        return self.simulator.world

    def poll(self, **wish: object) -> dict[str, Any]:
        """Run one manual poll, and Dispatch on its changes."""
        report = self.poll_alone(**wish)
        self.dispatch()
        return report

    def poll_alone(self, **wish: object) -> dict[str, Any]:
        """Run one manual poll without Dispatch."""
        return dict(poll_entry.handler({"trigger": "manual", **wish}, Context()))

    def go(self, since: int, context: Context | None = None, **wish: object) -> dict[str, Any]:
        """Run one invocation of a backfill without Dispatch."""
        return dict(poll_entry.handler({"backfill": {"since": since, **wish}}, context or Context()))

    def backfill(self, since: int, context: Any = Context, **wish: object) -> list[dict[str, Any]]:
        """Run all invocations of a backfill, each with a new context, and Dispatch on the changes."""
        goes: list[dict[str, Any]] = []
        while not goes or not goes[-1]["done"]:
            assert len(goes) < 100, goes[-3:]
            goes.append(self.go(since, context(), **{**wish, "place": goes[-1]["place"] if goes else None}))
            self.dispatch()
        return goes

    def dispatch(self) -> int:
        """Pass the stream's records to Dispatch as its event source would; return their number."""
        records = [each for each in self._stream() if _wakes(each)]
        for start in range(0, len(records), _STREAM_BATCH):
            answer = dispatch({"Records": records[start : start + _STREAM_BATCH]})
            assert answer == {"batchItemFailures": []}
        return len(records)

    def published(self) -> list[dict[str, Any]]:
        """Events that subscribers received since the last call."""
        return self.stack.received(self.stack.everything_url)

    def lose_everything(self) -> None:
        """Delete all tables and deploy the stack again."""
        for name in TABLES:
            self.dynamodb.delete_table(TableName=name)
        create_tables(self.dynamodb)
        self._read.clear()

    def lose(self, table: str) -> None:
        """Delete everything in one table."""
        keys = [key["AttributeName"] for key in self.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
        for item in self.dynamodb.scan(TableName=table)["Items"]:
            self.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in keys})

    def _stream(self) -> list[Any]:
        arn = self.dynamodb.describe_table(TableName=SUBMISSIONS)["Table"]["LatestStreamArn"]
        # moto knows the address that is the same for every account only.
        client = boto3.client("dynamodbstreams", config=Config(account_id_endpoint_mode="disabled"))
        found: list[Any] = []
        for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            place = self._read.get(shard["ShardId"])
            where: Any = {"ShardIteratorType": "TRIM_HORIZON"}
            if place is not None:
                where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": place}
            iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **where)["ShardIterator"]
            read = client.get_records(ShardIterator=iterator)["Records"]
            if read:
                self._read[shard["ShardId"]] = read[-1]["dynamodb"]["SequenceNumber"]
            found += read
        records: list[Any] = json.loads(json.dumps(found, default=str))
        return records


def _wakes(record: Any) -> bool:
    """The filter of the event source (template.yaml)."""
    image = record["dynamodb"].get("NewImage", {})
    return record["eventName"] in {"INSERT", "MODIFY"} and image.get("announce") == {"BOOL": True}


@contextmanager
def watched_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedStack]:
    """A deployed stack that has not polled yet."""
    with deployed(monkeypatch) as stack, running_simulator(World(seed=5), requests_per_second=None) as simulator:
        secrets = boto3.client("secretsmanager")
        environment = {
            "ACCOUNT_NAME": "main",
            "PROVIDER_BASE_URL": simulator.base_url,
            "PROVIDER_DIALECT": "legacy",
            "ACCOUNT_CODE_SECRET_ARN": secrets.create_secret(Name="code", SecretString=simulator.code)["ARN"],
            "REQUESTS_PER_SECOND": "10",
            "POLL_SECONDS": "60",
            "INITIAL_SYNC": "silent",
            "FULL_PASS_MINUTES": "60",
            "EXAMS_TABLE": EXAMS,
            "OPERATIONS_TOPIC_ARN": stack.topic_arn,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        _forget()
        # Small pages and no pace: both are proved elsewhere, and would only take time here.
        for module in ("detection.reader", "workflows.polling.full_scan", "workflows.polling.settlement"):
            monkeypatch.setattr(f"examhook.{module}.limits_at", lambda _now: (10, 9, 8, 7, 6))
        monkeypatch.setattr("examhook.provider.pacing.Pacer.wait", lambda _pacer: None)
        # Our clock and the provider's agree, also when a test advances the world.
        ours = SimpleNamespace(time=lambda: float(simulator.world.now()), monotonic=time.monotonic, sleep=time.sleep)
        monkeypatch.setattr("examhook.wiring.poll.time", ours)
        yield WatchedStack(stack, simulator, stack.dynamodb)
        _forget()


def _forget() -> None:
    poll_entry._accounts.cache_clear()  # noqa: SLF001 - each test is a process of its own
    backfill_entry._dispatched.cache_clear()  # noqa: SLF001
