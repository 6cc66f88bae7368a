"""The product's process, from outside.

::

    PollFailedError    a poll was not complete, so that its figures mean nothing; its errors say why
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from examhook_simulator.wire import Fields
from tools.bench.json_process import Child
from tools.bench.cloud import Cloud
from tools.bench.detection.lambda_sized import held_to, share_of_core, variables_of
from tools.bench.provider import Provider
from tools.bench.units import Event

FASTEST_PER_SECOND = 10.0
POLL_SECONDS = 15
"""The default of the template."""


class PollFailedError(RuntimeError):
    """A poll left something undone."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll did and used."""

    complete: bool
    """Whether nothing was left for the next poll."""
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
        """From the process's answer; raises PollFailedError where something went wrong."""
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


class Product(Child):
    """Poll of one account in a process of its own, whose clock follows the provider's.

    It is not paced unless a rate is given. ``memory_mb`` makes it as large as a function with so much memory.
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
        """Poll once; raises ChildError, PollFailedError."""
        with held_to(self._share, self.pid):
            self.begin_poll(full=full)
            polled = Polled.of(self.answer())
        if not polled.complete:
            raise PollFailedError("Something was left for the next poll.")
        return polled

    def begin_poll(self, *, full: bool = False, requests_in_time: int | None = None) -> None:
        """Start a poll and return at once; its time is up after ``requests_in_time``."""
        in_time = {} if requests_in_time is None else {"requests_in_time": requests_in_time}
        clock_ahead_s = self._provider.control.now() - time.time()
        self.tell(full=full, paced=self._paced, clock_ahead_s=clock_ahead_s, **in_time)
