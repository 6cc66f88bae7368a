"""The passes of one poll, one exam after the other, each counted in the report.

An exam is one unit of failure: one whose pass fails is reported and stays due, and the others go on. They stop
only where time is up or the provider wants to be left alone; the next poll goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from examhook.detection.plan import ExamRequest, Reason, rests
from examhook.detection.reconcile import has_lasted, withdrawn
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderRejected, ProviderThrottled
from examhook.storage.submission_item import UnreadableItemError
from examhook.workflows.exam_access import PollTools
from examhook.workflows.exam_pass import read_exam
from examhook.workflows.report import PassOutcome, PollReport

TIME_RESERVE_S = 30.0
"""No pass begins with less time left than this."""


def without_resting(requests: Sequence[ExamRequest], report: PollReport, listed_at: int) -> list[ExamRequest]:
    """Those that are to be read now; that the others cannot be read, since they were refused lately, is reported."""
    to_read = []
    for request in requests:
        if rests(request, listed_at):
            report.unfinished += 1
            report.provider_failed = True
            report.notes.append(f"exam {request.exam.exam_id}: its results were refused, and are asked for again soon")
        else:
            to_read.append(request)
    return to_read


def read_planned(tools: PollTools, requests: Sequence[ExamRequest], report: PollReport, listed_at: int) -> None:
    """Read the exams in this order; raises ProviderRefused, ClientError, LeaseLostError.

    ``listed_at`` is when the exams were listed, by the provider's clock.
    """
    for place, request in enumerate(requests):
        time_is_up = tools.time_left_s() < TIME_RESERVE_S
        report.out_of_time |= time_is_up
        if time_is_up or not _read(tools, request, report, listed_at):
            report.unfinished += len(requests) - place
            return


def _read(tools: PollTools, request: ExamRequest, report: PollReport, listed_at: int) -> bool:
    """Read one exam and count it; False when the provider wants to be left alone now."""
    try:
        _count(read_exam(tools, request), request, report)
    except ProviderRefused:
        raise
    except ProviderError as error:
        if isinstance(error, ProviderRejected) and _remember_rejection(tools, request, error, listed_at):
            report.notes.append(f"exam {request.exam.exam_id} is no longer listed, and its results are refused")
            return True
        report.note_failure(error)
        report.errors.append(f"Exam {request.exam.exam_id} could not be read: {error}")
        report.failed.add(request.exam.exam_id)
        return not isinstance(error, ProviderThrottled)
    except UnreadableItemError as error:
        # Of another version than this: left as it is, and the other exams are none the worse for it.
        left_alone = f"Exam {request.exam.exam_id} is left alone: {error}."
        report.errors.append(f"{left_alone} Deploy the version that wrote it again, or a newer one.")
    return True


def _remember_rejection(tools: PollTools, request: ExamRequest, error: ProviderRejected, listed_at: int) -> bool:
    """Remember it, so that the exam does not come first at every poll; True where it is no error."""
    account, known = tools.watch.account, request.known
    if known is not None and request.reason is Reason.UNLISTED and (error.plain or has_lasted(known, listed_at)):
        tools.exams.remember(account, withdrawn(known, listed_at), tools.lease.fence)
        return True
    tools.exams.note_rejection(account, request.exam, listed_at, tools.lease.fence)
    return False


def _count(outcome: PassOutcome, request: ExamRequest, report: PollReport) -> None:
    report.exams += 1
    report.rows += outcome.rows
    report.changes += outcome.changes
    report.skipped_rows += outcome.skipped_rows
    report.out_of_time |= outcome.out_of_time
    if outcome.problem is not None:
        report.unfinished += 1
        report.notes.append(f"exam {request.exam.exam_id}: {outcome.problem}")
