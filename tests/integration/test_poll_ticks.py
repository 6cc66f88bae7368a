"""Polls less than a minute apart, through Poll's handler: the schedule sends messages, and each message polls."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from examhook.handlers import poll as entry
from examhook.settings import PollSettings, SettingsError
from examhook.workflows.polling.accounts import TickError
from tests.support.dispatch.watched_stack import Context, WatchedStack, watched_stack
from tests.support.template.translated_template import StackTemplate

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

TICK = {"trigger": "schedule"}


@dataclass
class Ticks:
    """A watched stack with its tick queue."""

    stack: WatchedStack
    sqs: SQSClient
    url: str
    sent: list[SendMessageBatchRequestEntryTypeDef] = field(default_factory=list)
    """Every message that Poll sent, with its delay."""
    refusing: frozenset[str] = frozenset()
    """Ids of messages that SQS does not take."""

    def every(self, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Deploy with another interval."""
        monkeypatch.setenv("POLL_SECONDS", str(seconds))
        monkeypatch.setenv("TICK_QUEUE_URL", self.url)
        entry._accounts.cache_clear()  # noqa: SLF001 - a fresh process
        watched = entry._accounts()  # noqa: SLF001 - what the handler uses
        if watched.ticks is not None:
            client = watched.ticks._client  # noqa: SLF001 - listens at the edge
            client.meta.events.register("provide-client-params.sqs.SendMessageBatch", self._note)
            client.meta.events.register("after-call.sqs.SendMessageBatch", self._refuse)

    def _note(self, params: dict[str, Any], **_: object) -> None:
        self.sent += params["Entries"]

    def _refuse(self, parsed: dict[str, Any], **_: object) -> None:
        failed = [each for each in parsed.get("Successful", []) if each["Id"] in self.refusing]
        parsed["Failed"] = [{"Id": each["Id"], "Code": "Throttled", "SenderFault": False} for each in failed]

    def requests(self) -> int:
        """Number of requests to the provider."""
        return len(self.stack.simulator.api.requests())


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ticks]:
    with watched_stack(monkeypatch) as stack:
        sqs = boto3.client("sqs")
        ticks = Ticks(stack, sqs, sqs.create_queue(QueueName="TickQueue")["QueueUrl"])
        stack.world.populate(stack.world.create_exam(), 2)
        ticks.every(15, monkeypatch)
        yield ticks


def message(expires_in_s: float) -> dict[str, object]:
    """Poll's input for one message."""
    return {"Records": [{"messageId": "1", "body": json.dumps({"expires_at": time.time() + expires_in_s})}]}


@pytest.mark.parametrize(
    ("seconds", "delays_s"), [(60, []), (30, [30]), (15, [15, 30, 45]), (5, list(range(5, 60, 5)))]
)
def test_a_tick_of_the_schedule_polls_once_and_sends_a_delayed_message_for_each_further_poll(
    seconds: int, delays_s: list[int], ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks.every(seconds, monkeypatch)
    before_s = time.time()
    assert entry.handler(TICK, Context())["requests"] == ticks.requests() > 0
    assert [each["DelaySeconds"] for each in ticks.sent] == delays_s
    for each in ticks.sent:
        due_s = json.loads(each["MessageBody"])["expires_at"] - before_s
        assert each["DelaySeconds"] + seconds == pytest.approx(due_s, abs=10)


def test_a_message_that_the_schedule_sent_polls_and_sends_nothing(ticks: Ticks) -> None:
    entry.handler(TICK, Context())
    sent, asked = list(ticks.sent), ticks.requests()
    report = entry.handler({"Records": [{"messageId": "1", "body": sent[0]["MessageBody"]}]}, Context())
    assert report["requests"] == ticks.requests() - asked > 0
    assert ticks.sent == sent


@pytest.mark.parametrize("event", [message(-0.001), {"trigger": "schedule", "account": "north", "expires_at": 1.0}])
def test_a_tick_that_arrives_when_the_next_is_due_sends_no_request_and_no_metric(
    event: dict[str, object], ticks: Ticks, capsys: pytest.CaptureFixture[str]
) -> None:
    report: Mapping[str, object] = entry.handler(event, Context())
    assert report["requests"] == ticks.requests() == 0
    assert ticks.sent == []
    assert report["complete"] is False
    assert "PollAge" not in capsys.readouterr().out


def test_a_repeated_message_polls_twice_and_invents_nothing(ticks: Ticks) -> None:
    entry.handler(TICK, Context())
    for _ in range(2):
        report: Mapping[str, object] = entry.handler(message(15), Context())
        assert report["changes"] == 0
    assert len(ticks.sent) == 3


def test_a_manual_poll_sends_no_messages(ticks: Ticks) -> None:
    entry.handler({"trigger": "manual"}, Context())
    assert ticks.requests() > 0
    assert ticks.sent == []


def test_messages_that_sqs_rejects_fail_the_tick_after_its_own_poll(ticks: Ticks) -> None:
    ticks.refusing = frozenset({"15", "45"})
    with pytest.raises(TickError, match="SQS rejected 2 of 3 further polls"):
        entry.handler(TICK, Context())
    assert ticks.requests() > 0


def test_a_missing_queue_fails_the_tick_after_its_own_poll(ticks: Ticks) -> None:
    ticks.sqs.delete_queue(QueueUrl=ticks.url)
    with pytest.raises(TickError, match="further polls of this minute could not be scheduled"):
        entry.handler(TICK, Context())
    assert ticks.requests() > 0


def test_an_invalid_tick_is_an_error_and_sends_no_request(ticks: Ticks) -> None:
    with pytest.raises(ValueError, match="not a tick"):
        entry.handler({"Records": [{"messageId": "1", "body": "{}"}]}, Context())
    assert ticks.requests() == 0


def test_an_interval_below_a_minute_needs_a_queue(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    del ticks
    monkeypatch.delenv("TICK_QUEUE_URL")
    with pytest.raises(SettingsError, match="TICK_QUEUE_URL"):
        PollSettings.read(os.environ)


@pytest.mark.parametrize(
    ("parameters", "seconds", "enabled"),
    [
        ({}, 15, True),
        ({"PollSeconds": "60"}, 60, False),
        ({"PollSchedule": "rate(5 minutes)"}, 60, False),
        ({"PollSchedule": "cron(* 6-20 * * ? *)"}, 60, False),
        ({"Polling": "DISABLED"}, 60, False),
    ],
)
def test_the_queue_is_read_exactly_if_messages_are_sent(
    parameters: dict[str, str],
    seconds: int,
    enabled: bool,  # noqa: FBT001
) -> None:
    template = StackTemplate({"AccountCode": "a-code", **parameters})
    (source,) = [
        each
        for each in template.of_type("AWS::Lambda::EventSourceMapping").values()
        if each["EventSourceArn"].endswith(":TickQueue")
    ]
    assert (source["Enabled"], source["BatchSize"]) == (enabled, 1)
    variables = template.of_type("AWS::Lambda::Function")["PollFunction"]["Environment"]["Variables"]
    assert int(variables["POLL_SECONDS"]) == seconds


def test_a_message_expires_when_it_no_longer_counts_and_is_never_repeated() -> None:
    template = StackTemplate({"AccountCode": "a-code"})
    queue = template.of_type("AWS::SQS::Queue")["TickQueue"]
    timeout_s = template.of_type("AWS::Lambda::Function")["PollFunction"]["Timeout"]
    assert 60 < queue["MessageRetentionPeriod"] < queue["VisibilityTimeout"]
    assert queue["VisibilityTimeout"] >= 6 * timeout_s
