"""The section about delivery in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.delivery.latency import Latency
from tools.bench.delivery.pipeline import Used
from tools.bench.delivery.run import Delivery
from tools.markdown import markdown_table

_P50_S, _P99_S = 0.5, 2.0
_WORKER_RATIO = 0.7
_ISOLATION_RATIO = 1.5
_ATTEMPTS = 1.01


@dataclass(frozen=True, slots=True)
class Line:
    """One measure, what was wanted of it, and what came."""

    measure: str
    wanted: str
    measured: str
    met: bool


def lines(run: Delivery) -> list[Line]:
    """The table of what was wanted."""
    soon, fast, many = run.soon, run.throughput, run.volume
    steady = soon.steady
    return [
        Line(
            f"from the state write to the receiver's first byte at {soon.per_second:g} events/s: p50 / p99",
            f"≤ {_P50_S:g} s / ≤ {_P99_S:g} s",
            _times(steady),
            steady.p50_s <= _P50_S and steady.p99_s <= _P99_S and steady.deliveries == steady.wanted,
        ),
        Line(
            "one worker's webhooks per second beside a bare loop of `requests`",
            f"≥ {_WORKER_RATIO:.0%}",
            f"{fast.worker_per_second:,.0f} of {fast.bare_per_second:,.0f} ({fast.ratio:.0%})",
            fast.ratio >= _WORKER_RATIO,
        ),
        Line(
            f"p99 of five endpoints while a sixth hangs / while it is well, {soon.isolated_per_second:g} events/s",
            f"≤ {_ISOLATION_RATIO:g} times",
            f"{soon.beside.p99_s:.2f} s / {soon.without.p99_s:.2f} s ({soon.ratio:.2f} times)",
            # Where the machine is overloaded anyway, one receiver more or less makes no difference and proves nothing.
            soon.ratio <= _ISOLATION_RATIO
            and soon.without.p99_s <= _P99_S
            and soon.beside.deliveries == soon.beside.wanted,
        ),
        Line(
            f"delivered of {many.events:,} events to 3 endpoints, one down in the middle third",
            f"{many.wanted:,}",
            f"{many.delivered:,}",
            many.delivered == many.wanted,
        ),
        Line("events lost / ids invented", "0 / 0", f"{many.lost} / {many.invented}", not many.lost + many.invented),
        Line(
            "attempts per delivery at the endpoints that were well",
            f"≤ {_ATTEMPTS:g}",
            f"{many.attempts_when_well:.3f}",
            many.attempts_when_well <= _ATTEMPTS,
        ),
    ]


def unmet(table: Sequence[Line]) -> list[str]:
    """The measures that miss what was wanted."""
    return [line.measure for line in table if not line.met]


def page(run: Delivery, table: Sequence[Line]) -> str:
    """The whole section."""
    soon, fast, many, scale = run.soon, run.throughput, run.volume, run.scale
    rows = [(line.measure, line.wanted, line.measured, "yes" if line.met else "**no**") for line in table]
    return f"""## Delivery

Written by `make bench`, in {run.whole_run_s / 60:.0f} minutes, on {_machine()}.

{markdown_table(("measure", "wanted", "Examhook", "met"), rows)}

How each is measured:

- **From the state write:** through the whole local stack, as `examhook local up` deploys it, each function under its
  own role. Submissions are written one by one at the pace given, for {scale.seconds} s; the time runs from before the
  write of one to the first byte of its request at the receiver. {soon.steady.deliveries:,} of {soon.steady.wanted:,}
  deliveries came.
- **One worker:** {fast.messages:,} messages in batches of ten, the middle one of {scale.pairs} pairs. The worker
  parses, checks URL and address, signs, decides and records, with tables that answer from memory; the loop posts the
  same bodies by ten threads with headers made before. Processor time of one delivery: {fast.worker_cpu_ms:.2f} ms, of
  one bare request {fast.bare_cpu_ms:.2f} ms.
- **A sixth that hangs:** the same stack with six endpoints, {scale.seconds} s with all of them well and
  {scale.seconds} s with one that takes each request and says nothing until the deadline of 15 s. A burst before it has
  started as many processes of Deliver as there may be. Where they have to start first, what they are given waits for
  that, once; what a start takes stands in package.md.
  {soon.beside.deliveries:,} of {soon.beside.wanted:,} deliveries to the five came; p50 {soon.beside.p50_s:.2f} s,
  beside {soon.without.p50_s:.2f} s.
- **Many events:** Dispatch, Deliver and Retry with tables that answer from memory and a clock that is passed in: 20
  events a second, a tick a minute. While it is down the third endpoint answers 503. All that waited had arrived
  {many.drained_in_s:.0f} s after its return, with {many.attempts_shaky:.3f} requests per delivery. It took
  {many.wall_s:.0f} s.

### What a delivery costs

Counted: requests by a hook in the AWS client, written units by the emulator (indexes included), read units from the
items that come back. Prices differ by region and year, so there are none here.

{markdown_table(_COST_HEAD, [_per_event(run.used, scale.counted)])}

Messages came in full batches here; where events are rare, each message is an invocation of its own. Lambda asks SQS
for messages all the time beside that, whatever is sent.

A day with one endpoint and {run.day.events} events, of which it takes all or none
({run.day.attempts_failing} attempts):

{markdown_table(_DAY_HEAD, [_day("well", run.day.well), _day("failing", run.day.failing)])}
"""


_COST_HEAD = (
    "one event to three endpoints",
    "DynamoDB units written",
    "units read",
    "SQS requests",
    "SNS requests",
    "invocations of Dispatch",
    "of Deliver",
)
_DAY_HEAD = (
    "endpoint",
    "DynamoDB units written",
    "units read",
    "SQS requests",
    "messages",
    "invocations of Deliver",
    "of Retry",
)


def _per_event(used: Used, events: int) -> tuple[str, ...]:
    return (
        "on average",
        f"{used.write_units / events:.1f}",
        f"{used.read_units / events:.1f}",
        f"{used.of_service('sqs') / events:.2f}",
        f"{used.of_service('sns') / events:.2f}",
        f"{used.invocations.get('dispatch', 0) / events:.3f}",
        f"{used.invocations.get('deliver', 0) / events:.2f}",
    )


def _day(name: str, used: Used) -> tuple[str, ...]:
    return (
        name,
        f"{used.write_units:,.0f}",
        f"{used.read_units:,.0f}",
        # What Lambda receives by itself is in every day alike.
        f"{used.of_service('sqs') - used.requests.get('sqs.ReceiveMessage', 0):,}",
        f"{used.messages:,}",
        f"{used.invocations.get('deliver', 0):,}",
        f"{used.invocations.get('retry', 0):,}",
    )


def _times(latency: Latency) -> str:
    return f"{latency.p50_s:.2f} s / {latency.p99_s:.2f} s"


def _machine() -> str:
    cores = f"{os.cpu_count()} cores, load average {os.getloadavg()[2]:.1f} in the last 15 minutes"
    return f"{platform.system()} {platform.machine()} with Python {platform.python_version()} ({cores})"
