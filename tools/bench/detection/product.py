"""Control of the process that runs Poll.

::

    PollFailedError    a poll failed or was incomplete, so its figures mean nothing; the message holds its errors
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from examhook_simulator.json_fields import Fields
from tools.bench.cloud import Cloud
from tools.bench.detection.lambda_sized import limited_to_share, share_of_core, variables_of
from tools.bench.json_process import JsonProcess
from tools.bench.provider import Provider
from tools.bench.units import Event

FASTEST_PER_SECOND = 10.0
POLL_SECONDS = 15
"""The default of the template."""


class PollFailedError(RuntimeError):
    """A poll failed or was incomplete."""


@dataclass(frozen=True, slots=True)
class Polled:
    """Result and usage of one poll."""

    complete: bool
    """Whether the poll left nothing for the next one."""
    requests: int
    rows: int
    cpu_s: float
    wall_s: float
    peak_bytes: int
    read_units: float
    write_units: float
    events: Counter[Event]

    @classmethod
    def of(cls, answer: Fields) -> Polled:
        """Read the answer of the process; raises PollFailedError."""
        if errors := answer.texts("errors"):
            raise PollFailedError(" ".join(errors))
        return cls(
            complete=answer.flag("complete"),
            requests=answer.whole("requests"),
            rows=answer.whole("rows"),
            cpu_s=answer.number("cpu_s"),
            wall_s=answer.number("wall_s"),
            peak_bytes=answer.whole("peak_bytes"),
            read_units=answer.number("read_units"),
            write_units=answer.number("write_units"),
            events=Counter(
                Event(
                    each.text("event_type"),
                    each.text("exam_id"),
                    each.text("candidate_id"),
                    each.whole("started_at"),
                )
                for each in answer.objects("events")
            ),
        )


class Product(JsonProcess):
    """Poll of one account, in a process whose clock follows the provider's.

    Args:
        cloud: AWS of the poll.
        provider: the polled provider.
        account: name of the account.
        requests_per_second: rate of requests; None for no limit.
        memory_mb: limits memory and processor time to those of a function with this memory; None for no limit.
    """

    def __init__(
        self,
        cloud: Cloud,
        provider: Provider,
        account: str,
        requests_per_second: float | None = None,
        memory_mb: int | None = None,
    ) -> None:
        self._provider = provider
        self._paced = requests_per_second is not None
        self._share = 1.0 if memory_mb is None else share_of_core(memory_mb)
        environ = {
            **cloud.environ,
            **({} if memory_mb is None else variables_of(memory_mb)),
            "ACCOUNT_NAME": account,
            "PROVIDER_BASE_URL": provider.url,
            "PROVIDER_DIALECT": "legacy",
            "REQUESTS_PER_SECOND": str(requests_per_second or FASTEST_PER_SECOND),
            "POLL_SECONDS": str(POLL_SECONDS),
            "TICK_QUEUE_URL": "https://sqs.test/ticks",
            "INITIAL_SYNC": "silent",
            "FULL_PASS_MINUTES": "60",
        }
        super().__init__(["tools.bench.detection.product_process"], environ)

    def poll(self, *, full: bool = False) -> Polled:
        """Run one complete poll; raises JsonProcessError and PollFailedError."""
        with limited_to_share(self._share, self.pid):
            self.begin_poll(full=full)
            polled = Polled.of(self.receive())
        if not polled.complete:
            raise PollFailedError("The poll left work for the next one.")
        return polled

    def begin_poll(self, *, full: bool = False, requests_in_time: int | None = None) -> None:
        """Start a poll and return at once. The poll runs out of time after ``requests_in_time`` requests."""
        in_time = {} if requests_in_time is None else {"requests_in_time": requests_in_time}
        clock_ahead_s = self._provider.control.now() - time.time()
        self.send(full=full, paced=self._paced, clock_ahead_s=clock_ahead_s, **in_time)
