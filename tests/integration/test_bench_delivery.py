"""The benchmarks of delivery count correctly, with a few events."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tools.bench.delivery import cost, throughput, volume, worker_process
from tools.bench.delivery.latency import Latencies, Latency
from tools.bench.delivery.page import goals, page
from tools.bench.delivery.receivers import Receivers
from tools.bench.delivery.run import Delivery, Scale
from tools.bench.report import missed

pytestmark = pytest.mark.skipif(
    not Path(".venv-emulator/bin/python").exists(), reason="the emulator's environment is not set up"
)

TICKS = 20


@pytest.mark.slow
def test_few_events_arrive_and_are_counted() -> None:
    many = volume.measure(30, lambda _: None)
    assert (many.expected, many.delivered, many.lost, many.invented) == (90, 90, 0, 0)
    assert many.healthy_attempts == 1
    # Three failed before it counted as down; what waited then came once.
    assert many.down_attempts > 1
    used = cost.per_event(10)
    # Of each event: itself and its mark with the index of days, three deliveries with theirs, claimed and recorded.
    assert used.write_units / 10 > 3 * 7
    assert used.requests["dynamodb.BatchGetItem"] <= used.messages
    # Three endpoints and the events of each batch of ten, whole units each.
    assert used.read_units >= 3 + 10
    day = cost.per_day(5, TICKS)
    assert day.healthy.invocations["retry"] == day.failing.invocations["retry"] == TICKS
    assert day.healthy.messages == 5
    assert day.failing_attempts >= 5
    fast = throughput.measure(20, 1)
    assert fast.ratio > 0
    latencies = Latencies(20, Latency(9, 9, 0.4, 1.0), 5, Latency(9, 9, 0.1, 0.2), Latency(9, 9, 0.1, 0.4))
    measured = Delivery(Scale(counted=10), latencies, fast, many, used, day, 60.0)
    table = goals(measured)
    assert all(line.measure in page(measured, table) for line in table)
    missed_measures = missed(table)
    assert [measure for measure in missed_measures if "sixth hangs" in measure], "twice as long is not 1.5 times"
    assert not [measure for measure in missed_measures if "lost" in measure or "first byte" in measure]
    overloaded = replace(latencies, without_hanging=Latency(9, 9, 20, 30), with_hanging=Latency(9, 9, 20, 30))
    assert "sixth hangs" in " ".join(missed(goals(replace(measured, latencies=overloaded)))), (
        "as slow as before proves nothing"
    )


def test_a_worker_whose_attempts_take_long_finds_an_empty_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine attempts take long; here every attempt counts as long from its start."""
    monkeypatch.setattr("examhook.workflows.delivering.batch_runner.IDLE_AFTER_S", -1)
    at = int(time.time())
    with Receivers(1) as receivers:
        worker_process.run_worker(receivers.urls[0], worker_process.made_events(3, at), at)
        assert len(receivers.arrivals()) == 3
