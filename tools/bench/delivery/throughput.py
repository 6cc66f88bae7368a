"""Webhooks per second of one worker with a fast receiver, next to a plain loop with ``requests``."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from tools.bench.delivery.receivers import Receivers
from tools.bench.json_process import JsonProcess


@dataclass(frozen=True, slots=True)
class Throughput:
    """The pair of runs with the median ratio."""

    messages: int
    worker_per_second: float
    loop_per_second: float
    worker_cpu_ms: float
    """Processor time per delivery."""
    loop_cpu_ms: float
    ratio: float


def measure(messages: int, pairs: int) -> Throughput:
    """Time the loop and the worker in turn, after a warm-up."""
    timed: list[Throughput] = []
    with (
        Receivers(1) as receivers,
        JsonProcess(["tools.bench.delivery.worker_process", receivers.urls[0]], {}) as process,
    ):
        for product in (True, False):
            process.ask(messages=messages // 10, product=product)
        for _ in range(pairs):
            loop = process.ask(messages=messages, product=False)
            worker = process.ask(messages=messages, product=True)
            receivers.arrivals(clear=True)
            timed.append(
                Throughput(
                    messages,
                    messages / worker.number("wall_s"),
                    messages / loop.number("wall_s"),
                    worker.number("cpu_s") / messages * 1000,
                    loop.number("cpu_s") / messages * 1000,
                    loop.number("wall_s") / worker.number("wall_s"),
                )
            )
    median = statistics.median_low(each.ratio for each in timed)
    return next(each for each in timed if each.ratio == median)
