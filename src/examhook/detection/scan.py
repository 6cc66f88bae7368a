"""What a full scan of an exam showed, counted batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from examhook.detection.digest import combined, digest_of
from examhook.detection.exam_state import RowOrder
from examhook.model import Attempt, AttemptKey, Status


@dataclass(slots=True)
class Scan:
    """What a full scan showed so far."""

    row_count: int = 0
    digest: int = 0
    running: list[AttemptKey] = field(default_factory=list)
    start_times: list[int] = field(default_factory=list)
    status_counts: Counter[int] = field(default_factory=Counter)
    newest_at: int = 0
    rising: bool = True
    """Whether no row started before the one listed ahead of it."""
    falling: bool = True
    listed_before: int | None = None
    """Start of the row that was listed last."""

    def uncounted(self) -> Scan:
        """A scan of the same order that has counted nothing."""
        return Scan(rising=self.rising, falling=self.falling, listed_before=self.listed_before)

    def note_order(self, rows: Iterable[Attempt]) -> None:
        """Note in which order rows are listed, which follow those noted before."""
        for row in rows:
            if self.listed_before is not None and row.started_at != self.listed_before:
                rises = row.started_at > self.listed_before
                self.rising, self.falling = self.rising and rises, self.falling and not rises
            self.listed_before = row.started_at

    def count(self, attempts: Sequence[Attempt]) -> None:
        """Add distinct attempts as they are stored."""
        self.row_count += len(attempts)
        self.digest = combined(self.digest, digest_of(attempts))
        self.running += [each.key for each in attempts if each.status_code == Status.IN_TEST]
        self.start_times += [each.started_at for each in attempts]
        self.status_counts.update(each.status_code for each in attempts)
        self.newest_at = max([self.newest_at, *(each.ended_at or each.started_at for each in attempts)])

    @property
    def order(self) -> RowOrder | None:
        """Order of the rows; None where they do not show it."""
        if self.rising and self.falling:
            return None
        if not self.rising and not self.falling:
            return RowOrder.NEITHER
        return RowOrder.OLDEST if self.rising else RowOrder.NEWEST

    @property
    def running_depth(self) -> int:
        """Rows between the place where new rows appear and the deepest running attempt, that one included."""
        if not self.running:
            return 0
        deepest = min(key.started_at for key in self.running)
        return sum(started_at >= deepest for started_at in self.start_times)
