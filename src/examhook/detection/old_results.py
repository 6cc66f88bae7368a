"""Which results are old: final before Examhook began to watch, so that they are recorded and not announced.

=======================================================  ============================================
a result of an exam that                                 is old where it ended before …
=======================================================  ============================================
was in the first list and is scanned for the first time  the watch began, by the clock of the rows
was scanned before, or is new on the list                a day before that, whatever clock is wrong
=======================================================  ============================================

``InitialSync=announce`` announces everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from examhook.detection.exam_state import ExamState
from examhook.model import Attempt, Status

CLOCKS_AGREE_S = 60
"""Clocks that differ by less count as the same."""
SURELY_OLD_S = 86_400
"""No clock is believed to be further off, so a result that ended a day before the watch began is old."""


def happened_at(attempt: Attempt) -> int:
    """When the attempt's last known change happened: its end, or its start where no end is shown."""
    if attempt.status_code == Status.IN_TEST or attempt.ended_at is None:
        return attempt.started_at
    return attempt.ended_at


@dataclass(slots=True)
class RowClock:
    """What the rows of one account show of the clock that they follow."""

    ahead_s: int | None = None
    """Seconds by which the latest instant in any row was ahead of our clock, negative where it lies in the past."""

    def see(self, rows: Iterable[Attempt], now: int) -> None:
        """Take rows into account; an instant more than a day ahead is a mistake in one row, and no clock."""
        ahead_s = (happened_at(row) - now for row in rows)
        found = max((each for each in ahead_s if each <= SURELY_OLD_S), default=None)
        if found is not None:
            self.ahead_s = found if self.ahead_s is None else max(self.ahead_s, found)


def old_before(
    state: ExamState, *, watch_started_at: int, now: int, newest_row_at: int, clock_offset_s: int | None
) -> int:
    """Instant, by the clock of the rows, before which a result of the exam is old.

    A wrong clock must not silence new results: of two possible instants, the earlier one is taken.

    Args:
        state: what is known of the exam.
        watch_started_at: by our clock.
        now: by our clock.
        newest_row_at: latest instant in any row of the account.
        clock_offset_s: how far the provider's ``Date`` is ahead of our clock; None where it cannot be believed.
    """
    if state.scanned_at is not None or not state.predates_watch:
        return watch_started_at - SURELY_OLD_S
    offset_s = clock_offset_s or 0
    rows_ahead_s = newest_row_at - now
    # Whether the rows may follow the clock of ``Date``: none lies in its future.
    is_possible = rows_ahead_s <= offset_s + CLOCKS_AGREE_S
    if rows_ahead_s <= CLOCKS_AGREE_S:
        # The rows may follow our clock. A Date that is behind is believed unless rows lie in its future.
        return watch_started_at + (min(offset_s, 0) if is_possible else 0)
    # The rows follow a clock that is at least this far ahead. All that the first poll sees is old.
    is_first_poll = now - watch_started_at <= CLOCKS_AGREE_S
    by_rows = newest_row_at + 1 if is_first_poll else watch_started_at + rows_ahead_s
    return min(by_rows, watch_started_at + offset_s) if is_possible else by_rows
