"""What to remember of an exam after it was read: above all, whether its ``attempt_count`` are accounted for.

``attempt_count`` is a hint that may count starts or ends, and run ahead of the rows or behind them. It is taken as
accounted for only when as many attempts appeared, or ended, as it grew by; otherwise the exam stays due, so
that a row which the provider shows late is still found at once. A hint that never comes true is believed in
for PATIENCE_SECONDS, then left to the regular full passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from examhook.detection.attempt_count import PATIENCE_SECONDS, accounts_for, compared
from examhook.detection.plan import ExamRequest
from examhook.detection.watch import OPEN_KEPT, ExamWatch, RowOrder, Told
from examhook.model import Attempt, AttemptKey

DIGEST_SECONDS = 7 * 86_400
"""For so long a digest stands for what is stored. A write that was under way when its poll lost the lease may come
after the digest, so once a week everything is compared whatever the digest says."""

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
    """Attempts that were known as running, or not at all, and have ended for the first time."""
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
    compared: bool = False
    """Whether all that is stored was held against it."""


def remembered(request: ExamRequest, findings: Findings) -> ExamWatch:
    """The watch to remember after ``request.exam`` was read."""
    known = request.known or ExamWatch(exam=replace(request.exam, attempt_count=None))
    if not findings.complete:
        return _incomplete(request, known, findings)
    first = not known.is_known
    agrees = first or accounts_for(request, findings.appeared, findings.ended, findings.began_at)
    since = None if agrees else known.unreconciled_since or findings.began_at
    given_up = since is not None and findings.began_at - since >= PATIENCE_SECONDS
    settled = agrees or given_up
    starts, ends = _compared(request, known, findings, settled=settled)
    if first or given_up:
        starts, ends = Told(refuted=starts.refuted), Told(refuted=ends.refuted)
    return ExamWatch(
        exam=replace(
            request.exam,
            # That it closed is followed by a full pass, so it stays news until there was one.
            available=request.exam.available or (known.exam.available and not findings.whole),
            attempt_count=request.exam.attempt_count if settled else known.exam.attempt_count,
        ),
        rows=findings.rows,
        open_count=len(findings.open_attempts),
        open_attempts=findings.open_attempts[:OPEN_KEPT],
        open_depth=findings.open_depth,
        order=findings.order,
        digest=findings.digest,
        compared_at=findings.began_at if findings.compared else known.compared_at,
        passed_at=findings.began_at if findings.whole else known.passed_at,
        tried_at=findings.began_at,
        failed_at=None if findings.whole else known.failed_at,
        changed_at=_changed_at(known, findings),
        starts=starts,
        ends=ends,
        unreconciled_since=None if settled else since,
    )


def _incomplete(request: ExamRequest, known: ExamWatch, findings: Findings) -> ExamWatch:
    """What stays known after a reading that failed in part: the exam stays due, what was seen to run is kept."""
    open_attempts = tuple(sorted({*known.open_attempts, *findings.open_attempts}))
    starts, ends = _compared(request, known, findings, settled=False)
    return replace(
        known,
        exam=request.exam if request.known is None else known.exam,
        open_count=max(known.open_count, len(open_attempts)),
        open_attempts=open_attempts[:OPEN_KEPT],
        digest=None,
        tried_at=findings.began_at,
        failed_at=findings.began_at if findings.whole else known.failed_at,
        rejected_since=None,
        changed_at=_changed_at(known, findings),
        starts=starts,
        ends=ends,
        empty_since=(known.empty_since or findings.began_at) if rows_expected(request) and not findings.rows else None,
        progress=None,
    )


def has_lasted(known: ExamWatch, now: int) -> bool:
    """Whether the provider has refused the exam's results for so long that it is no passing trouble."""
    return known.rejected_since is not None and now - known.rejected_since >= PATIENCE_SECONDS


def withdrawn(known: ExamWatch, now: int) -> ExamWatch:
    """The watch on an exam that is no longer listed and whose results the provider refused at ``now``.

    What ran in it cannot be followed any more; full passes go on at their longest pause, should it come back.
    """
    return replace(
        known,
        tried_at=now,
        failed_at=now,
        rejected_since=None,
        open_count=0,
        open_attempts=(),
        open_depth=0,
        digest=None,
        progress=None,
    )


def _compared(request: ExamRequest, known: ExamWatch, findings: Findings, *, settled: bool) -> tuple[Told, Told]:
    return compared(
        request, known, appeared=findings.appeared, ended=findings.ended, now=findings.began_at, settled=settled
    )


def stands_for_all(known: ExamWatch, now: int) -> bool:
    """Whether the exam's digest can be taken for all that is stored of it."""
    return known.digest is not None and now - known.compared_at < DIGEST_SECONDS


def is_believable(request: ExamRequest, rows: int, now: int) -> bool:
    """Whether an exam that shows so many rows can be taken at its word: one without any only after a while."""
    known = request.known
    if rows or not rows_expected(request):
        return True
    return known is not None and known.empty_since is not None and now - known.empty_since >= EMPTY_PATIENCE_SECONDS


def rows_expected(request: ExamRequest) -> int:
    """How many rows there should be about: as many as were known, at a first contact as many as it was taken."""
    known = request.known
    return known.rows if known is not None and known.is_known else request.exam.attempt_count or 0


def newest_at(rows: Sequence[Attempt]) -> int:
    """When the latest thing happened among ``rows``; 0 for none."""
    return max((row.ended_at or row.started_at for row in rows), default=0)


def _changed_at(known: ExamWatch, findings: Findings) -> int:
    happened = findings.began_at if known.is_known and (findings.appeared or findings.ended) else findings.newest_at
    # An end in the future (a clock that is ahead) would keep the exam busy until then.
    return max(known.changed_at, min(happened, findings.began_at))
