"""What to remember of an exam after a pass: above all, whether its ``takings`` are accounted for.

``takings`` is a hint that may run ahead of the rows. It is taken as accounted for only when as
many new rows were seen as it grew by; otherwise the exam stays due, so that a row which the
provider shows late is still found at once. A hint that never comes true is believed in for
PATIENCE_SECONDS, then left to the regular full passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from examhook.detection.plan import ExamRequest
from examhook.detection.watch import ExamWatch
from examhook.model import Attempt, Exam, Status

PATIENCE_SECONDS = 600


def after_pass(request: ExamRequest, rows: Iterable[Attempt], *, began_at: int, complete: bool) -> ExamWatch:
    """The watch to remember after a pass over ``request.exam`` that saw the distinct ``rows``.

    ``began_at`` is when the pass began, by the provider's clock. A pass that is not ``complete``
    (rows unreadable, pages that would not fit together) leaves what was known of the whole exam.
    """
    seen = list(rows)
    known = request.known
    open_attempts = sum(row.status_code == Status.IN_TEST for row in seen)
    if not complete:
        if known is None:
            return ExamWatch(exam=request.exam, rows=0, open_attempts=open_attempts, passed_at=0, tried_at=began_at)
        return replace(known, open_attempts=max(known.open_attempts, open_attempts), tried_at=began_at)
    unreconciled_since = _unreconciled_since(request, len(seen), began_at)
    exam = request.exam
    if unreconciled_since is not None and known is not None:
        exam = replace(exam, takings=known.exam.takings)
    return ExamWatch(
        exam=exam,
        rows=len(seen) if unreconciled_since is None or known is None else known.rows,
        open_attempts=open_attempts,
        passed_at=began_at,
        tried_at=began_at,
        unreconciled_since=unreconciled_since,
    )


def _unreconciled_since(request: ExamRequest, rows: int, began_at: int) -> int | None:
    known = request.known
    if known is None or not known.is_known or rows - known.rows >= _growth(known.exam, request.exam):
        return None
    since = known.unreconciled_since if known.unreconciled_since is not None else began_at
    return None if began_at - since >= PATIENCE_SECONDS else since


def _growth(before: Exam, now: Exam) -> int:
    if before.takings is None or now.takings is None:
        return 0
    return max(0, now.takings - before.takings)
