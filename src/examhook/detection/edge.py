"""Reading only the edge of an exam's list, where its new rows appear.

Newest first, that is the first page; oldest first, the end. The reading goes on until it has come past
the deepest running attempt, and until a page ends (newest first) or begins (oldest first) among rows
that are known. What it cannot answer for, a full pass must: rows that were removed ahead of it, or
fewer new rows than the takings tell of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from examhook.detection.page import Fetch, Page
from examhook.detection.plan import ExamRequest
from examhook.detection.watch import ExamWatch, RowOrder
from examhook.model import Attempt, AttemptKey, Submission

MAX_PAGES = 10
"""A longer edge is read as a full pass, which can be cut short and go on later."""

Lookup = Callable[[Sequence[Attempt]], Mapping[AttemptKey, Submission]]
"""Gives what is stored of the given rows, at least."""


@dataclass(slots=True)
class EdgeReading:
    """What reading the edge gave."""

    rows: list[Attempt] = field(default_factory=list)
    stored: dict[AttemptKey, Submission] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)
    reached: bool = False
    """Whether all that is new must be among the rows."""
    depth: int = 0
    """How many rows from the edge were read."""


def reach_of(request: ExamRequest, known: ExamWatch, limit: int) -> int:
    """How many rows from the edge to read for the sake of running attempts, 0 where asking for each is cheaper.

    By page it takes one request for each ``limit`` rows down to the deepest; else one for each candidate.
    """
    if not known.open_count:
        return 0
    reach = known.open_depth + request.growth + 1
    candidates = len({key.candidate_id for key in known.open_attempts})
    all_named = known.open_count == len(known.open_attempts)
    further_pages = (reach - 1) // max(1, limit - 1)
    return 0 if all_named and candidates < further_pages else reach


def read_edge(request: ExamRequest, known: ExamWatch, fetch: Fetch[Attempt], lookup: Lookup, limit: int) -> EdgeReading:
    """Read the edge of the requested exam; raises what ``fetch`` and ``lookup`` raise."""
    reach = reach_of(request, known, limit)
    if known.order is RowOrder.OLDEST:
        return _from_the_end(request, known, fetch, lookup, limit=limit, reach=reach)
    return _from_the_head(request, known, fetch, lookup, limit=limit, reach=reach)


def _from_the_head(  # noqa: PLR0913 - the parts of one reading
    request: ExamRequest, known: ExamWatch, fetch: Fetch[Attempt], lookup: Lookup, *, limit: int, reach: int
) -> EdgeReading:
    reading = EdgeReading()
    start, last = 0, None
    for _ in range(MAX_PAGES):
        page = fetch(start, limit)
        keys = _take(reading, page, start, lookup)
        if last is not None and last not in keys and not page.unreadable:
            return reading
        reading.depth = start + page.row_count
        at_end = page.row_count <= (1 if start else 0) or (
            page.row_count < limit and reading.depth >= known.rows + request.growth
        )
        among_known = bool(keys) and keys[-1] in reading.stored and reading.depth >= reach
        if at_end or among_known:
            reading.reached = True
            return reading
        last = keys[-1] if keys else None
        start += max(1, page.row_count - 1)
    return reading


def _from_the_end(  # noqa: PLR0913 - the parts of one reading
    request: ExamRequest, known: ExamWatch, fetch: Fetch[Attempt], lookup: Lookup, *, limit: int, reach: int
) -> EdgeReading:
    reading = EdgeReading()
    begin = start = max(0, known.rows - 1 - max(0, reach - request.growth))
    last = None
    for _ in range(MAX_PAGES):
        page = fetch(start, limit)
        keys = _take(reading, page, start, lookup)
        if start == begin and begin > 0 and not (keys and keys[0] in reading.stored):
            # Rows were removed, so the end stands elsewhere.
            return reading
        if last is not None and last not in keys and not page.unreadable:
            return reading
        reading.depth = start + page.row_count - begin
        if page.row_count <= (1 if start else 0) or (
            page.row_count < limit and start + page.row_count >= known.rows + request.growth
        ):
            reading.reached = True
            return reading
        last = keys[-1] if keys else None
        start += max(1, page.row_count - 1)
    return reading


def _take(reading: EdgeReading, page: Page[Attempt], start: int, lookup: Lookup) -> list[AttemptKey]:
    reading.rows.extend(page.rows)
    reading.unreadable.update({start + row.place: row.reason for row in page.unreadable})
    reading.stored.update(lookup(page.rows))
    return [row.key for row in page.rows]
