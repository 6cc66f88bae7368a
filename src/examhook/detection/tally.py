"""Counting up what a full pass sees, segment by segment, so that it can be cut short and go on later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from examhook.detection.diff import further_along
from examhook.detection.digest import combined, digest_of
from examhook.detection.reconcile import newest_at
from examhook.detection.watch import OPEN_KEPT, PassProgress, RowOrder
from examhook.model import Attempt, AttemptKey, Status


@dataclass(slots=True)
class Tally:
    """What was seen of one exam so far."""

    seen: set[AttemptKey] = field(default_factory=set)
    """Distinct attempts of this reading; after a resumption only those since."""
    rows: int = 0
    digest: int = 0
    appeared: int = 0
    ended: int = 0
    newest_at: int = 0
    open_attempts: dict[AttemptKey, int] = field(default_factory=dict)
    """Running attempts, and at which place each stood."""
    status_counts: Counter[int] = field(default_factory=Counter)
    """Attempts by status; after a resumption only those since."""
    resumed: bool = False
    _rising: bool = True
    _falling: bool = True
    _before: int | None = None

    @classmethod
    def resumed_from(cls, progress: PassProgress) -> Tally:
        """The tally of a pass that goes on."""
        return cls(
            seen=set() if progress.last is None else {progress.last},
            rows=progress.rows,
            digest=progress.digest,
            appeared=progress.appeared,
            ended=progress.ended,
            newest_at=progress.newest_at,
            open_attempts=dict.fromkeys(progress.open_attempts, 0),
            resumed=True,
        )

    def see(self, rows: Iterable[Attempt]) -> dict[AttemptKey, Attempt]:
        """Note the order in which ``rows`` were listed; of each attempt not seen before, the row furthest along."""
        new: dict[AttemptKey, Attempt] = {}
        before = self._before
        for row in rows:
            key = row.key
            started_at = key.started_at
            if before is not None and started_at != before:
                if started_at > before:
                    self._falling = False
                else:
                    self._rising = False
            before = started_at
            if key not in self.seen:
                self.seen.add(key)
                new[key] = row
            elif key in new:
                new[key] = further_along(new[key], row)
        self._before = before
        return new

    def count(self, attempts: Sequence[Attempt], digest: int | None = None) -> None:
        """Add distinct attempts, as they are stored, in the order in which they were listed; their digest if known."""
        for place, attempt in enumerate(attempts, start=self.rows):
            if attempt.status_code == Status.IN_TEST:
                self.open_attempts[attempt.key] = place
        self.status_counts.update(attempt.status_code for attempt in attempts)
        self.rows += len(attempts)
        self.digest = combined(self.digest, digest_of(attempts) if digest is None else digest)
        self.newest_at = max(self.newest_at, newest_at(attempts))

    def order(self, known: RowOrder, *, disturbed: bool) -> RowOrder:
        """In which order the rows were listed, as far as this reading shows; ``known`` where it does not."""
        if disturbed or self.resumed or (self._rising and self._falling):
            return known
        if not self._rising and not self._falling:
            return RowOrder.NEITHER
        return RowOrder.OLDEST if self._rising else RowOrder.NEWEST

    def depth(self, order: RowOrder) -> int:
        """How many rows stand between the deepest running attempt and the edge, it included."""
        if not self.open_attempts:
            return 0
        places = self.open_attempts.values()
        return self.rows - min(places) if order is RowOrder.OLDEST else max(places) + 1

    def progress(self, start: int, last: AttemptKey | None, began_at: int) -> PassProgress:
        """What to keep so that the pass can go on at offset ``start``."""
        return PassProgress(
            start=start,
            last=last,
            began_at=began_at,
            rows=self.rows,
            digest=self.digest,
            appeared=self.appeared,
            ended=self.ended,
            newest_at=self.newest_at,
            open_attempts=tuple(self.open_attempts)[:OPEN_KEPT],
        )
