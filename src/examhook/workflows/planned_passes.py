"""The passes of one poll, one exam after the other, each counted in the report.

An exam is one unit of failure: one whose pass fails is reported and stays due, and the others go on. They stop
only where time is up or the provider wants to be left alone; the next poll goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from examhook.detection.plan import ExamRequest, Reason
from examhook.detection.reconcile import withdrawn
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderRejected, ProviderThrottled
from examhook.storage.submission_item import UnreadableItemError
from examhook.workflows.exam_access import PollTools
from examhook.workflows.exam_pass import read_exam
from examhook.workflows.report import PassOutcome, PollReport

TIME_RESERVE_S = 30.0
"""No pass begins with less time left than this."""


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
        if isinstance(error, ProviderRejected) and request.known and request.reason is Reason.UNLISTED:
            watch = withdrawn(request.known, listed_at)
            tools.exams.remember(tools.watch.account, watch, tools.lease.fence)
            report.notes.append(f"exam {request.exam.exam_id} is no longer listed, and its results are refused")
            return True
        report.provider_failed = True
        report.errors.append(f"Exam {request.exam.exam_id} could not be read: {error}")
        report.failed.add(request.exam.exam_id)
        return not isinstance(error, ProviderThrottled)
    except UnreadableItemError as error:
        # Of another version than this: left as it is, and the other exams are none the worse for it.
        left_alone = f"Exam {request.exam.exam_id} is left alone: {error}."
        report.errors.append(f"{left_alone} Deploy the version that wrote it again, or a newer one.")
    return True


def _count(outcome: PassOutcome, request: ExamRequest, report: PollReport) -> None:
    report.exams += 1
    report.rows += outcome.rows
    report.changes += outcome.changes
    report.skipped_rows += outcome.skipped_rows
    report.out_of_time |= outcome.out_of_time
    if outcome.problem is not None:
        report.unfinished += 1
        report.notes.append(f"exam {request.exam.exam_id}: {outcome.problem}")
