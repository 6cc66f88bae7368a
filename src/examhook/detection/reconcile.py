"""What to remember of an exam after it was read: above all, whether its ``takings`` are accounted for.

``takings`` is a hint that may count starts or finishes, and run ahead of the rows or behind them. It is taken as
accounted for only when as many attempts appeared, or ended, as it grew by; otherwise the exam stays due, so
that a row which the provider shows late is still found at once. A hint that never comes true is believed in
for PATIENCE_SECONDS, then left to the regular full passes. Rows that it never told of prove it wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from examhook.detection.plan import ExamRequest
from examhook.detection.watch import OPEN_KEPT, ExamWatch, RowOrder
from examhook.model import Attempt, AttemptKey

PATIENCE_SECONDS = 600
EMPTY_PATIENCE_SECONDS = 1800
"""An exam that had rows is believed to have none only after it has shown none for so long."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What reading an exam, or part of it, showed."""

    began_at: int
    """When the reading began, by the provider's clock."""
    complete: bool
    """Whether everything that had to be read was read, understood and written."""
    appeared: int
    """Attempts that were not known before."""
    ended: int
    """Attempts that were known as running, or not at all, and have ended."""
    rows: int
    """Distinct attempts known now."""
    open_attempts: tuple[AttemptKey, ...]
    """All attempts that run, as far as is known now."""
    open_depth: int
    order: RowOrder
    digest: int | None
    newest_at: int
    """When the latest thing happened among the rows that were read; 0 when nothing did."""
    whole: bool
    """Whether all of the exam was read."""


def accounts_for(request: ExamRequest, appeared: int, ended: int) -> bool:
    """Whether what was found explains how far the takings moved."""
    ahead = request.known.ahead if request.known else 0
    return ahead + max(appeared, ended) >= request.growth


def remembered(request: ExamRequest, findings: Findings) -> ExamWatch:
    """The watch to remember after ``request.exam`` was read."""
    known = request.known or ExamWatch(exam=replace(request.exam, takings=None))
    if not findings.complete:
        return _incomplete(request, known, findings)
    first = not known.is_known
    agrees = first or accounts_for(request, findings.appeared, findings.ended)
    since = None if agrees else known.unreconciled_since or findings.began_at
    given_up = since is not None and findings.began_at - since >= PATIENCE_SECONDS
    settled = agrees or given_up
    ahead = max(0, known.ahead + max(findings.appeared, findings.ended) - request.growth)
    if first or given_up:
        ahead = 0
    return ExamWatch(
        exam=request.exam if settled else replace(request.exam, takings=known.exam.takings),
        rows=findings.rows,
        open_count=len(findings.open_attempts),
        open_attempts=findings.open_attempts[:OPEN_KEPT],
        open_depth=findings.open_depth,
        order=findings.order,
        digest=findings.digest,
        passed_at=findings.began_at if findings.whole else known.passed_at,
        tried_at=findings.began_at,
        failed_at=None if findings.whole else known.failed_at,
        changed_at=_changed_at(known, findings),
        # What was found so far must count when the takings are compared again.
        ahead=ahead if settled else known.ahead + max(findings.appeared, findings.ended),
        ahead_since=_ahead_since(known, findings, ahead) if settled else known.ahead_since,
        unreconciled_since=None if settled else since,
    )


def _incomplete(request: ExamRequest, known: ExamWatch, findings: Findings) -> ExamWatch:
    """What stays known after a reading that failed in part: the exam stays due, what was seen to run is kept."""
    open_attempts = tuple(sorted({*known.open_attempts, *findings.open_attempts}))
    return replace(
        known,
        exam=request.exam if request.known is None else known.exam,
        open_count=max(known.open_count, len(open_attempts)),
        open_attempts=open_attempts[:OPEN_KEPT],
        digest=None,
        tried_at=findings.began_at,
        failed_at=findings.began_at if findings.whole else known.failed_at,
        changed_at=_changed_at(known, findings),
        empty_since=(known.empty_since or findings.began_at) if known.rows and not findings.rows else None,
        progress=None,
    )


def withdrawn(known: ExamWatch, now: int) -> ExamWatch:
    """The watch on an exam that is no longer listed and whose results the provider refused at ``now``.

    What ran in it cannot be followed any more; full passes go on at their longest pause, should it come back.
    """
    return replace(
        known, tried_at=now, failed_at=now, open_count=0, open_attempts=(), open_depth=0, digest=None, progress=None
    )


def is_believable(known: ExamWatch | None, rows: int, now: int) -> bool:
    """Whether an exam that shows so many rows can be taken at its word: one that was emptied only after a while."""
    if rows or known is None or not known.rows:
        return True
    return known.empty_since is not None and now - known.empty_since >= EMPTY_PATIENCE_SECONDS


def takings_lie(watch: ExamWatch, now: int) -> bool:
    """Whether rows were seen that the takings have not told of for so long that they never will."""
    return watch.ahead_since is not None and now - watch.ahead_since >= PATIENCE_SECONDS


def newest_at(rows: Sequence[Attempt]) -> int:
    """When the latest thing happened among ``rows``; 0 for none."""
    return max((row.ended_at or row.started_at for row in rows), default=0)


def _changed_at(known: ExamWatch, findings: Findings) -> int:
    happened = findings.began_at if known.is_known and (findings.appeared or findings.ended) else findings.newest_at
    # An end in the future (a clock that is ahead) would keep the exam busy until then.
    return max(known.changed_at, min(happened, findings.began_at))


def _ahead_since(known: ExamWatch, findings: Findings, ahead: int) -> int | None:
    if not ahead:
        return None
    return known.ahead_since if known.ahead_since is not None and known.ahead else findings.began_at
