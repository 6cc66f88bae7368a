"""Counting up what a full pass sees, segment by segment, so that it can be cut short and go on later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

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
    erased: int = 0
    """Attempts among ``rows`` of which nothing is stored, since their candidates were erased."""
    late: int = 0
    """Attempts that came at the head of the list while it was read."""
    resumed: bool = False
    rising: bool = True
    falling: bool = True
    _before: int | None = None
    """When the row began that was listed last."""

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
            open_attempts=progress.running,
            erased=progress.erased,
            late=progress.late,
            resumed=True,
            rising=progress.rising,
            falling=progress.falling,
            _before=None if progress.last is None else progress.last.started_at,
        )

    def anew(self) -> Tally:
        """The tally after its reading began anew: what was seen in an earlier poll is counted when it comes again."""
        if not self.resumed:
            return replace(self, rising=True, falling=True, _before=None)
        return Tally(
            appeared=self.appeared, ended=self.ended, newest_at=self.newest_at, open_attempts=self.open_attempts
        )

    def note_order(self, rows: Iterable[Attempt]) -> None:
        """Note in which order ``rows`` were listed, which follow those that were noted before."""
        for row in rows:
            if self._before is not None and row.started_at != self._before:
                rises = row.started_at > self._before
                self.rising, self.falling = self.rising and rises, self.falling and not rises
            self._before = row.started_at

    def see(self, rows: Iterable[Attempt]) -> dict[AttemptKey, Attempt]:
        """Of each attempt not seen before, the row furthest along, in the order in which they were listed."""
        new: dict[AttemptKey, Attempt] = {}
        for row in rows:
            key = row.key
            if key not in self.seen:
                self.seen.add(key)
                new[key] = row
            elif key in new:
                new[key] = further_along(new[key], row)
        return new

    def count(
        self,
        attempts: Sequence[Attempt],
        digest: int | None = None,
        *,
        again: Container[Hashable] = (),
        late: Container[Hashable] = (),
    ) -> None:
        """Add distinct attempts, as they are stored, in the order in which they were listed; their digest if known.

        Those that came ``again`` were counted by an earlier poll; those that came ``late`` stand at the head.
        """
        place = self.rows
        for attempt in attempts:
            key = attempt.key
            if attempt.status_code == Status.IN_TEST:
                self.open_attempts.setdefault(key, 0 if key in late else place)
            else:
                self.open_attempts.pop(key, None)
            place += key not in again
        new = [attempt for attempt in attempts if attempt.key not in again]
        self.late += sum(attempt.key in late for attempt in new)
        self.status_counts.update(attempt.status_code for attempt in new)
        self.rows = place
        self.digest = combined(self.digest, digest_of(new) if digest is None else digest)
        self.newest_at = max(self.newest_at, newest_at(attempts))

    def order(self, known: RowOrder) -> RowOrder:
        """In which order the rows were listed; ``known`` where they do not show it."""
        if self.rising and self.falling:
            return known
        if not self.rising and not self.falling:
            return RowOrder.NEITHER
        return RowOrder.OLDEST if self.rising else RowOrder.NEWEST

    def depth(self, order: RowOrder) -> int:
        """How many rows stand between the deepest running attempt and the edge, it included."""
        if not self.open_attempts:
            return 0
        places = self.open_attempts.values()
        return self.rows - min(places) if order is RowOrder.OLDEST else max(places) + 1 + self.late

    def progress(self, start: int, last: AttemptKey | None, began_at: int, inserted: int) -> PassProgress:
        """What to keep so that the pass can go on at offset ``start``, after ``inserted`` rows came ahead of it."""
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
            open_places=tuple(self.open_attempts.values())[:OPEN_KEPT],
            inserted=inserted,
            late=self.late,
            erased=self.erased,
            rising=self.rising,
            falling=self.falling,
        )
