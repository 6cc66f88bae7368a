"""Poll, built as its function builds it, run and measured in this process."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.storage.account_secrets import AccountCode
from examhook.wiring.poll import build_polls
from examhook.workflows.polling.poll import Poll, PollRequest
from examhook_simulator.json_fields import Fields
from tools.bench.detection.lambda_sized import keep_to_memory
from tools.bench.json_process import serve
from tools.bench.units import UnitCounter
from tools.bench.usage import Stopwatch

_TIME_LEFT_S = 10_000.0
"""Enough for a whole poll."""


def main() -> None:
    """Poll once per input line."""
    keep_to_memory(os.environ)
    counter = UnitCounter.of_this_process()
    clock = _Clock()
    # Everything that the wiring builds uses this clock.
    time.time = clock.now
    workflow = build_polls(os.environ).own

    def act(fields: Fields) -> Mapping[str, object]:
        clock.ahead_s = fields.number("clock_ahead_s")
        return _measured(workflow, counter, fields)

    serve(act)


def _measured(workflow: Poll, counter: UnitCounter, fields: Fields) -> Mapping[str, object]:
    if not fields.flag("paced"):
        # The pace does not change what requests cost, and waiting takes time.
        Pacer.delay_s = _no_delay  # type: ignore[method-assign]  # every pacer of this process
    in_time = fields.number("requests_in_time") if fields.has("requests_in_time") else math.inf
    time_left = _TimeLeft(workflow.client_for, in_time)
    workflow = replace(workflow, client_for=time_left.client_for)
    counter.reset()
    request = PollRequest(manual=fields.flag("full"), full=fields.flag("full"))
    stopwatch = Stopwatch()
    report = workflow.run(request, time_left.seconds)
    return {
        **report.body(),
        **stopwatch.figures(counter.own_cpu_s),
        "read_units": counter.read_units,
        "write_units": counter.write_units,
        "events": [asdict(event) for event in counter.announced],
    }


@dataclass(slots=True)
class _Clock:
    """A clock that can be ahead of the machine's."""

    ahead_s: float = 0
    _machine: Callable[[], float] = field(default_factory=lambda: time.time)

    def now(self) -> float:
        return self._machine() + self.ahead_s


@dataclass(slots=True)
class _TimeLeft:
    """Remaining time of a poll: none after ``requests`` requests."""

    make_client: Callable[[AccountCode], ProviderClient]
    requests: float
    _client: ProviderClient | None = None

    def client_for(self, code: AccountCode) -> ProviderClient:
        self._client = self.make_client(code)
        return self._client

    def seconds(self) -> float:
        requests_made = 0 if self._client is None else self._client.requests_made
        return 0.0 if requests_made >= self.requests else _TIME_LEFT_S


def _no_delay(self: Pacer) -> float:  # noqa: ARG001 - replaces a method
    return 0.0


if __name__ == "__main__":
    main()
