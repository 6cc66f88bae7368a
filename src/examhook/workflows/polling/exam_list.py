"""Reading the list of an account's exams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from examhook.detection.reader import Reader
from examhook.model import Exam
from examhook.provider.port import ExamPage, ProviderClient
from examhook.workflows.polling.lease import Lease
from examhook.workflows.polling.report import PollReport


@dataclass(frozen=True, slots=True)
class ExamList:
    """The list as the provider showed it."""

    exams: Mapping[str, Exam]
    """By id, each as it was read last."""
    is_complete: bool
    """Whether its end is proven and every row could be read."""


PROOF_SECONDS = 300
"""How often the end of the list is proven by another request; between, a short page with as many exams ends it."""


def read_exam_list(
    client: ProviderClient, lease: Lease, report: PollReport, listed_count: int | None, *, prove_end: bool
) -> ExamList:
    """Read all pages and report what may be missing; raises ProviderError, LeaseLostError.

    ``listed_count`` is the number of exams on the last complete list, None before there was one.
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
        report.notes.append(f"the list of exams may lack some: {', '.join(problems)}")
    return ExamList(exams, not problems)
