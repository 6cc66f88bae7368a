"""One exam's turn in a poll: a look at its edge where that is enough, a full pass where it is not."""

from __future__ import annotations

from typing import assert_never

from examhook.detection.plan import ExamRequest, Look
from examhook.workflows.edge_pass import look_at_edge
from examhook.workflows.exam_access import PollTools
from examhook.workflows.report import PassOutcome
from examhook.workflows.whole_pass import WholePass


def read_exam(tools: PollTools, request: ExamRequest) -> PassOutcome:
    """Read the exam as planned, write its changes; raises ProviderError, ClientError, LeaseLostError."""
    match request.look:
        case Look.WHOLE:
            return WholePass(tools, request).run()
        case Look.EDGE:
            return _edge_then_whole(tools, request)
        case _:
            assert_never(request.look)


def _edge_then_whole(tools: PollTools, request: ExamRequest) -> PassOutcome:
    if request.known is None:
        return WholePass(tools, request).run()
    look = look_at_edge(tools, request, request.known)
    if not look.needs_whole:
        return look.outcome
    whole = WholePass(tools, request, appeared=look.appeared, ended=look.ended).run()
    return PassOutcome(
        rows=whole.rows,
        changes=look.outcome.changes + whole.changes,
        skipped_rows=whole.skipped_rows,
        problem=whole.problem,
        out_of_time=whole.out_of_time,
    )
