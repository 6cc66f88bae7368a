"""Runs all measurements of delivery one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tools.bench.delivery import cost, latency, throughput, volume
from tools.bench.delivery.cost import Day
from tools.bench.delivery.latency import Latencies
from tools.bench.delivery.pipeline import Usage
from tools.bench.delivery.throughput import Throughput
from tools.bench.delivery.volume import Volume
from tools.progress import Say


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the measurements."""

    per_second: float = 20
    seconds: int = 30
    isolated_per_second: float = 5
    messages: int = 2000
    pairs: int = 5
    events: int = 10_000
    counted: int = 300
    """Events whose AWS usage is counted, each to three endpoints."""
    daily: int = 96
    """Events of a day with one endpoint."""
    ticks: int = 1440


@dataclass(frozen=True, slots=True)
class Delivery:
    """All figures."""

    scale: Scale
    latencies: Latencies
    throughput: Throughput
    volume: Volume
    usage: Usage
    """Of ``scale.counted`` events."""
    day: Day
    whole_run_s: float


def run(scale: Scale, say: Say) -> Delivery:
    """Measure everything."""
    began_s = time.monotonic()
    latencies = latency.measure(scale.per_second, scale.seconds, scale.isolated_per_second, say)
    say("one worker next to a plain loop")
    worker = throughput.measure(scale.messages, scale.pairs)
    say(f"{scale.events} events to three endpoints")
    many = volume.measure(scale.events, say)
    say("AWS usage per event")
    usage = cost.per_event(scale.counted)
    say("a day with a failing endpoint, and one with a healthy endpoint")
    day = cost.per_day(scale.daily, scale.ticks)
    return Delivery(scale, latencies, worker, many, usage, day, time.monotonic() - began_s)
