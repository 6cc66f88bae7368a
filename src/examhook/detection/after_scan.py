"""What to remember of an exam after a full scan."""

from __future__ import annotations

from dataclasses import replace

from examhook.detection.exam_state import RUNNING_KEPT, ExamState, RowOrder
from examhook.detection.exam_transition import with_receipt
from examhook.detection.scan import Scan
from examhook.model import Receipt


def after_complete_scan(  # noqa: PLR0913 - all that the state follows from
    state: ExamState, scan: Scan, *, began_at: int, row_order: RowOrder, changed: bool, is_digest_valid: bool
) -> ExamState:
    """The state after a scan that began at ``began_at`` (Unix seconds, our clock) showed all rows.

    ``changed``: something happened in the exam, so that the next scan comes soon. ``is_digest_valid``: what is stored
    is what the scan showed.
    """
    # The time of a first scan says nothing about when its rows changed; a row in the future was not seen to change.
    happened_at = began_at if changed and state.scanned_at is not None else min(scan.newest_at, began_at)
    return replace(
        state,
        row_order=row_order,
        row_count=scan.row_count,
        running=tuple(sorted(scan.running))[:RUNNING_KEPT],
        running_count=len(scan.running),
        running_depth=scan.running_depth,
        digest=scan.digest if is_digest_valid else None,
        scanned_at=began_at,
        changed_at=max(state.changed_at, happened_at),
        failed_since=None,
    )


def after_incomplete_scan(
    state: ExamState, scan: Scan, *, attempt_count: int | None, failed_at: int | None
) -> ExamState:
    """The state after a scan that failed in part: the exam stays due, and what was seen running is kept.

    ``attempt_count`` is the one before the scan, so that its change still calls for another. ``failed_at`` is None
    where only the time ran out.
    """
    running = tuple(sorted({*state.running, *scan.running}))
    return replace(
        state,
        exam=replace(state.exam, attempt_count=attempt_count),
        running=running[:RUNNING_KEPT],
        running_count=max(state.running_count, len(running)),
        digest=None,
        failed_since=failed_at if state.failed_since is None else state.failed_since,
    )


def certified(state: ExamState, scan: Scan) -> ExamState:
    """The state after a complete scan, with its receipt announced."""
    counts, digest = dict(scan.status_counts), f"{scan.digest:016x}"
    return with_receipt(state, Receipt(state.scanned_at or 0, counts, digest))


def row_order_after(known: RowOrder, scan: Scan, *, is_continued: bool) -> RowOrder:
    """Order of the rows after a scan; parts of one scan that contradict each other have none."""
    shown = scan.order
    if shown is None:
        return known
    return shown if not is_continued or known in {RowOrder.UNKNOWN, shown} else RowOrder.NEITHER
