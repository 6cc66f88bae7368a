"""Control of the process with the webhook receivers."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tools.bench.json_process import JsonProcess

_SETTLE_S = 120
"""Webhooks that take longer count as lost."""
_CHECK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Arrival:
    """One webhook request."""

    receiver: int
    event_id: str
    at: float
    """Unix seconds of its first byte."""
    accepted: bool
    """Whether the receiver answered with a success status."""


class Receivers(JsonProcess):
    """Receivers with numbers from 0. They answer at once until ``behave`` changes that."""

    def __init__(self, count: int) -> None:
        super().__init__(["tools.bench.delivery.receiver_process", str(count)], {})
        self.urls = tuple(f"http://127.0.0.1:{port}/hook" for port in self.receive().texts("ports"))

    def behave(self, receiver: int, mode: str) -> None:
        """Set how one receiver answers: a mode of ``receiver_process``."""
        self.ask(receiver=receiver, mode=mode)

    def arrivals(self, *, clear: bool = False) -> list[Arrival]:
        """Return all requests since the last ``clear``, by receiver and time."""
        return [
            Arrival(each.whole("receiver"), each.text("id"), each.number("at"), each.flag("accepted"))
            for each in self.ask(clear=clear).objects("arrivals")
        ]

    def await_latencies_s(self, sent_at: Mapping[str, float], receivers: Collection[int]) -> list[float]:
        """Wait until all of these receivers got all of these events; return the sorted times since ``sent_at``.

        Args:
            sent_at: Unix seconds by event id.
            receivers: numbers of the receivers.
        """
        give_up_at_s = time.monotonic() + _SETTLE_S
        while True:
            first: dict[tuple[int, str], float] = {}
            for each in self.arrivals():
                if each.receiver in receivers and each.event_id in sent_at:
                    first.setdefault((each.receiver, each.event_id), each.at)
            if len(first) >= len(sent_at) * len(receivers) or time.monotonic() > give_up_at_s:
                return sorted(at - sent_at[event_id] for (_, event_id), at in first.items())
            time.sleep(_CHECK_EVERY_S)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that ``share`` of the sorted values do not exceed; infinity if there are none."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.inf
