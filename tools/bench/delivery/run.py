"""Plays every measure of delivery, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.bench.delivery import cost_of, latency, throughput, volume
from tools.bench.delivery.cost import Day
from tools.bench.delivery.latency import Soon
from tools.bench.delivery.pipeline import Used
from tools.bench.delivery.throughput import Throughput
from tools.bench.delivery.volume import Volume


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is played."""

    per_second: float = 20
    seconds: int = 30
    isolated_per_second: float = 5
    messages: int = 2000
    pairs: int = 5
    events: int = 10_000
    counted: int = 300
    """Events of those whose cost is counted, to three endpoints."""
    daily: int = 96
    """Events of the days with one endpoint."""
    ticks: int = 1440


@dataclass(frozen=True, slots=True)
class Delivery:
    """The figures."""

    scale: Scale
    soon: Soon
    throughput: Throughput
    volume: Volume
    used: Used
    """By the events that were counted."""
    day: Day
    whole_run_s: float


def run(scale: Scale, say: Callable[[str], None]) -> Delivery:
    """Measure all; says what it is at."""
    began_s = time.monotonic()
    soon = latency.measure(scale.per_second, scale.seconds, scale.isolated_per_second, say)
    say("one worker beside a bare loop")
    fast = throughput.measure(scale.messages, scale.pairs)
    say(f"{scale.events} events to three endpoints")
    many = volume.measure(scale.events, say)
    say("what events cost")
    used = cost_of.per_event(scale.counted)
    say("a day with an endpoint that fails, and one with an endpoint that is well")
    day = cost_of.measure(scale.daily, scale.ticks)
    return Delivery(scale, soon, fast, many, used, day, time.monotonic() - began_s)
