"""How many webhooks a second one worker sends to a fast receiver, beside a bare loop of ``requests``."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from tools.bench.json_process import Child
from tools.bench.delivery.receivers import Receivers


@dataclass(frozen=True, slots=True)
class Throughput:
    """The middle one of several pairs."""

    messages: int
    worker_per_second: float
    bare_per_second: float
    worker_cpu_ms: float
    """Processor time of one delivery."""
    bare_cpu_ms: float
    ratio: float


def measure(messages: int, pairs: int) -> Throughput:
    """Time so many pairs, the bare loop and the worker in turn."""
    timed: list[Throughput] = []
    with Receivers(1) as receivers, Child(["tools.bench.delivery.worker_process", receivers.urls[0]], {}) as worker:
        worker.ask(messages=messages // 10, product=True)
        worker.ask(messages=messages // 10, product=False)
        for _ in range(pairs):
            bare = worker.ask(messages=messages, product=False)
            product = worker.ask(messages=messages, product=True)
            receivers.arrivals(forget=True)
            timed.append(
                Throughput(
                    messages,
                    messages / product.number("seconds"),
                    messages / bare.number("seconds"),
                    product.number("cpu_s") / messages * 1000,
                    bare.number("cpu_s") / messages * 1000,
                    bare.number("seconds") / product.number("seconds"),
                )
            )
    middle = statistics.median_low(each.ratio for each in timed)
    return next(each for each in timed if each.ratio == middle)
