"""The exams of one poll, read one after the other as planned.

An exam is one unit of failure: one that fails is reported and stays due, and the others follow. When several fail in
a row, the provider itself is failing: the poll stops, and the next one backs off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from examhook.detection.plan import Depth, ExamRequest, Reason, rests
from examhook.provider.errors import ProviderError, ProviderRefused, ProviderRejected, ProviderThrottled
from examhook.storage.item_codec import UnreadableItemError
from examhook.workflows.polling.exam_source import PollTools
from examhook.workflows.polling.full_scan import FullScan
from examhook.workflows.polling.incremental_scan import IncrementalScan
from examhook.workflows.polling.report import ExamOutcome

TIME_RESERVE_S = 30.0
"""No exam is begun with less time left than this."""
MAX_FAILURES = 3
"""Failures in a row after which a poll stops."""


def read_exams(tools: PollTools, requests: Sequence[ExamRequest], *, is_manual: bool) -> bool:
    """Read exams in this order; returns False where the provider keeps failing.

    A poll that a person asked for also reads exams that failed lately. Raises ProviderRefused, ClientError,
    LeaseLostError.
    """
    report, now = tools.report, int(tools.now())
    failures = 0
    for place, request in enumerate(requests):
        if not is_manual and rests(request, now):
            report.unfinished += 1
            report.notes.append(f"exam {request.exam.exam_id}: it failed lately, and is read again soon")
            continue
        report.out_of_time |= (time_is_up := tools.time_left_s() < TIME_RESERVE_S)
        if time_is_up or failures >= MAX_FAILURES:
            report.unfinished += len(requests) - place
            return time_is_up
        error = _attempt(tools, request)
        failures = 0 if error is None else failures + 1
        if isinstance(error, ProviderThrottled):
            report.unfinished += len(requests) - place - 1
            return False
    return failures < MAX_FAILURES


def _attempt(tools: PollTools, request: ExamRequest) -> ProviderError | None:
    """Read one exam and report what came of it; returns why the provider gave no usable answer."""
    try:
        tools.report.count(request.exam.exam_id, _read(tools, request))
    except ProviderRefused:
        raise
    except ProviderError as error:
        _note_failure(tools, request, error)
        return error
    except UnreadableItemError as error:
        # Another version wrote it; the other exams do not depend on it.
        tools.report.errors.append(
            f"Exam {request.exam.exam_id} is left alone: {error}."
            " Deploy the version that wrote it again, or a newer one."
        )
    return None


def _read(tools: PollTools, request: ExamRequest) -> ExamOutcome:
    """Read one exam; raises ProviderError, ClientError, LeaseLostError, UnreadableItemError."""
    if request.depth is Depth.FULL:
        return FullScan(tools, request).run()
    incremental = IncrementalScan(tools, request).run()
    if not incremental.needs_full_scan:
        return incremental.outcome
    full = FullScan(tools, request).run()
    return replace(full, changes=full.changes + incremental.outcome.changes)


def _note_failure(tools: PollTools, request: ExamRequest, error: ProviderError) -> None:
    """Report that an exam failed, and remember it, so that it is left alone for a while."""
    exam_id, now, report = request.exam.exam_id, int(tools.now()), tools.report
    state = tools.exams.states[exam_id]
    if request.reason is Reason.UNLISTED and isinstance(error, ProviderRejected):
        # It may be deleted, so that its running attempts cannot be followed any more.
        state = replace(state, running=(), running_count=0, running_depth=0, digest=None, cursor=None, skipped={})
        report.notes.append(f"exam {exam_id} is no longer listed, and could not be read: {error}")
    else:
        report.note_failure(error)
        report.errors.append(f"Exam {exam_id} could not be read: {error}")
        report.failed.add(exam_id)
    since = now if state.failed_since is None else state.failed_since
    tools.exams.save(replace(state, read_at=now, failed_since=since))
