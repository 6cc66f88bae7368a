"""A look at the edge of one exam: the rows that are new, and the attempts that run.

As with a full pass, submissions are written first and the watch last.
"""

from __future__ import annotations

from dataclasses import dataclass

from examhook.detection.attempt_count import accounts_for
from examhook.detection.diff import distinct
from examhook.detection.digest import after_change
from examhook.detection.edge import EdgeReading, reach_of, read_edge
from examhook.detection.plan import LOOK_SECONDS, ExamRequest
from examhook.detection.reconcile import Findings, newest_at, remembered
from examhook.detection.watch import ExamWatch, RowOrder
from examhook.model import Attempt, AttemptKey, Status
from examhook.workflows.exam_access import ExamAccess, OutOfTimeError, PollTools, Settlement
from examhook.workflows.report import PassOutcome


@dataclass(frozen=True, slots=True)
class EdgeOutcome:
    """What a look gave."""

    outcome: PassOutcome
    needs_whole: bool
    """Whether only a full pass can answer for the exam now."""
    appeared: int = 0
    ended: int = 0


def look_at_edge(tools: PollTools, request: ExamRequest, known: ExamWatch) -> EdgeOutcome:
    """Read the edge, write what changed, remember it; raises ProviderError, ClientError, LeaseLostError."""
    access = ExamAccess(tools, request)
    try:
        reading = read_edge(request, known, access.fetch, access.stored_around, tools.pager.limit)
        rows = distinct(reading.rows)
        asked = _ask_for_running(access, known, rows, deep=not reach_of(request, known, tools.pager.limit))
    except OutOfTimeError:
        outcome = PassOutcome(0, 0, 0, "there was no time left to read it", out_of_time=True)
        return EdgeOutcome(outcome, needs_whole=False)
    reading.stored.update(access.stored_around(list(asked.values())))
    rows.update(asked)
    settlement = access.settle(rows, reading.stored)
    vanished = set(known.open_attempts) - {attempt.key for attempt in settlement.attempts}
    unexplained = not accounts_for(request, settlement.appeared, settlement.ended, access.began_at)
    # Since a full pass could not explain them, they may have moved again, and new rows come where none did before.
    stale = known.unreconciled_since is None or access.began_at - known.passed_at >= LOOK_SECONDS
    whole_needed = not reading.reached or bool(vanished) or (unexplained and stale)
    skipped = len(reading.unreadable) + access.unanswered
    outcome = PassOutcome(len(rows), len(settlement.written), skipped, _problem(reading, access, settlement))
    if not whole_needed:
        findings = _findings(access, known, reading, settlement, complete=outcome.problem is None)
        tools.exams.remember(tools.watch.account, remembered(request, findings), tools.lease.fence)
    return EdgeOutcome(outcome, whole_needed, settlement.appeared, settlement.ended)


def _ask_for_running(
    access: ExamAccess, known: ExamWatch, rows: dict[AttemptKey, Attempt], *, deep: bool
) -> dict[AttemptKey, Attempt]:
    """Rows of the running attempts that stand too deep for a look, asked for by candidate."""
    if not deep:
        return {}
    found = (access.row_of(key) for key in known.open_attempts if key not in rows)
    return {row.key: row for row in found if row is not None}


def _problem(reading: EdgeReading, access: ExamAccess, settlement: Settlement) -> str | None:
    if reading.unreadable:
        reasons = ", ".join(sorted(set(reading.unreadable.values())))
        return f"{len(reading.unreadable)} of its rows could not be understood: {reasons}"
    if access.unanswered:
        return f"{access.unanswered} of its rows have no status"
    return "another poll was faster" if settlement.overtaken else None


def _findings(
    access: ExamAccess, known: ExamWatch, reading: EdgeReading, settlement: Settlement, *, complete: bool
) -> Findings:
    digest = known.digest
    for change in settlement.written:
        digest = None if digest is None else after_change(digest, change)
    open_attempts = _running(settlement)
    changed = [change.after.attempt for change in settlement.written]
    return Findings(
        began_at=access.began_at,
        complete=complete,
        appeared=settlement.appeared,
        ended=settlement.ended,
        rows=known.rows + settlement.appeared,
        open_attempts=open_attempts,
        open_depth=_depth(known, reading, settlement, open_attempts),
        order=known.order,
        digest=digest,
        newest_at=newest_at(changed),
        whole=False,
    )


def _running(settlement: Settlement) -> tuple[AttemptKey, ...]:
    return tuple(sorted(each.key for each in settlement.attempts if each.status_code == Status.IN_TEST))


def _depth(
    known: ExamWatch, reading: EdgeReading, settlement: Settlement, open_attempts: tuple[AttemptKey, ...]
) -> int:
    if not open_attempts:
        return 0
    listed = list(distinct(reading.rows))
    places = {key: place for place, key in enumerate(listed)}
    depths = [
        (len(listed) - places[key] if known.order is RowOrder.OLDEST else places[key] + 1)
        if key in places
        else known.open_depth + settlement.appeared
        for key in open_attempts
    ]
    return max(depths)
