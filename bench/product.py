"""The product's process, from outside.

::

    PollFailedError    a poll was not complete, so that its figures mean nothing; its errors say why
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bench.child import Child
from bench.cloud import Cloud
from bench.provider import Provider
from bench.units import Event
from examhook_cli.simulator.wire import Fields

FASTEST_PER_SECOND = 10.0


class PollFailedError(RuntimeError):
    """A poll left something undone."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll did and used."""

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
        """From the process's answer; raises PollFailedError."""
        if not answer.flag("complete"):
            raise PollFailedError(" ".join(answer.texts("errors")) or "Something was left for the next poll.")
        return cls(
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
    """Poll of one account in a process of its own; unpaced unless a rate is given."""

    def __init__(
        self, cloud: Cloud, provider: Provider, account: str, requests_per_second: float | None = None
    ) -> None:
        self._paced = requests_per_second is not None
        environ = {
            **cloud.environ,
            "ACCOUNT_NAME": account,
            "PROVIDER_BASE_URL": provider.url,
            "PROVIDER_DIALECT": "legacy",
            "REQUESTS_PER_SECOND": str(requests_per_second or FASTEST_PER_SECOND),
            "POLL_SECONDS": "60",
            "INITIAL_SYNC": "silent",
            "FULL_PASS_MINUTES": "60",
        }
        super().__init__(["bench.product_process"], environ)

    def poll(self, *, full: bool = False, clock_ahead_s: float = 0) -> Polled:
        """Poll once; raises ChildError, PollFailedError."""
        self.begin_poll(full=full, clock_ahead_s=clock_ahead_s)
        return Polled.of(self.answer())

    def begin_poll(self, *, full: bool = False, clock_ahead_s: float = 0) -> None:
        """Begin a poll and leave it to itself."""
        self.tell(full=full, paced=self._paced, clock_ahead_s=clock_ahead_s)
