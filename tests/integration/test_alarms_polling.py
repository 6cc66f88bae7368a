"""Each alarm on Poll fires when the code causes its condition, and only then."""

from __future__ import annotations

import json
import time

import pytest

from examhook.handlers import poll as poll_entry
from examhook.provider.errors import ProviderRefused, ProviderUnavailable
from examhook.provider.port import UnreadableRow
from examhook.workflows.polling.accounts import AccountPolls
from examhook.workflows.polling.backoff import LONGEST_BACKOFF_S
from tests.support.aws.cloudwatch import CloudWatch, watching
from tests.support.provider.memory_provider import MemoryStage, row
from tests.support.template.translated_template import STACK, StackTemplate

ALARMS = StackTemplate({"AccountCode": "a-code"}).of_type("AWS::CloudWatch::Alarm")
QUARTER_MIN = 15

BACKOFF_MIN = LONGEST_BACKOFF_S // 60
"""Longest time for which a provider that keeps failing is left alone."""


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> CloudWatch:
    return watching(monkeypatch)


class Context:
    """Lambda's context for Poll."""

    function_name = "poll"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.stage.time_left_s * 1000)

    def __init__(self, stage: MemoryStage) -> None:
        self.stage = stage


class Polling:
    """Ticks of a schedule, one per minute."""

    def __init__(
        self, watch: CloudWatch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, every_min: int = 1
    ) -> None:
        self.stage = MemoryStage()
        self.watch, self.capsys, self.every_min = watch, capsys, every_min
        monkeypatch.setattr(poll_entry, "_accounts", lambda: AccountPolls(self.stage.workflow(), None, None, None))  # type: ignore[arg-type] # one account

    def tick(self, minutes: int, *, dead: bool = False, messages: int = 0, late: bool = False) -> None:
        """Pass minutes; each has a tick of the schedule, and messages of further ticks."""
        for _ in range(minutes):
            self.watch.minute += 1
            self.stage.provider.clock += 60
            if not dead and self.watch.minute % self.every_min == 0:
                poll_entry.handler({"trigger": "schedule"}, Context(self.stage))
            expires_at = time.time() + (-1 if late else 60)
            for _ in range(messages):
                message = {"messageId": "1", "body": json.dumps({"expires_at": expires_at})}
                poll_entry.handler({"Records": [message]}, Context(self.stage))
            self.watch.read(self.capsys.readouterr().out)

    def fires(self, alarm: str) -> bool:
        return self.watch.fires(ALARMS[alarm])


