"""Expected against received, for each receiver: nothing missing, nothing extra, every signature good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from examhook_cli.demo.reconciliation import Arrival
from examhook_cli.demo.reconciliation import Fact


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one receiver should have got against what it got."""

    receiver: str
    expected: int
    distinct: int
    """Events with different ids."""
    repeated: int
    """Arrivals of an id that had come before; allowed, since a retry repeats an event under its id."""
    missing: tuple[Fact, ...]
    extra: tuple[Fact, ...]
    unverified: int

    @property
    def agrees(self) -> bool:
        """Whether exactly the expected events came, each with a good signature."""
        return not self.missing and not self.extra and not self.unverified


def reconcile(receiver: str, expected: Mapping[Fact, int], arrivals: Sequence[Arrival]) -> Reconciliation:
    """Compare the facts of the distinct ids that arrived with those expected."""
    by_id = {arrival.event_id: arrival.fact for arrival in arrivals}
    came, wanted = Counter(by_id.values()), Counter(expected)
    return Reconciliation(
        receiver=receiver,
        expected=wanted.total(),
        distinct=len(by_id),
        repeated=len(arrivals) - len(by_id),
        missing=tuple(sorted((wanted - came).elements())),
        extra=tuple(sorted((came - wanted).elements())),
        unverified=sum(not arrival.verified for arrival in arrivals),
    )
