"""The section about delivery in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence

from tools.bench.delivery.latency import Latency
from tools.bench.delivery.pipeline import Usage
from tools.bench.delivery.run import Delivery
from tools.bench.report import Goal, goal_table, machine
from tools.markdown import markdown_table

_MOST_P50_S, _MOST_P99_S = 0.5, 2.0
_LEAST_WORKER_RATIO = 0.7
_MOST_ISOLATION_RATIO = 1.5
_MOST_ATTEMPTS = 1.01


def goals(run: Delivery) -> list[Goal]:
    """Return the targets."""
    latencies, worker, many = run.latencies, run.throughput, run.volume
    steady, without_hanging, with_hanging = latencies.steady, latencies.without_hanging, latencies.with_hanging
    return [
        Goal(
            f"state write to first byte at the receiver at {latencies.per_second:g} events/s: p50 / p99",
            f"≤ {_MOST_P50_S:g} s / ≤ {_MOST_P99_S:g} s",
            f"{steady.p50_s:.2f} s / {steady.p99_s:.2f} s",
            steady.p50_s <= _MOST_P50_S and steady.p99_s <= _MOST_P99_S and _all_arrived(steady),
        ),
        Goal(
            "webhooks per second of one worker, next to a plain loop with `requests`",
            f"≥ {_LEAST_WORKER_RATIO:.0%}",
            f"{worker.worker_per_second:,.0f} of {worker.loop_per_second:,.0f} ({worker.ratio:.0%})",
            worker.ratio >= _LEAST_WORKER_RATIO,
        ),
        Goal(
            f"p99 of five endpoints while a sixth hangs / is healthy, {latencies.isolated_per_second:g} events/s",
            f"≤ {_MOST_ISOLATION_RATIO:g} times",
            f"{with_hanging.p99_s:.2f} s / {without_hanging.p99_s:.2f} s ({latencies.ratio:.2f} times)",
            # On an overloaded machine, one receiver makes no difference, so the ratio proves nothing.
            latencies.ratio <= _MOST_ISOLATION_RATIO
            and without_hanging.p99_s <= _MOST_P99_S
            and _all_arrived(with_hanging),
        ),
        Goal(
            f"deliveries of {many.events:,} events to 3 endpoints, one down during the middle third",
            f"{many.expected:,}",
            f"{many.delivered:,}",
            many.delivered == many.expected,
        ),
        Goal("events lost / ids invented", "0 / 0", f"{many.lost} / {many.invented}", not many.lost + many.invented),
        Goal(
            "attempts per delivery at the healthy endpoints",
            f"≤ {_MOST_ATTEMPTS:g}",
            f"{many.healthy_attempts:.3f}",
            many.healthy_attempts <= _MOST_ATTEMPTS,
        ),
    ]


def _all_arrived(latency: Latency) -> bool:
    return latency.deliveries == latency.expected


def page(run: Delivery, goals: Sequence[Goal]) -> str:
    """Return the whole section."""
    latencies, worker, many, scale = run.latencies, run.throughput, run.volume, run.scale
    steady, without_hanging, with_hanging = latencies.steady, latencies.without_hanging, latencies.with_hanging
    return f"""## Delivery

Measured by `make bench` in {run.whole_run_s / 60:.0f} minutes, on
{machine()}.

{goal_table(goals)}

How each figure is measured:

- **State write to first byte:** on the local stack, as `examhook local up` deploys it, each function with its own role.
  Submissions are written one by one at this rate for {scale.seconds} s. The time runs from just before the write of a
  submission to the first byte of its request at the receiver. {steady.deliveries:,} of {steady.expected:,} deliveries
  arrived.
- **One worker:** {worker.messages:,} messages in batches of ten, the median of {scale.pairs} pairs. The worker parses,
  checks URL and address, signs, decides and records, with tables in memory. The loop posts the same bodies with ten
  threads and prepared headers. Processor time per delivery: {worker.worker_cpu_ms:.2f} ms; per request of the loop:
  {worker.loop_cpu_ms:.2f} ms.
- **A sixth that hangs:** the same stack with six endpoints, {scale.seconds} s with six healthy receivers and
  {scale.seconds} s with one that accepts each request and sends nothing until the deadline of 15 s. A burst before the
  measurement starts all processes of Deliver. Messages that need a new process wait for its start;
  [package.md](package.md) lists start times. {with_hanging.deliveries:,} of {with_hanging.expected:,} deliveries to the
  five receivers arrived. p50 was {with_hanging.p50_s:.2f} s, and {without_hanging.p50_s:.2f} s with six healthy
  receivers.
- **Many events:** Dispatch, Deliver and Retry with tables in memory and a clock that is passed in: 20 events per second
  and one tick per minute. While the third endpoint is down, it answers 503. All waiting deliveries had arrived
  {many.drained_in_s:.0f} s after it was up again, with {many.down_attempts:.3f} requests per delivery. The measurement
  took {many.wall_s:.0f} s.

### AWS usage of a delivery

A hook in the AWS client counts requests. The emulator counts write units, indexes included. Read units are computed
from the items in the answers. Prices differ by region and year, so this page has none.

{markdown_table(_COST_HEAD, [_per_event(run.usage, scale.counted)])}

Messages came in full batches. If events are rare, each message is a separate invocation. Lambda also polls SQS all the
time, with or without messages.

A day with one endpoint and {run.day.events} events; the endpoint accepts all or none ({run.day.failing_attempts}
attempts):

{markdown_table(_DAY_HEAD, [_day("healthy", run.day.healthy), _day("failing", run.day.failing)])}
"""


_COST_HEAD = (
    "one event to three endpoints",
    "DynamoDB write units",
    "read units",
    "SQS requests",
    "SNS requests",
    "invocations of Dispatch",
    "of Deliver",
)
_DAY_HEAD = (
    "endpoint",
    "DynamoDB write units",
    "read units",
    "SQS requests",
    "messages",
    "invocations of Deliver",
    "of Retry",
)


def _per_event(usage: Usage, events: int) -> tuple[str, ...]:
    return (
        "mean",
        f"{usage.write_units / events:.1f}",
        f"{usage.read_units / events:.1f}",
        f"{usage.of_service('sqs') / events:.2f}",
        f"{usage.of_service('sns') / events:.2f}",
        f"{usage.invocations['dispatch'] / events:.3f}",
        f"{usage.invocations['deliver'] / events:.2f}",
    )


def _day(name: str, usage: Usage) -> tuple[str, ...]:
    return (
        name,
        f"{usage.write_units:,.0f}",
        f"{usage.read_units:,.0f}",
        # Lambda's own polls of the queue are the same on every day.
        f"{usage.of_service('sqs') - usage.requests['sqs.ReceiveMessage']:,}",
        f"{usage.messages:,}",
        f"{usage.invocations['deliver']:,}",
        f"{usage.invocations['retry']:,}",
    )
