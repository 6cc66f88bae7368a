"""The receivers' process, from outside."""

from __future__ import annotations

from dataclasses import dataclass

from tools.bench.json_process import Child


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that came."""

    receiver: int
    event_id: str
    at: float
    """When its first byte came, Unix seconds."""
    taken: bool
    """Whether it was answered by a success."""


class Receivers(Child):
    """So many receivers, from 0; all answer at once until told otherwise."""

    def __init__(self, count: int) -> None:
        super().__init__(["tools.bench.delivery.receiver_process", str(count)], {})
        self.urls = tuple(f"http://127.0.0.1:{port}/hook" for port in self.answer().texts("ports"))

    def behave(self, receiver: int, mode: str) -> None:
        """Let one of them answer by ``mode`` from now on."""
        self.ask(receiver=receiver, mode=mode)

    def arrivals(self, *, forget: bool = False) -> list[Arrival]:
        """What came so far, in the order in which it came to each."""
        return [
            Arrival(each.whole("receiver"), each.text("id"), each.number("at"), each.flag("taken"))
            for each in self.ask(forget=forget).objects("arrivals")
        ]
