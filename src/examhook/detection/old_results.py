"""Old results: attempts that were final before the watch began. They are recorded and not announced.

=======================================================  ================================================
a result of an exam that                                 is old if it ended before
=======================================================  ================================================
was in the first list and is scanned for the first time  the watch start, by the clock of the rows
was scanned before, or is new on the list                a day before that, even if a clock is wrong
=======================================================  ================================================

``InitialSync=announce`` announces all results.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from examhook.detection.exam_state import ExamState
from examhook.model import Attempt, Status

CLOCKS_AGREE_S = 60
"""Clocks that differ by at most this much count as equal."""
SURELY_OLD_S = 86_400
"""Largest believable clock error. A result that ended this long before the watch began is old."""


def happened_at(attempt: Attempt) -> int:
    """Time of the attempt's last known change: its end, or its start if it is running or shows no end."""
    if attempt.status_code == Status.IN_TEST or attempt.ended_at is None:
        return attempt.started_at
    return attempt.ended_at


@dataclass(slots=True)
class RowClock:
    """How far the clock of one account's rows is ahead of ours."""

    ahead_s: int | None = None
    """Latest time in any row minus our clock, in seconds."""

    def observe(self, rows: Iterable[Attempt], now: int) -> None:
        """Update the clock from rows read at ``now``. A time more than a day ahead is an error in one row."""
        ahead_s = (happened_at(row) - now for row in rows)
        latest_s = max((each for each in ahead_s if each <= SURELY_OLD_S), default=None)
        if latest_s is not None:
            self.ahead_s = latest_s if self.ahead_s is None else max(self.ahead_s, latest_s)


def old_before(
    state: ExamState, *, watch_started_at: int, now: int, newest_row_at: int, clock_offset_s: int | None
) -> int:
    """Return the instant, by the clock of the rows, before which a result of the exam is old.

    A wrong clock must not suppress new results, so the earlier of two possible instants is used.

    Args:
        state: The exam state.
        watch_started_at: Watch start by our clock, Unix seconds.
        now: Our clock, Unix seconds.
        newest_row_at: Latest time in any row of the account, Unix seconds.
        clock_offset_s: The provider's ``Date`` minus our clock; None if it is missing or not believable.
    """
    if state.scanned_at is not None or not state.predates_watch:
        return watch_started_at - SURELY_OLD_S
    offset_s = clock_offset_s or 0
    rows_ahead_s = newest_row_at - now
    # The rows can follow the clock of ``Date`` only if none of them is in its future.
    is_possible = rows_ahead_s <= offset_s + CLOCKS_AGREE_S
    if rows_ahead_s <= CLOCKS_AGREE_S:
        # The rows may follow our clock. A ``Date`` behind our clock is believed if it is possible.
        return watch_started_at + (min(offset_s, 0) if is_possible else 0)
    # The clock of the rows is at least ``rows_ahead_s`` ahead. All results of the first poll are old.
    is_first_poll = now - watch_started_at <= CLOCKS_AGREE_S
    by_rows = newest_row_at + 1 if is_first_poll else watch_started_at + rows_ahead_s
    return min(by_rows, watch_started_at + offset_s) if is_possible else by_rows
