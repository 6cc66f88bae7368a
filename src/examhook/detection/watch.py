"""What is remembered of an account and of each of its exams between two polls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from examhook.model import AttemptKey, Exam

OPEN_KEPT = 200
"""So many running attempts of one exam are remembered by name; of more, only how many there are."""


class RowOrder(StrEnum):
    """In which order the provider lists an exam's rows, as far as was seen."""

    UNKNOWN = "unknown"
    NEWEST = "newest"
    """By start time, the latest first: new rows appear on the first page."""
    OLDEST = "oldest"
    """By start time, the earliest first: new rows appear at the end."""
    NEITHER = "neither"
    """New rows may appear anywhere, so only a full pass finds them."""


@dataclass(frozen=True, slots=True)
class AccountWatch:
    """The watch on one account."""

    account: str
    began_at: int
    """When the watch began, by the provider's clock: what ended before is old news."""
    takings_lie: bool = False
    """Rows were seen that ``attempt_count`` never told of, so it is not relied on."""
    listed_whole: bool = False
    """The whole list of exams was seen once, and every exam on it recorded."""
    began_here_at: int | None = None
    """When it began by our clock; None where an older version did not note it."""


@dataclass(frozen=True, slots=True)
class PassProgress:
    """How far a full pass came that was cut short; the next poll goes on from there."""

    start: int
    """Offset to go on from: that of the last row that was read."""
    last: AttemptKey | None
    """The row that must stand there; None where it could not be read."""
    began_at: int
    rows: int
    """Distinct attempts seen so far."""
    digest: int
    """Of the attempts seen so far."""
    appeared: int = 0
    ended: int = 0
    newest_at: int = 0
    """When the latest thing happened among them."""
    open_attempts: tuple[AttemptKey, ...] = ()
    """Those that run among them, OPEN_KEPT at most."""
    open_places: tuple[int, ...] = ()
    """At which place each of them stood."""
    inserted: int = 0
    """Rows that came ahead of these meanwhile, and are looked for at the head in the end."""
    late: int = 0
    """How many of those were met there."""
    erased: int = 0
    """How many of the attempts are erased candidates', of which nothing is stored."""
    rising: bool = True
    """Whether no row so far began before the one ahead of it."""
    falling: bool = True
    """Whether no row so far began after the one ahead of it."""

    @property
    def running(self) -> dict[AttemptKey, int]:
        """The running attempts and their places, 0 where an older version noted none."""
        places = (*self.open_places, *[0] * len(self.open_attempts))
        return dict(zip(self.open_attempts, places, strict=False))


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that ``attempt_count`` may count, and how it compares with what was seen since the exam is known."""

    ahead: int = 0
    """So many more were seen than ``attempt_count`` grew by; below 0: fewer."""
    ahead_since: int | None = None
    """Since when there are more."""
    refuted: bool = False
    """There were more for so long that this cannot be what it counts."""


@dataclass(frozen=True, slots=True)
class ExamWatch:
    """What is known of one exam from its last pass.

    It is written only after the pass's submissions are, so a poll that dies in between leaves the
    exam due, and the next pass finds the same changes again.
    """

    exam: Exam
    """As listed when it was last read; its ``attempt_count`` are those that the rows account for."""
    rows: int = 0
    """Distinct attempts known."""
    open_count: int = 0
    """Attempts known to be running."""
    open_attempts: tuple[AttemptKey, ...] = ()
    """Which ones, OPEN_KEPT at most."""
    open_depth: int = 0
    """How far from the edge the deepest of them stands: rows between it and where new rows appear."""
    order: RowOrder = RowOrder.UNKNOWN
    digest: int | None = None
    """Order-independent digest of all stored attempts; None when it has to be made anew."""
    compared_at: int = 0
    """When all that is stored was last held against all that the provider shows, by the provider's clock."""
    passed_at: int = 0
    """When the last complete pass began, by the provider's clock; 0 before the first."""
    tried_at: int = 0
    """When the exam was last read, whole or not."""
    failed_at: int | None = None
    """When a full pass last came to nothing; None when the last one was complete."""
    rejected_since: int | None = None
    """Since when the provider refuses its results, though it lists exams; None when it gave them last."""
    changed_at: int = 0
    """When something last happened in it, as far as is known."""
    starts: Told = Told()
    """Attempts that appeared, should ``attempt_count`` count starts."""
    ends: Told = Told()
    """Attempts that ended, should it count ends."""
    unreconciled_since: int | None = None
    """Since when ``attempt_count`` stand higher than the rows account for; None when they agree."""
    empty_since: int | None = None
    """Since when the provider shows no rows at all where there were some."""
    progress: PassProgress | None = None

    @property
    def is_known(self) -> bool:
        """Whether all of the exam's results were read at least once."""
        return self.passed_at > 0