@pytest.fixture
def polling(watch: CloudWatch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Polling:
    polling = Polling(watch, capsys, monkeypatch)
    polling.stage.provider.add("7")
    polling.tick(QUARTER_MIN)
    assert not [
        name for name in ALARMS if name.startswith(("PollStalled", "Provider", "OutOf", "Rows")) and polling.fires(name)
    ]
    return polling


def test_polls_that_never_complete_fire_the_stall_alarm_in_time(polling: Polling) -> None:
    polling.stage.provider.failures[""] = ProviderUnavailable("It does not answer.")
    polling.tick(QUARTER_MIN - 1)
    assert not polling.fires("PollStalledAlarm")
    polling.tick(1)
    assert polling.fires("PollStalledAlarm")
    del polling.stage.provider.failures[""]
    polling.tick(BACKOFF_MIN)
    assert not polling.fires("PollStalledAlarm")


def test_a_stopped_schedule_fires_the_stall_alarm(polling: Polling) -> None:
    polling.tick(QUARTER_MIN - 1, dead=True)
    assert not polling.fires("PollStalledAlarm")
    polling.tick(1, dead=True)
    assert polling.fires("PollStalledAlarm")


def test_late_messages_do_not_hide_that_nothing_polls(polling: Polling) -> None:
    polling.tick(QUARTER_MIN, dead=True, messages=3, late=True)
    assert polling.fires("PollStalledAlarm")


def test_messages_count_as_polls(polling: Polling) -> None:
    polling.tick(QUARTER_MIN, dead=True, messages=1)
    assert not polling.fires("PollStalledAlarm")


def test_four_polls_a_minute_that_fail_for_a_moment_do_not_fire(polling: Polling) -> None:
    polling.stage.provider.failures[""] = ProviderUnavailable("It does not answer.")
    polling.tick(4, messages=3)
    del polling.stage.provider.failures[""]
    polling.tick(QUARTER_MIN, messages=3)
    assert not polling.fires("ProviderFailingAlarm")


def test_a_stalled_account_is_not_hidden_by_another(
    polling: Polling, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Polling(CloudWatch(), capsys, monkeypatch)
    other.stage.poll()
    other.stage.provider.failures[""] = ProviderUnavailable("It does not answer.")
    for _ in range(QUARTER_MIN):
        # Both write into the same metric of the stack.
        other.watch = polling.watch
        other.tick(1)
        polling.watch.put("Examhook", "PollAge", 0, stack=STACK)
    assert polling.fires("PollStalledAlarm")


def test_an_interval_shorter_than_the_alarms_period_does_not_fire(
    watch: CloudWatch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    polling = Polling(watch, capsys, monkeypatch, every_min=QUARTER_MIN - 5)
    polling.tick(QUARTER_MIN - 5)
    for _ in range(2 * QUARTER_MIN):
        polling.tick(1)
        assert not polling.fires("PollStalledAlarm")


def test_disabled_polling_does_not_fire() -> None:
    off = StackTemplate({"AccountCode": "a-code", "Polling": "DISABLED"}).of_type("AWS::CloudWatch::Alarm")
    assert CloudWatch(minute=100).fires(ALARMS["PollStalledAlarm"])
    assert not CloudWatch(minute=100).fires(off["PollStalledAlarm"])
    assert off["PollStalledAlarm"]["ActionsEnabled"] is False
    assert all(alarm.get("ActionsEnabled", True) for alarm in ALARMS.values())


def test_a_refused_code_fires_at_once_and_for_as_long_as_it_lasts(polling: Polling) -> None:
    polling.stage.provider.failures[""] = ProviderRefused("The provider refuses the account code.")
    polling.tick(1)
    assert polling.fires("ProviderRefusedAlarm")
    # The provider is asked once an hour only; the alarm does not end meanwhile.
    polling.tick(30)
    assert polling.fires("ProviderRefusedAlarm")
    polling.stage.secret.version = "v2"
    del polling.stage.provider.failures[""]
    polling.tick(5)
    assert not polling.fires("ProviderRefusedAlarm")


def test_a_provider_that_fails_for_a_quarter_of_an_hour_fires(polling: Polling) -> None:
    polling.stage.provider.failures[""] = ProviderUnavailable("It does not answer.")
    polling.tick(QUARTER_MIN - 5)
    assert not polling.fires("ProviderFailingAlarm")
    polling.tick(5)
    assert polling.fires("ProviderFailingAlarm")


def test_an_hour_of_incomplete_polls_fires(polling: Polling) -> None:
    polling.stage.time_left_s = 10
    polling.stage.provider.add("7", row(1))
    polling.tick(55)
    assert not polling.fires("OutOfTimeAlarm")
    polling.tick(5)
    assert polling.fires("OutOfTimeAlarm")
    assert not polling.fires("PollStalledAlarm")


@pytest.mark.parametrize("every_min", [1, 20, 60])
def test_rows_that_cannot_be_announced_fire_until_they_disappear(
    every_min: int, watch: CloudWatch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = "rate(1 minute)" if every_min == 1 else f"rate({every_min} minutes)"
    template = StackTemplate({"AccountCode": "a-code", "PollSchedule": schedule})
    alarm = template.of_type("AWS::CloudWatch::Alarm")["RowsSkippedAlarm"]
    polling = Polling(watch, capsys, monkeypatch, every_min)
    polling.stage.provider.add("7", row(1))
    polling.tick(240)
    polling.stage.provider.unreadable["7"] = (UnreadableRow(1, "its candidate cannot be read"),)
    fired = []
    for _ in range(480):
        polling.tick(1)
        fired.append(watch.fires(alarm))
    assert fired[-1]
    assert fired == sorted(fired), "it does not come and go, although the exam is not read by every poll"
    del polling.stage.provider.unreadable["7"]
    polling.tick(60 * 24)
    assert not watch.fires(alarm)


def test_a_row_that_cannot_be_read_for_a_moment_does_not_fire(polling: Polling) -> None:
    polling.stage.provider.unreadable["7"] = (UnreadableRow(0, "its candidate cannot be read"),)
    polling.stage.provider.add("7", row(1))
    polling.tick(3)
    del polling.stage.provider.unreadable["7"]
    for _ in range(2 * QUARTER_MIN):
        polling.tick(1)
        assert not polling.fires("RowsSkippedAlarm")


@pytest.mark.parametrize("every_min", [1, 5, 20, 60])
def test_a_stream_that_brings_nothing_fires_until_the_waiting_events_are_sent(
    every_min: int, watch: CloudWatch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    polling = Polling(watch, capsys, monkeypatch, every_min)
    polling.stage.provider.add("7")
    polling.tick(120)
    polling.stage.stream_is_off = True
    polling.stage.provider.add("7", row(1, ended_at=polling.stage.provider.clock))
    polling.tick(every_min)
    assert polling.stage.exams.read("main").record.awaited is not None
    fired = []
    for _ in range(180):
        polling.tick(1)
        fired.append(polling.fires("UnsentAlarm"))
    assert fired == sorted(fired), "it does not come and go"
    assert fired.index(True) + 1 == max(QUARTER_MIN, every_min)
    polling.stage.stream_is_off = False
    polling.tick(70 + every_min)
    assert not polling.fires("UnsentAlarm")
