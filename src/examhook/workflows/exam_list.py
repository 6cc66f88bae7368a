"""Reading the list of an account's exams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from examhook.detection.paging import Pager
from examhook.model import Exam
from examhook.provider.pages import ExamPage
from examhook.provider.port import ProviderClient
from examhook.workflows.lease import Lease
from examhook.workflows.report import PollReport

PAGE_LIMIT = 100
"""Rows asked for at once."""


@dataclass(frozen=True, slots=True)
class ExamList:
    """The list as the provider showed it."""

    exams: tuple[Exam, ...]
    """Each once, as it was read last."""
    listed_at: int
    """When the list was read, by the provider's clock."""
    whole: bool
    """Whether nothing suggests that it lacks exams."""


def read_exam_list(client: ProviderClient, lease: Lease, report: PollReport, now: Callable[[], float]) -> ExamList:
    """Read all pages and report what may be missing; raises ProviderError, LeaseLostError."""
    listed_at: list[int] = []
    problems: list[str] = []

    def fetch(start: int, limit: int) -> ExamPage:
        lease.keep()
        page = client.exams(start, limit)
        problems.extend([page.problem] if page.problem else [])
        listed_at.append(page.provider_time if page.provider_time is not None else int(now()))
        return page

    reading = Pager(PAGE_LIMIT).read(fetch, lambda exam: exam.exam_id)
    report.skipped_rows += len(reading.unreadable)
    if reading.problem is not None:
        problems.append(reading.problem)
    if problems:
        report.unfinished += 1
        report.notes.append(f"the list of exams may lack some: {', '.join(problems)}")
    exams = tuple({exam.exam_id: exam for exam in reading.rows}.values())
    return ExamList(exams, listed_at[0], reading.complete and not problems)
