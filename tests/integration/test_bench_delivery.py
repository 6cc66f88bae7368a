"""The benchmarks of delivery count what they say they count, on a few events."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from examhook.destinations.webhook import WebhookSender, guarded_client
from tools.bench.delivery import cost_of, throughput, volume, worker_process
from tools.bench.delivery.latency import Latency, Soon
from tools.bench.delivery.page import lines, page, unmet
from tools.bench.delivery.receivers import Receivers
from tools.bench.delivery.run import Delivery, Scale

pytestmark = pytest.mark.skipif(
    not Path(".venv-emulator/bin/python").exists(), reason="the emulator's environment is not set up"
)

TICKS = 20


@pytest.mark.slow
def test_few_events_arrive_and_are_counted() -> None:
    many = volume.measure(30, lambda _: None)
    assert (many.wanted, many.delivered, many.lost, many.invented) == (90, 90, 0, 0)
    assert many.attempts_when_well == 1
    # Three failed before it counted as down; what waited then came once.
    assert many.attempts_shaky > 1
    used = cost_of.per_event(10)
    # Of each event: itself and its mark with the index of days, three deliveries with theirs, claimed and recorded.
    assert used.write_units / 10 > 3 * 7
    assert used.requests["dynamodb.BatchGetItem"] <= used.messages
    # Three endpoints and the events of each batch of ten, whole units each.
    assert used.read_units >= 3 + 10
    day = cost_of.measure(5, TICKS)
    assert day.well.invocations["retry"] == day.failing.invocations["retry"] == TICKS
    assert day.well.messages == 5
    assert day.attempts_failing >= 5
    fast = throughput.measure(20, 1)
    assert fast.ratio > 0
    soon = Soon(20, Latency(9, 9, 0.4, 1.0), 5, Latency(9, 9, 0.1, 0.2), Latency(9, 9, 0.1, 0.4))
    measured = Delivery(Scale(counted=10), soon, fast, many, used, day, 60.0)
    table = lines(measured)
    assert all(line.measure in page(measured, table) for line in table)
    missed = unmet(table)
    assert [measure for measure in missed if "sixth hangs" in measure], "twice as long is not 1.5 times"
    assert not [measure for measure in missed if "lost" in measure or "first byte" in measure]
    overloaded = replace(soon, without=Latency(9, 9, 20, 30), beside=Latency(9, 9, 20, 30))
    assert "sixth hangs" in " ".join(unmet(lines(replace(measured, soon=overloaded)))), (
        "as slow as before proves nothing"
    )


def test_a_worker_whose_attempts_take_long_finds_an_empty_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes attempts take long; here every attempt counts as long from its beginning."""
    monkeypatch.setattr("examhook.workflows.delivering.batch_runner.IDLE_AFTER_S", -1)
    at, session = int(time.time()), guarded_client(allow_private=True)
    sender = WebhookSender(session, allow_http=True, allow_private=True)
    with Receivers(1) as receivers:
        worker_process.work(receivers.urls[0], sender, worker_process.made(3, at), at)
        assert len(receivers.arrivals()) == 3
