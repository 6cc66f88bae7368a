"""Writes the state of an account with many results straight into the tables, because a real first contact takes hours.

The tables hold what a first contact leaves: the state of every exam, and the results that an incremental scan of a busy
exam reads.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator

from examhook.detection.exam_state import ExamState, RowOrder
from examhook.detection.exam_transition import ExamChange
from examhook.detection.transition import Observation, diff
from examhook.http.client import HttpClient
from examhook.model import Exam
from examhook.provider.legacy import LegacyClient
from examhook.provider.pacing import Pacer
from examhook.storage.exams import AccountRecord, ExamsTable
from examhook.storage.submissions import ExamStates, SubmissionsTable
from tools.bench.cloud import EXAMS, SUBMISSIONS, Cloud
from tools.bench.provider import PAGE_ROWS, Provider

_QUIET_S = 86_400
_LARGEST_DIGEST = (1 << 64) - 1
"""Only a full scan compares the digest."""


def write_known_account(cloud: Cloud, provider: Provider, account: str, busy: Collection[str]) -> None:
    """Store all exams as unchanged for a day, with the results of the exams that will be ``busy``."""
    client = LegacyClient(
        provider.url,
        provider.code,
        session=HttpClient(),
        pacer=Pacer(10_000, time.monotonic, time.sleep),
        now=time.time,
        sleep=time.sleep,
        rng=random.Random(),  # noqa: S311 - jitter, not cryptography
    )
    exams, submissions = ExamsTable(cloud.dynamodb, EXAMS), SubmissionsTable(cloud.dynamodb, SUBMISSIONS)
    states = ExamStates(cloud.dynamodb, SUBMISSIONS)
    now = provider.control.now()
    listed = list(_listed(client, len(provider.exam_ids)))
    record = AccountRecord(watch_started_at=now, listed_complete=True, listed_count=len(listed))
    exams.write(account, record, fence=0)
    states.write([ExamChange(None, _state(account, exam, now)) for exam in listed])
    for exam in listed:
        if exam.exam_id in busy:
            observation = Observation(account, exam, observed_at=now, fence=0, old_before=now)
            submissions.write(diff(client.results(exam.exam_id, 0, PAGE_ROWS).rows, {}, observation))


def _listed(client: LegacyClient, exams: int) -> Iterator[Exam]:
    for start in range(0, exams, PAGE_ROWS):
        yield from client.exams(start, PAGE_ROWS).rows


def _state(account: str, exam: Exam, now: int) -> ExamState:
    return ExamState(
        account,
        exam,
        predates_watch=True,
        row_order=RowOrder.NEWEST,
        row_count=exam.attempt_count or 0,
        digest=_LARGEST_DIGEST,
        scanned_at=now,
        read_at=now,
        changed_at=now - _QUIET_S,
        version=1,
    )
