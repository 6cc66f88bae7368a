"""Reads the exam list, and then the planned exams one after the other.

A failed exam is reported and stays due, and the next exams follow. If several exams in a row fail, the provider itself
is failing: the poll stops, and the next one backs off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from examhook.detection.plan import Depth, ExamRequest, Reason, is_paused
from examhook.detection.reader import Reader
from examhook.model import Exam
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderRejected, ProviderThrottled
from examhook.provider.port import ExamPage, ProviderClient
from examhook.storage.item_codec import UnreadableItemError
from examhook.workflows.polling.exam_source import PollContext
from examhook.workflows.polling.full_scan import FullScan
from examhook.workflows.polling.incremental_scan import IncrementalScan
from examhook.workflows.polling.lease import Lease
from examhook.workflows.polling.report import ExamOutcome, PollReport

INCOMPLETE_LIST = "the exam list may be incomplete"
"""Beginning of the note about an incomplete list; a backfill selects the note by it."""
EXAM_RESERVE_S = 30.0
"""Minimum time left to start another exam."""
MAX_FAILURES = 3
"""Failures in a row after which a poll stops."""
PROOF_S = 300
"""Interval between proofs of the list's end. In between, a short page that completes the count ends it."""


@dataclass(frozen=True, slots=True)
class ExamList:
    """The exam list as the provider showed it."""

    exams: Mapping[str, Exam]
    """Exams by id."""
    is_complete: bool
    """Whether the end is proven and every row was readable."""


def read_exam_list(
    client: ProviderClient, lease: Lease, report: PollReport, listed_count: int | None, *, prove_end: bool
) -> ExamList:
    """Read all pages of the exam list, and report what may be missing; raises ProviderError, LeaseLostError.

    ``listed_count`` is the number of exams on the last complete list, None before the first.
    """
    problems: list[str] = []

    def fetch(start: int, limit: int) -> ExamPage:
        lease.keep()
        page = client.exams(start, limit)
        problems.extend([page.problem] if page.problem and page.problem not in problems else [])
        return page

    reader = Reader(
        fetch, lambda exam: exam.exam_id, at_least=listed_count or 1, counted=None if prove_end else listed_count
    )
    exams = {exam.exam_id: exam for rows in reader.pages() for exam in rows}
    if skipped := reader.unreadable.total():
        report.skipped_rows += skipped
        reasons = ", ".join(sorted(reader.unreadable))
        problems.append(f"{skipped} of its rows cannot be read: {reasons}")
    if reader.problem is not None:
        problems.append(reader.problem)
    if not exams and listed_count:
        problems.append(f"it is empty, and had {listed_count} exams")
    if problems:
        report.unfinished += 1
        report.notes.append(f"{INCOMPLETE_LIST}: {', '.join(problems)}")
    return ExamList(exams, not problems)


def read_exams(context: PollContext, requests: Sequence[ExamRequest], *, is_manual: bool) -> bool:
    """Read exams in this order; return False if the provider keeps failing.

    A manual poll also reads exams that failed recently. Raises ProviderRefused, ClientError, LeaseLostError.
    """
    report, now = context.report, int(context.now())
    failures = 0
    for index, request in enumerate(requests):
        if not is_manual and is_paused(request, now):
            report.unfinished += 1
            report.notes.append(f"exam {request.exam.exam_id}: it failed recently; a later poll reads it again")
            continue
        report.out_of_time |= (is_out_of_time := context.time_left_s() < EXAM_RESERVE_S)
        if is_out_of_time or failures >= MAX_FAILURES:
            report.unfinished += len(requests) - index
            return is_out_of_time
        error = _try_exam(context, request)
        failures = 0 if error is None else failures + 1
        if isinstance(error, ProviderThrottled):
            report.unfinished += len(requests) - index - 1
            return False
    return failures < MAX_FAILURES


def _try_exam(context: PollContext, request: ExamRequest) -> ProviderError | None:
    """Read one exam and report the outcome; return the provider's error, if any."""
    try:
        context.report.count(request.exam.exam_id, _read_exam(context, request))
    except ProviderRefused:
        raise
    except ProviderError as error:
        _note_failure(context, request, error)
        return error
    except UnreadableItemError as error:
        # Another version of Examhook wrote the item. Other exams do not depend on it.
        context.report.errors.append(
            f"Exam {request.exam.exam_id} was not read: {error}."
            " Deploy again the version that wrote it, or a newer one."
        )
    return None


def _read_exam(context: PollContext, request: ExamRequest) -> ExamOutcome:
    """Read one exam; raises ProviderError, ClientError, LeaseLostError, UnreadableItemError."""
    if request.depth is Depth.FULL:
        return FullScan(context, request).run()
    incremental = IncrementalScan(context, request).run()
    if not incremental.needs_full_scan:
        return incremental
    full = FullScan(context, request).run()
    return replace(full, changes=full.changes + incremental.changes)


def _note_failure(context: PollContext, request: ExamRequest, error: ProviderError) -> None:
    """Report that an exam failed, and store since when, so that later polls pause before they read it again."""
    exam_id, now, report = request.exam.exam_id, int(context.now()), context.report
    state = context.exams.states[exam_id]
    if request.reason is Reason.UNLISTED and isinstance(error, ProviderRejected):
        # The exam may be deleted, so its running attempts can no longer be read.
        state = replace(state, running=(), running_count=0, running_depth=0, digest=None, cursor=None, skipped={})
        report.notes.append(f"exam {exam_id} is no longer listed, and could not be read: {error}")
    else:
        report.note_failure(error)
        report.errors.append(f"Exam {exam_id} could not be read: {error}")
        report.failed.add(exam_id)
    since = now if state.failed_since is None else state.failed_since
    context.exams.save(replace(state, read_at=now, failed_since=since))
