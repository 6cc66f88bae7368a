"""The product: Poll as its function builds it, run and measured in this process."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from examhook.provider.pacing import Pacer
from examhook.provider.port import ProviderClient
from examhook.storage.account_secrets import AccountCode
from examhook.wiring.poll import poll
from examhook.workflows.polling.poll import Poll, PollRequest
from examhook_simulator.wire import Fields
from tools.bench.child import serve
from tools.bench.lambda_sized import keep_to_memory
from tools.bench.units import UnitCounter
from tools.bench.usage import cpu_s, peak_bytes

_TIME_LEFT_S = 10_000.0
"""A poll is measured whole, however long it takes, unless it is asked for in parts."""


def main() -> None:
    """Poll as often as the input asks."""
    keep_to_memory(os.environ)
    counter = UnitCounter.of_this_process()
    clock = _Clock()
    # Whatever the wiring builds takes its clock from there.
    time.time = clock.now
    workflow = poll(os.environ)

    def act(fields: Fields) -> Mapping[str, object]:
        clock.ahead_s = fields.number("clock_ahead_s")
        return _measured(workflow, counter, fields)

    serve(act)


def _measured(workflow: Poll, counter: UnitCounter, fields: Fields) -> Mapping[str, object]:
    if not fields.flag("paced"):
        # How fast the requests follow each other says nothing about what they cost, and waiting takes time.
        Pacer.delay_s = _no_delay  # type: ignore[method-assign]  # every pacer of this process
    in_time = fields.number("requests_in_time") if fields.has("requests_in_time") else math.inf
    time_left = _TimeLeft(workflow.client_for, in_time)
    workflow = replace(workflow, client_for=time_left.client_for)
    counter.reset()
    request = PollRequest(manual=fields.flag("full"), full=fields.flag("full"))
    cpu_before_s, began_s = cpu_s(), time.monotonic()
    report = workflow.run(request, time_left.seconds)
    cpu_after_s, ended_s = cpu_s(), time.monotonic()
    return {
        **report.body(),
        "cpu_s": cpu_after_s - cpu_before_s - counter.own_cpu_s,
        "wall_s": ended_s - began_s,
        "peak_bytes": peak_bytes(),
        "read_units": counter.read_units,
        "write_units": counter.write_units,
        "events": [asdict(event) for event in counter.announced],
    }


@dataclass(slots=True)
class _Clock:
    """This process's clock, which can be ahead of the machine's."""

    ahead_s: float = 0
    _machine: Callable[[], float] = field(default_factory=lambda: time.time)

    def now(self) -> float:
        """Unix seconds."""
        return self._machine() + self.ahead_s


@dataclass(slots=True)
class _TimeLeft:
    """How much time a poll has left: none after so many requests."""

    make_client: Callable[[AccountCode], ProviderClient]
    requests: float
    _client: ProviderClient | None = None

    def client_for(self, code: AccountCode) -> ProviderClient:
        self._client = self.make_client(code)
        return self._client

    def seconds(self) -> float:
        asked = 0 if self._client is None else self._client.requests_made
        return 0.0 if asked >= self.requests else _TIME_LEFT_S


def _no_delay(self: Pacer) -> float:  # noqa: ARG001 - the method in whose place it stands has it
    return 0.0


if __name__ == "__main__":
    main()
